"""Comparison with an earlier run: did the model get worse?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from symscape.questions.case import CaseResult, Check
from symscape.questions.metric import Metric, Movement
from symscape.questions.notes import BaselineDetail, Change, MetricChange
from symscape.questions.registry import QUESTIONS, metric_named

#: by how much of a tolerance a metric may be worse than the baseline
DEFAULT_MARGIN = 0.1


@dataclass(frozen=True)
class CaseChange:
    """One case against the baseline."""

    question: str
    id: str
    change: Change
    metrics: tuple[MetricChange, ...] = ()

    @property
    def worst(self) -> MetricChange | None:
        """The metric that worsened most."""
        return max(self.metrics, key=lambda m: m.worsening, default=None)


def compare_case(
    new: CaseResult, old: CaseResult | None, margin: float = DEFAULT_MARGIN
) -> CaseChange:
    """Compare a case with the same case of an earlier run.

    A value that can't be compared is never taken for as good as before: where the check fails today
    and the earlier run has no number for it, the case is worse, and so it is where the earlier run
    held a number against a limit and today there is none to hold against anything.

    Parameters
    ----------
    new, old
        Results of the same question on the same slice; ``old`` is None if the baseline lacks it.
    margin
        A metric is worse if its badness grew by more than this share of what its tolerance allows,
        better if it shrank by as much; a count moves by ones (`Metric.movement`).
    """
    if old is None:
        return CaseChange(new.question, new.id, "new")
    if new.status == "error":
        change: Change = "same" if old.status == "error" else "worse"
        return CaseChange(new.question, new.id, change)
    if old.status == "error":
        change = "better" if new.status == "passed" else "worse"
        return CaseChange(new.question, new.id, change)
    before = {check.metric: check.value for check in old.checks}
    changes, moves = [], []
    for check in new.checks:
        metric = metric_named(check.metric)
        was = before.get(check.metric, float("nan"))
        move = metric.movement(was, check.value, check.limit, margin)
        if math.isnan(was) and not check.passed:
            move = "worse"
        elif move is None or check.metric not in before:
            move = "same"
        moves.append(move)
        if math.isnan(was) and move == "worse":
            # nothing to measure from but the ideal
            worsening = metric.severity(check.value, check.limit)
        elif check.metric in before:
            worsening = _growth(metric, was, check)
        else:
            continue
        changes.append(MetricChange(check.metric, check.unit, was, check.value, worsening))
    lost = _lost(new, old)
    moves += ["worse"] * len(lost)
    return CaseChange(new.question, new.id, _overall(moves), (*changes, *lost))


def _lost(new: CaseResult, old: CaseResult) -> list[MetricChange]:
    """Return what the earlier run judged and today has no number any more.

    A limit that was dropped leaves the number among the metrics; a gap that is no longer counted is
    none.
    """
    today = {check.metric for check in new.checks}
    question = QUESTIONS.get(new.question)
    known = {metric.name: metric for metric in question.metrics} if question else {}
    return [
        MetricChange(check.metric, check.unit, check.value, math.nan, math.inf)
        for check in old.checks
        if check.metric in known.keys() - today
        and not known[check.metric].gap
        and not math.isnan(check.value)
        and math.isnan(known[check.metric].of(new.metrics))
    ]


def _growth(metric: Metric, was: float, check: Check) -> float:
    """How much further a value is from its ideal, as a share of what the tolerance allows."""
    before, after = metric.badness(was, check.limit), metric.badness(check.value, check.limit)
    if before == after:
        return 0.0
    allowed = metric.allowed(check.value if after > before else was, check.limit)
    if math.isinf(allowed) and math.isfinite(after - before) and not metric.counts:
        return 0.0  # nothing is too far on an open side
    if not 0 < allowed < math.inf:
        allowed = 1.0 if metric.counts else metric.noise
    return (after - before) / allowed


def _overall(moves: list[Movement]) -> Change:
    """One metric that is worse makes the case worse, whatever the others do."""
    for change in ("worse", "better"):
        if change in moves:
            return change
    return "same"


def judge_against(
    new: CaseResult, old: CaseResult | None, margin: float = DEFAULT_MARGIN
) -> tuple[CaseResult, CaseChange]:
    """Fail a case only where it got worse than the baseline.

    A case that the baseline does not have is judged by the tolerances, and one that could not be
    evaluated stays an error.

    Returns
    -------
    tuple
        The result with its new status and ``notes.baseline``, and the change.
    """
    change = compare_case(new, old, margin)
    if old is None:
        return new, change
    status = new.status
    if status != "error":
        status = "failed" if change.change == "worse" else "passed"
    grid = (
        None
        if old.energies is None
        else tuple(tuple(row) for row in np.array(old.energies, dtype=float).tolist())
    )
    kept = BaselineDetail(change.change, change.metrics, grid, old.fingerprint)
    return replace(new, status=status, notes=replace(new.notes, baseline=kept)), change
