"""What changed since the baseline: rows for the page and the summary."""

from __future__ import annotations

from dataclasses import dataclass

from symscape.page.case_views import CaseView, SliceView
from symscape.page.view import RunView
from symscape.page.words import metric_text, unit_text
from symscape.questions.notes import Change, MetricChange
from symscape.questions.registry import metric_title, question_title
from symscape.questions.subjects import Subject, subject_of_id

#: in the order in which they are told
CHANGES: tuple[Change, ...] = ("worse", "better", "new", "gone", "same")
ARROW = "→"


@dataclass(frozen=True)
class ChangeRow:
    """One case against the baseline; for one that is gone what its name says.

    Parameters
    ----------
    change
        ``worse``, ``better``, ``new``, ``gone`` or ``same``.
    id
        Of the slice; of a case that is gone with its question: ``Mg-Si-hull: hull``.
    item, case
        The slice and the question; None where the case is gone.
    metrics
        What changed most first.
    """

    change: Change
    id: str
    item: SliceView | None = None
    case: CaseView | None = None
    metrics: tuple[MetricChange, ...] = ()

    @property
    def title(self) -> str:
        """The slice in words."""
        return self.item.title if self.item else self._gone.title

    @property
    def _gone(self) -> Subject:
        return subject_of_id(self.id.partition(": ")[0])

    @property
    def question(self) -> str:
        """The question in words."""
        return self.case.title if self.case else question_title(self.id.partition(": ")[2])

    @property
    def text(self) -> str:
        """The metric that changed most: ``softening scale 0.82 → 0.70``; empty without one."""
        return shift_text(self.metrics[0]) if self.metrics else ""


def change_rows(view: RunView) -> list[ChangeRow]:
    """List every case and every slice that is gone, worse first; empty without a baseline."""
    if view.run.baseline is None:
        return []
    rows = [change_of(item, case) for item in view.slices for case in item.cases]
    rows += [ChangeRow("gone", name) for name in view.run.baseline.gone]
    return sorted(rows, key=lambda row: CHANGES.index(row.change))


def change_of(item: SliceView, case: CaseView) -> ChangeRow:
    """Compare a case with the same case of the baseline; ``new`` if that lacks it."""
    known = case.notes.baseline
    if known is None:
        return ChangeRow("new", item.id, item, case)
    # what moved in the direction of the verdict comes first
    sign = -1 if known.change == "better" else 1
    metrics = sorted(known.metrics, key=lambda metric: -sign * metric.worsening)
    return ChangeRow(known.change, item.id, item, case, tuple(metrics))


def count_changes(rows: list[ChangeRow]) -> dict[Change, int]:
    """Count the rows of each kind."""
    kinds = [row.change for row in rows]
    return {change: kinds.count(change) for change in CHANGES}


def shift_text(metric: MetricChange) -> str:
    """Write how a metric changed: ``mean absolute error 10.0 → 20.0 meV/atom``."""
    old, new = (metric_text(metric.metric, v) for v in (metric.old, metric.new))
    return f"{metric_title(metric.metric)} {old} {ARROW} {new} {unit_text(metric.unit)}".rstrip()
