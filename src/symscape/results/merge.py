"""Parts of the suite that were run apart, as one run.

A new slice need not be the reason to run everything again, and halves of the suite may run on two
machines: what counts is that the same model gave all answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from symscape.errors import ResultsFileError
from symscape.questions.case import CaseResult
from symscape.results.run_results import RunResults, Selection


def merge_runs(runs: Sequence[RunResults]) -> RunResults:
    """Join runs of one model; where two ran the same case, the one that began later counts.

    What an earlier run says of a slice whose reference has changed since is left out. Times add up;
    date and versions are the latest run's.

    Parameters
    ----------
    runs
        At least one, in any order.

    Raises
    ------
    ResultsFileError
        If the runs are of several models or checkpoints, were judged with several tolerance files,
        or one of them by a baseline.
    """
    if not runs:
        raise ResultsFileError("there are no results to merge; name at least one results file.")
    return reduce(_joined, sorted(runs, key=lambda run: run.started))


def _joined(earlier: RunResults, later: RunResults) -> RunResults:
    """Join two runs, the second of which counts where both have an answer."""
    _check_that_they_belong_together(earlier, later)
    digests = {r.id: r.digest for r in later.references}
    kept = [r for r in earlier.references if digests.get(r.id, r.digest) == r.digest]
    changed = {(r.material, r.slice) for r in earlier.references} - {
        (r.material, r.slice) for r in kept
    }
    cases = {
        _key(case): case for case in earlier.cases if (case.material, case.slice) not in changed
    }
    cases |= {_key(case): case for case in later.cases}
    references = {r.id: r for r in (*kept, *later.references)}
    answered = {f"{material}-{part}: {question}" for question, material, part in cases}
    lacking = dict.fromkeys((*earlier.lacking, *later.lacking))
    return replace(
        later,
        cases=tuple(cases.values()),
        references=tuple(references.values()),
        wall_seconds=round(earlier.wall_seconds + later.wall_seconds, 2),
        selection=_selection(
            earlier.selection,
            later.selection,
            n_shared=len(earlier.cases) + len(later.cases) - len(cases),
        ),
        lacking=tuple(name for name in lacking if name not in answered),
    )


def _key(case: CaseResult) -> tuple[str, str, str]:
    return case.question, case.material, case.slice


def _check_that_they_belong_together(first: RunResults, second: RunResults) -> None:
    for what, one, other in (
        ("models", first.model.name, second.model.name),
        ("checkpoints or versions of it", first.fingerprint[:12], second.fingerprint[:12]),
        ("tolerances", first.tolerances, second.tolerances),
    ):
        if one != other:
            raise ResultsFileError(
                f"{second.model.name}: the results are of two {what}, {one} and {other}; only runs "
                "of one model with the same tolerances can be merged."
            )
    for run in (first, second):
        if run.baseline is not None:
            raise ResultsFileError(
                f"{run.model.name}: a run was judged by the baseline {run.baseline.name}, which "
                "says nothing about the others; run it without --baseline."
            )


def _selection(
    earlier: Selection | None, later: Selection | None, n_shared: int
) -> Selection | None:
    """Return which part of the suite two runs are together; None if it is all of it.

    A whole run and a part are whole: what a larger library asks besides, its board misses. Cases
    that found nothing to judge are asked and have no result, so that asked ones are counted.
    """
    if earlier is None or later is None:
        return None
    asked = earlier.asked + later.asked - n_shared
    return None if asked >= later.total else Selection("merged runs", asked, later.total)
