"""What is wrong with a landscape, in one line and in the order of physics.

Energies come first, then minima and barriers, then forces, smoothness and what symmetry demands:
kinks are not the story of a material whose energies are 84 meV/atom off.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from symscape.page.checks import check_words
from symscape.page.words import count_text, crystal_text, number_text
from symscape.questions.behind import behind_crystals
from symscape.questions.case import Check
from symscape.questions.energies import (
    ENERGIES,
    MAE,
    MEAN_SIGNED_ERROR,
    SHARE_UNDERPREDICTED,
    SOFTENING_SCALE,
)
from symscape.questions.minima import MINIMA, MinimaDetail
from symscape.questions.registry import QUESTIONS, metric_named
from symscape.questions.saddles import MAX_BARRIER_ERROR, SADDLES, SaddlesDetail

if TYPE_CHECKING:
    from collections.abc import Callable

    from symscape.page.case_views import CaseView, SliceView

#: share of points on one side of DFT from which on "everything" is too low or too high
_EVERYTHING = 0.95
#: clauses of a line
_MOST_CLAUSES = 2


def diagnose(item: SliceView, most: int = _MOST_CLAUSES) -> str:
    """Say what is wrong with a slice or a group of crystals; empty where nothing is.

    Parameters
    ----------
    most
        Clauses of the line; what remains is counted.

    Returns
    -------
    str
        Clauses parted by semicolons: ``everything 84 meV/atom too low, slope 0.72; barrier 31
        meV/atom too low``.
    """
    order = list(QUESTIONS)
    cases = [case for case in item.cases if case.status not in ("passed", "surprise")]
    cases.sort(key=lambda c: order.index(c.case.question) if c.case.question in order else 99)
    clauses = list(dict.fromkeys(filter(None, map(_clause, cases))))
    text = "; ".join(clauses[:most])
    left = len(clauses) - most
    return f"{text}; {left} more" if left > 0 else text


def _clause(case: CaseView) -> str:
    """Say what a question that was not passed found."""
    if case.status == "error":
        return f"{case.title[:1].lower()}{case.title[1:]} not judged"
    say = _WORDS.get(case.case.question)
    return (say(case) if say else "") or _worst(case)


def _worst(case: CaseView) -> str:
    """Name the failed check that is most tolerances off, and the crystals behind it."""
    if not case.failed_checks:
        return ""
    check = case.failed_checks[0]
    # the crystal that is furthest off; the others are in the card
    behind = behind_crystals(case.case).get(check.metric)
    text = _value(check)
    return f"{text} ({crystal_text(behind[0], bare=True)})" if behind else text


def _value(check: Check) -> str:
    """``largest error 112 meV/atom``; counts first: ``21 without a minimum``."""
    words = check_words(check)
    if metric_named(check.metric).counts and check.value > 1:
        return f"{words.value} {words.title}"
    return f"{words.title} {words.value} {words.unit}".rstrip()


def _energies(case: CaseView) -> str:
    """Tell an offset and a slope; another failed metric only where there is neither."""
    failed = {check.metric for check in case.failed_checks}
    judged = case.judged
    parts = []
    error = MEAN_SIGNED_ERROR.of(judged)
    if not isnan(error) and failed & {MEAN_SIGNED_ERROR.name, MAE.name}:
        share = SHARE_UNDERPREDICTED.of(judged)
        one_sided = share >= _EVERYTHING or 1 - share >= _EVERYTHING
        if one_sided or MEAN_SIGNED_ERROR.name in failed:
            side = "too low" if error < 0 else "too high"
            size = f"{number_text(abs(error), 0)} meV/atom {side}"
            parts.append(f"everything {size}" if one_sided else f"energies {size} on average")
    if SOFTENING_SCALE.name in failed:
        parts.append(f"slope {number_text(SOFTENING_SCALE.of(judged), 2)}")
    return ", ".join(parts)


def _minima(case: CaseView) -> str:
    """Tell minima that are gone or too many; with two of DFT's, what became of the barrier."""
    detail = case.case.kept(MinimaDetail)
    rows = detail.minima if detail else ()
    missing = [row for row in rows if row.kind == "missing" and row.reference]
    matched = [row for row in rows if row.kind == "matched" and row.reference]
    spurious = [row for row in rows if row.kind == "spurious"]
    total = len(missing) + len(matched)
    depths = [
        row.reference.persistence_meV
        for row in [*missing, *matched]
        if row.reference and row.reference.persistence_meV is not None
    ]
    parts = []
    if missing and total == 2 and depths:
        parts.append(f"double well collapsed: barrier {number_text(min(depths), 0)} to none")
    elif missing:
        parts.append(f"{len(missing)} of {count_text(total, 'minimum', 'minima')} missing")
    if spurious:
        parts.append(count_text(len(spurious), "minimum", "minima") + " that DFT has not")
    return ", ".join(parts)


def _saddles(case: CaseView) -> str:
    """Tell the barrier that is most in error."""
    detail = case.case.kept(SaddlesDetail)
    errors = [row.barrier_error_meV for row in detail.saddles] if detail else []
    if not errors or not any(c.metric == MAX_BARRIER_ERROR.name for c in case.failed_checks):
        return ""
    worst = max(errors, key=abs)
    side = "too low" if worst < 0 else "too high"
    return f"barrier {number_text(abs(worst), 0)} meV/atom {side}"


_WORDS: dict[str, Callable[[CaseView], str]] = {
    ENERGIES.name: _energies,
    MINIMA.name: _minima,
    SADDLES.name: _saddles,
}
