"""The questions that the suite asks and the metrics that answer each."""

from __future__ import annotations

from dataclasses import dataclass

from symscape.landscape.metrics import POINTWISE


@dataclass(frozen=True)
class Question:
    """One test function of the suite, and what its tolerances may name.

    Parameters
    ----------
    name
        As in results and tolerance files: ``energies``.
    title
        For reports.
    metrics
        Name to unit of each metric that can have a tolerance.
    settings
        Names of numbers that set how the metrics are computed, not limits on them.
    """

    name: str
    title: str
    metrics: dict[str, str]
    settings: tuple[str, ...] = ()


#: adding a question here makes it known to tolerance files and reports
QUESTIONS: dict[str, Question] = {
    q.name: q
    for q in (
        Question(
            "energies",
            "Relative energies",
            {name: metric.unit for name, metric in POINTWISE.items()},
            ("window",),
        ),
    )
}
