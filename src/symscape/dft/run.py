"""Computing a plan's grid: resumable, several workers, every event in the journal."""

from __future__ import annotations

import asyncio
import datetime
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from symscape.dft.engine import ATTEMPTS
from symscape.dft.finish import symscape_version
from symscape.dft.journal import Journal
from symscape.dft.ledger import Ledger, care_after, open_ledger
from symscape.dft.plan import Plan
from symscape.dft.pool import WorkerSetup, run_pool
from symscape.errors import EngineError
from symscape.progress import Progress, quiet

#: a run is given up if so many points failed with one reason before any succeeded
_HOPELESS_POINTS = 4


class GridRun:
    """The source of a pool's tasks: hands out a grid's points and journals what comes back.

    Each worker walks through a stretch of the snake of its own, so that its atoms move in small
    steps; when its stretch is done it takes the far half of the longest one left.

    Parameters
    ----------
    ledger
        What is done.
    todo
        Flat indices of what is to do, in snake order.
    journal
        Open.
    progress
        Told about every point.
    jobs
        Number of workers.
    """

    def __init__(
        self, ledger: Ledger, todo: list[int], journal: Journal, progress: Progress, jobs: int
    ) -> None:
        self.plan = ledger.plan
        self.ledger = ledger
        self.journal = journal
        self.progress = progress
        self.structures = ledger.plan.slice.structures()
        self.values = ledger.plan.slice.grid_values
        shares = np.array_split(np.array(todo, dtype=int), jobs)
        self.stretches: list[deque[int]] = [deque(share.tolist()) for share in shares]
        self.failures = {k: list(ledger.failures.get(k, [])) for k in todo}
        self.succeeded = 0
        self.reasons: Counter[str] = Counter()

    def next_task(self, worker: int) -> dict[str, Any] | None:
        """Return the next point of a worker; see ``pool.Source``."""
        if not self.stretches[worker]:
            longest = max(self.stretches, key=len)
            for _ in range((len(longest) + 1) // 2):
                self.stretches[worker].appendleft(longest.pop())
        if not self.stretches[worker]:
            return None
        index = self.stretches[worker].popleft()
        numbers, positions, cell = self.structures.arrays(index)
        return {
            "index": index,
            "numbers": numbers.tolist(),
            "positions": positions.tolist(),
            "cell": cell.tolist(),
            "care": care_after(self.failures[index]),
            "stress": self.plan.moves_lattice and self.plan.stress,
        }

    def deliver(self, worker: int, task: dict[str, Any], result: dict[str, Any]) -> None:
        """Journal a result; a failed point is tried again by the same worker, with more care.

        Raises
        ------
        EngineError
            If the first points all fail with one reason.
        """
        index = task["index"]
        u, v = (round(float(x), 12) for x in self.values[index])
        i, j = divmod(index, self.plan.slice.shape[1])
        head = {"i": i, "j": j, "u": u, "v": v, "care": task["care"]}
        if "failed" not in result:
            geometry = stored_geometry(np.array(task["cell"]), np.array(task["positions"]))
            self.journal.append({"event": "point", **head, **result, **geometry})
            self.succeeded += 1
            self.progress.advance(result.get("seconds", 0.0))
            return
        failure = {"event": "failed", **head, **result}
        self.journal.append(failure)
        self.failures[index].append(failure)
        if len(self.failures[index]) < ATTEMPTS:
            self.stretches[worker].appendleft(index)
            return
        self.progress.fail(f"point ({i}, {j}) failed {ATTEMPTS} times: {result['failed']}")
        self.reasons[result["failed"]] += 1
        reason, count = self.reasons.most_common(1)[0]
        if not self.succeeded and not self.ledger.points and count >= _HOPELESS_POINTS:
            raise EngineError(
                f"{self.plan.path}: the first {count} points all failed with '{reason}'; see the "
                f"logs in {self.plan.output_folder.name}, mend the settings and run again with "
                "--retry-failed."
            )


def stored_geometry(cell: np.ndarray, positions: np.ndarray) -> dict[str, Any]:
    """Return cell (angstrom) and fractional positions as references store them."""
    fractional = np.linalg.solve(cell.T, positions.T).T
    return {
        "cell_A": (np.round(cell, 8) + 0.0).tolist(),
        "positions": (np.round(fractional, 8) + 0.0).tolist(),
    }


def run_plan(
    plan: Plan,
    *,
    jobs: int = 1,
    nice: int = 0,
    timeout_s: float | None = None,
    retry_failed: bool = False,
    command: str = "",
    progress: Progress | None = None,
    only: Collection[int] | None = None,
) -> Ledger:
    """Compute all points of a plan that are not in its journal yet.

    Killing it at any moment loses at most the points being computed; the same call goes on.

    Parameters
    ----------
    plan
        Relaxed already, if it asks for that.
    jobs
        Worker processes.
    nice
        Added to the workers' niceness.
    timeout_s
        In place of the plan's limit for one point, seconds.
    retry_failed
        Try points again that failed as often as they may.
    command
        Command line for the provenance.
    progress
        Where to report; nowhere if None.
    only
        Flat indices of the points to compute now; all if None.

    Returns
    -------
    Ledger
        The state after the run.

    Raises
    ------
    PlanError
        If the journal does not belong to the plan or is in use.
    EngineError
        If the engine can't be loaded or fails at every point.
    """
    with Journal(plan.journal_path) as journal:
        ledger = open_ledger(plan)
        if retry_failed and ledger.failed:
            journal.append({"event": "forgiven", "time": now()})
            ledger.failures.clear()
        todo = [k for k in ledger.todo if only is None or k in only]
        if not todo:
            return ledger
        settings = ledger.settings
        if timeout_s is not None:
            settings = replace(settings, timeout_s=timeout_s)
        setup = WorkerSetup(plan.engine, settings, plan.output_folder, nice)
        workers = min(jobs, len(todo))
        report = progress or quiet()
        source = GridRun(ledger, todo, journal, report, workers)

        def started(method: dict[str, Any]) -> None:
            journal.append({**start_event(plan, ledger, method, command), "computes": True})

        with report.task(plan.name, len(todo), workers, ledger.seconds_per_point()):
            try:
                run_async(run_pool(source, setup, workers, started))
            except EngineError as error:
                text = str(error)
                named = text.startswith(str(plan.path))
                raise EngineError(text if named else f"{plan.path}: {text}") from None
    return open_ledger(plan)


def start_event(plan: Plan, ledger: Ledger, method: dict[str, Any], command: str) -> dict[str, Any]:
    """Return the journal's line about who computed what follows, and how."""
    return {
        "event": "start",
        "time": now(),
        "command": command,
        "symscape": symscape_version(),
        "settings": ledger.settings.to_dict(),
        "engine": plan.engine.to_dict(),
        "method": method,
        "material": plan.material,
        "slice": plan.slice.name,
    }


def run_async(coroutine: Any) -> None:
    """Run a pool to its end; a termination signal ends it as Ctrl-C does."""
    try:
        asyncio.run(coroutine)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
