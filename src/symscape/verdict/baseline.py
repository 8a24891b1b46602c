"""Comparison with an earlier run: did the model get worse?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from symscape.verdict.case import CaseResult, Check

#: by how much of a tolerance a metric may be worse than the baseline
DEFAULT_MARGIN = 0.1

Change = Literal["better", "worse", "same", "new", "gone"]


@dataclass(frozen=True)
class MetricChange:
    """One metric against the baseline.

    Parameters
    ----------
    metric, unit
        As in the checks.
    old, new
        Values.
    worsening
        How much further the value is from its ideal than the baseline's was, as a share of how far
        the tolerance lets it be; negative where it got better.
    """

    metric: str
    unit: str
    old: float
    new: float
    worsening: float


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


def distance(check: Check) -> float:
    """How far a value is from its ideal, in units of how far the tolerance lets it be.

    The ideal is 0 for a limit on the absolute value, the middle of a two-sided interval, and 1 for
    a rank correlation, whose interval ends there; so 1 is the rim of the tolerance. NaN counts as
    infinitely far.
    """
    low, high = check.limit
    if check.value != check.value:
        return float("inf")
    if low is None or high is None:
        rim = high if low is None else low
        return abs(check.value) / abs(rim) if rim else float(check.value != 0)
    ideal = high if check.metric == "spearman" else (low + high) / 2
    width = high - low if check.metric == "spearman" else (high - low) / 2
    return abs(check.value - ideal) / width if width else float(check.value != ideal)


def compare(new: CaseResult, old: CaseResult | None, margin: float = DEFAULT_MARGIN) -> CaseChange:
    """Compare a case with the same case of an earlier run.

    Parameters
    ----------
    new, old
        Results of the same question on the same slice; ``old`` is None if the baseline lacks it.
    margin
        A metric is worse if it moved away from its ideal by more than this share of its tolerance,
        better if it moved closer by as much.
    """
    if old is None:
        return CaseChange(new.question, new.id, "new")
    if "error" in (new.status, old.status) and new.status != old.status:
        return CaseChange(new.question, new.id, "worse" if new.status == "error" else "better")
    before = {check.metric: check.value for check in old.checks}
    changes = []
    for check in new.checks:
        if check.metric not in before:
            continue
        # both values are measured by today's tolerance
        was, now = distance(replace(check, value=before[check.metric])), distance(check)
        worsening = 0.0 if was == now else now - was
        changes.append(
            MetricChange(check.metric, check.unit, before[check.metric], check.value, worsening)
        )
    moved = [m.worsening for m in changes]
    change: Change = "same"
    if any(m > margin for m in moved):
        change = "worse"
    elif any(m < -margin for m in moved):
        change = "better"
    return CaseChange(new.question, new.id, change, tuple(changes))


def judge_against(
    new: CaseResult, old: CaseResult | None, margin: float = DEFAULT_MARGIN
) -> tuple[CaseResult, CaseChange]:
    """Fail a case only where it got worse than the baseline.

    A case that the baseline does not have is judged by the tolerances, and one that could not be
    evaluated stays an error.

    Returns
    -------
    tuple
        The result with its new status and ``detail["baseline"]``, and the change.
    """
    change = compare(new, old, margin)
    if old is None:
        return new, change
    status = new.status
    if status != "error":
        status = "failed" if change.change == "worse" else "passed"
    return replace(
        new, status=status, detail={**new.detail, "baseline": _detail(change, old)}
    ), change


def _detail(change: CaseChange, old: CaseResult) -> dict[str, Any]:
    """Say what the report shows beside the new landscape."""
    return {
        "change": change.change,
        "metrics": [
            {
                "metric": m.metric,
                "unit": m.unit,
                "old": m.old,
                "new": m.new,
                "worsening": m.worsening,
            }
            for m in change.metrics
        ],
        "energies": old.energies,
        "fingerprint": old.fingerprint,
    }
