"""Whether the parts of a results file fit together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from symscape.decode import DecodeError
from symscape.questions.case import CaseResult
from symscape.questions.forces import ForcesDetail
from symscape.results.run_results import ReferenceSummary, RunResults


def check_consistency(run: RunResults) -> None:
    """Refuse what no run can have written.

    Raises
    ------
    DecodeError
        If parts of a run contradict each other; the message names them.
    """
    try:
        datetime.fromisoformat(run.started)
    except ValueError:
        raise DecodeError(
            f"field 'started' is {run.started!r}, which is no ISO 8601 time"
        ) from None
    seen: set[str] = set()
    for reference in run.references:
        _refuse_twice(seen, f"reference {reference.id}")
        shape = tuple(len(axis.values) for axis in reference.axes)
        _check_shape(reference.energies, shape, f"energies of reference {reference.id}")
        _check_shape(reference.mask, shape, f"mask of reference {reference.id}")
        if not all(0 <= k < n for k, n in zip(reference.minimum, shape, strict=True)):
            raise DecodeError(f"the minimum of reference {reference.id} is outside its grid")
    for k, case in enumerate(run.cases):
        _refuse_twice(seen, f"case {case.id}, question {case.question},")
        _check_detail(case, f"cases[{k}]", run.reference(case))
        if case.model != run.model.name:
            raise DecodeError(f"case {case.id} is of model {case.model!r}, not {run.model.name!r}")
        if case.energies is not None:
            known = run.reference(case)
            if known is None:
                raise DecodeError(f"case {case.id} has energies, but its reference is missing")
            shape = tuple(len(axis.values) for axis in known.axes)
            _check_shape(case.energies, shape, f"energies of case {case.id}")


def _check_detail(case: CaseResult, where: str, reference: ReferenceSummary | None) -> None:
    """Check that what a case keeps lies on the grid of its reference."""
    notes = case.notes
    try:
        date.fromisoformat(notes.known_failure_expires or "2000-01-01")
    except ValueError:
        raise DecodeError(
            f"field '{where}.detail.known_failure_expires' is no ISO 8601 day"
        ) from None
    if reference is None:
        return
    shape = tuple(len(axis.values) for axis in reference.axes)
    if notes.worst and not all(0 <= k < n for k, n in zip(notes.worst.index, shape, strict=True)):
        raise DecodeError(f"field '{where}.detail.worst.index' is outside the grid")
    if notes.baseline and notes.baseline.energies is not None:
        _check_shape(notes.baseline.energies, shape, f"baseline's energies of case {case.id}")
    if drawn := case.kept(ForcesDetail):
        _check_shape(drawn.arrows.reference, shape, f"DFT arrows of case {case.id}")
        _check_shape(drawn.arrows.model, shape, f"arrows of case {case.id}")


def _refuse_twice(seen: set[str], what: str) -> None:
    if what in seen:
        raise DecodeError(f"{what} is listed twice")
    seen.add(what)


def _check_shape(grid: Sequence[Sequence[object]], shape: tuple[int, ...], what: str) -> None:
    if len(grid) != shape[0] or any(len(row) != shape[1] for row in grid):
        raise DecodeError(f"the {what} are not a grid of {shape[0]} x {shape[1]} as its axes are")
