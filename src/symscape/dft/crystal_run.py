"""Relaxing a list of crystals: resumable, several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from symscape.dft.crystal_ledger import (
    CrystalLedger,
    failures_path,
    open_crystal_ledger,
)
from symscape.dft.crystal_list import CrystalList, PlannedCrystal
from symscape.dft.events import OF_PLANS, CrystalFailed, RelaxStep
from symscape.dft.journal import Journal, now, read_journal
from symscape.dft.ledger import refuse_hopeless
from symscape.dft.pool import in_threads
from symscape.dft.relax import relax_crystal
from symscape.errors import SymscapeError
from symscape.progress import Progress, quiet


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
        ledger = open_crystal_ledger(plan, folder, library)
        if retry_failed:
            ledger.forgive(failures)
        wanted = set(ledger.todo)
        todo = [planned for planned in plan.crystals if planned.id in wanted]
        if not todo:
            return ledger
        lock = threading.Lock()

        def relax(planned: PlannedCrystal) -> None:
            try:
                result = relax_crystal(plan.plan_of(planned, folder), nice=nice, command=command)
            except SymscapeError as error:
                with lock:
                    _note_failure(ledger, planned, error, failures, report)
                return
            with lock:
                ledger.results[planned.id] = result
                report.advance(_seconds(plan, planned, folder))
                if on_done is not None:
                    on_done(ledger, planned)

        workers = min(jobs, len(todo))
        with report.task(plan.path.stem, len(todo), workers):
            in_threads(todo, relax, workers)
    return ledger


def _note_failure(
    ledger: CrystalLedger,
    planned: PlannedCrystal,
    error: SymscapeError,
    failures: Journal,
    report: Progress,
) -> None:
    event = CrystalFailed(id=planned.id, time=now(), failed=str(error))
    failures.append(event)
    ledger.failures.setdefault(planned.id, []).append(event)
    report.fail(f"{planned.id}: {error}")
    if not ledger.results:
        reasons = [ledger.reason(name) for name in ledger.failed]
        refuse_hopeless(ledger.plan.path, "crystals", reasons, "mend that")


def _seconds(plan: CrystalList, planned: PlannedCrystal, folder: Path) -> float:
    """Return how long all steps of a crystal took."""
    events = read_journal(plan.plan_of(planned, folder).journal_path, OF_PLANS)
    return sum(event.seconds or 0.0 for event in events if isinstance(event, RelaxStep))
