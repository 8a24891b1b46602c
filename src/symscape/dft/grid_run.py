"""Computing a plan's grid: resumable, several workers, every event in the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from symscape.decode import Finite
from symscape.dft.engine import ATTEMPTS
from symscape.dft.events import AtPoint, GridStarted, PointDone, PointFailed
from symscape.dft.grid_ledger import GridLedger, open_ledger
from symscape.dft.journal import Journal, now
from symscape.dft.ledger import refuse_hopeless
from symscape.dft.plan import Plan
from symscape.dft.results import Computed, Failure, WorkerSetup
from symscape.dft.single_points import Geometry, compute
from symscape.dft.version import symscape_version
from symscape.errors import EngineError
from symscape.progress import Progress, quiet
from symscape.references.method import Method


class GridPoints:
    """A grid's points, each journalled with its place; see `Points`.

    Parameters
    ----------
    ledger
        What is done.
    journal
        Open.
    progress
        Told about every point.
    """

    def __init__(self, ledger: GridLedger, journal: Journal, progress: Progress) -> None:
        self.plan = ledger.plan
        self.journal = journal
        self.progress = progress
        self.structures = ledger.plan.slice.structures()
        self.values = ledger.plan.slice.grid_values
        self.succeeded = bool(ledger.points)
        self.reasons: Counter[str] = Counter()

    @property
    def stress(self) -> bool:
        """Whether stresses are wanted."""
        return self.plan.moves_lattice and self.plan.stress

    def geometry(self, index: int) -> Geometry:
        """Return the structure at a grid point."""
        return Geometry(*self.structures.arrays(index))

    def computed(self, index: int, care: int, result: Computed) -> None:
        """Journal a point."""
        place, geometry = self._place(index, care), self.geometry(index).stored()
        self.journal.append(PointDone(**{**vars(place), **vars(result), **vars(geometry)}))
        self.succeeded = True
        self.progress.advance(result.seconds or 0.0)

    def failed(self, index: int, care: int, result: Failure) -> None:
        """Journal a failure."""
        self.journal.append(PointFailed(**{**vars(self._place(index, care)), **vars(result)}))

    def given_up(self, index: int, reason: str) -> None:
        """Go on without a point, but not if the first points all fail with one reason."""
        i, j = divmod(index, self.plan.slice.shape[1])
        self.progress.fail(f"point ({i}, {j}) failed {ATTEMPTS} times: {reason}")
        self.reasons[reason] += 1
        if not self.succeeded:
            ((common, count),) = self.reasons.most_common(1)
            logs = f"see the logs in {self.plan.output_folder.name}, mend the settings"
            refuse_hopeless(self.plan.path, "points", [common] * count, logs)

    def _place(self, index: int, care: int) -> AtPoint:
        i, j = divmod(index, self.plan.slice.shape[1])
        u, v = (Finite(round(float(x), 12)) for x in self.values[index])
        return AtPoint(i=i, j=j, u=u, v=v, care=care)


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
) -> GridLedger:
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
    GridLedger
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
        if retry_failed:
            ledger.forgive(journal)
        todo = [k for k in ledger.todo if only is None or k in only]
        if not todo:
            return ledger
        settings = ledger.settings
        if timeout_s is not None:
            settings = replace(settings, timeout_s=timeout_s)
        setup = WorkerSetup(plan.engine, settings, str(plan.output_folder), nice)
        workers = min(jobs, len(todo))
        report = progress or quiet()
        points = GridPoints(ledger, journal, report)

        def started(method: Method) -> None:
            journal.append(replace(start_event(plan, ledger, method, command), computes=True))

        with report.task(plan.name, len(todo), workers, ledger.seconds_per_point()):
            try:
                compute(points, todo, setup, workers, failures=ledger.failures, started=started)
            except EngineError as error:
                text = str(error)
                named = text.startswith(str(plan.path))
                raise EngineError(text if named else f"{plan.path}: {text}") from None
    return open_ledger(plan)


def start_event(plan: Plan, ledger: GridLedger, method: Method, command: str) -> GridStarted:
    """Return the journal's line about who computed what follows, and how."""
    return GridStarted(
        time=now(),
        command=command,
        symscape=symscape_version(),
        settings=ledger.settings,
        engine=plan.engine,
        method=method,
        material=plan.material,
        slice=plan.slice.name,
    )
