"""Relaxing a list of crystals: resumable, several at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from symscape.dft.crystal_ledger import (
    CrystalLedger,
    failures_path,
    open_crystal_ledger,
)
from symscape.dft.crystal_list import CrystalList, PlannedCrystal
from symscape.dft.journal import Journal, read_journal
from symscape.dft.relax import relax_crystal
from symscape.dft.run import now
from symscape.errors import EngineError, SymscapeError
from symscape.progress import Progress, quiet

#: a run is given up if so many crystals failed before any succeeded
_HOPELESS_CRYSTALS = 4


def run_crystals(
    plan: CrystalList,
    folder: Path,
    *,
    library: Path | None = None,
    jobs: int = 1,
    nice: int = 0,
    retry_failed: bool = False,
    command: str = "",
    progress: Progress | None = None,
    on_done: Callable[[CrystalLedger, PlannedCrystal], None] | None = None,
) -> CrystalLedger:
    """Relax all crystals of a list that are neither relaxed nor given up.

    Killing it at any moment loses at most one step of each crystal that is being relaxed; the same
    call goes on. A crystal that fails is recorded with its reason and left out.

    Parameters
    ----------
    plan
        The list.
    folder
        For journals, logs and results.
    library
        The reference library whose crystals need not be computed again.
    jobs
        Crystals at once, each with a worker process.
    nice
        Added to the workers' niceness.
    retry_failed
        Try crystals again that failed.
    command
        Command line for the provenance.
    progress
        Where to report; nowhere if None.
    on_done
        Called after each relaxed crystal, from one thread at a time.

    Raises
    ------
    PlanError
        If another process works in the folder, or what lies there does not belong to the list.
    EngineError
        If the first crystals all fail.
    """
    report = progress or quiet()
    folder.mkdir(parents=True, exist_ok=True)
    with Journal(failures_path(folder)) as failures:
        if retry_failed:
            failures.append({"event": "forgiven", "time": now()})
        ledger = open_crystal_ledger(plan, folder, library)
        waiting = deque(ledger.todo)
        if not waiting:
            return ledger
        lock = threading.Lock()
        broken: list[BaseException] = []

        def work() -> None:
            while not broken:
                with lock:
                    if not waiting:
                        return
                    planned = waiting.popleft()
                try:
                    _relax_one(planned)
                except BaseException as error:  # raised again by the main thread
                    broken.append(error)

        def _relax_one(planned: PlannedCrystal) -> None:
            try:
                result = relax_crystal(plan.plan_of(planned, folder), nice=nice, command=command)
            except SymscapeError as error:
                with lock:
                    ledger.failed[planned.id] = str(error)
                    event = {"event": "failed", "id": planned.id, "time": now()}
                    failures.append({**event, "failed": str(error)})
                    report.fail(f"{planned.id}: {error}")
                    if not ledger.done and len(ledger.failed) >= _HOPELESS_CRYSTALS:
                        raise EngineError(
                            f"{plan.path}: the first {len(ledger.failed)} crystals all failed, "
                            f"the last one with '{error}'; mend that and run again with "
                            "--retry-failed."
                        ) from None
                return
            with lock:
                ledger.done[planned.id] = result
                report.advance(_seconds(plan, planned, folder))
                if on_done is not None:
                    on_done(ledger, planned)

        workers = min(jobs, len(waiting))
        with report.task(plan.path.stem, len(waiting), workers):
            # daemons: an interrupted run ends at once, and its workers with it
            threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)
        if broken:
            raise broken[0]
    return ledger


def _seconds(plan: CrystalList, planned: PlannedCrystal, folder: Path) -> float:
    """Return how long all steps of a crystal took."""
    events = read_journal(plan.plan_of(planned, folder).journal_path)
    return float(sum(event.get("seconds", 0.0) for event in events))
