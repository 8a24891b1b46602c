"""The question of the second paper: are the energies of a symmetry class too low?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Unpack

from symscape.questions.case import CaseResult
from symscape.questions.crystals import (
    FAILED_CRYSTALS,
    N_CRYSTALS,
    CrystalRow,
    MadeBy,
    by_errors,
    judged_crystals,
    rows_of,
)
from symscape.questions.energies import MAE, MEAN_SIGNED_ERROR, SHARE_UNDERPREDICTED
from symscape.questions.known import AskedOfCrystals, KnownOfCrystals
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring
from symscape.questions.stability import N
from symscape.questions.subjects import Subject, SymmetryClass
from symscape.science.hull.settings import ComparisonSettings

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase
    from symscape.science.hull.statistics import ErrorSummary

_BIAS_SCORE = Score(
    1.0, 70.0, "As the error above hull: a bias that is common to a class does not average out."
)
_OF = {"": "", "formation_": " of formation energies", "total_": " of total energies"}
#: columns of errors, and what begins the names of their metrics
PREFIXES = {"error_above_hull": "", "error_formation": "formation_", "error_total": "total_"}
_ENDS = {"": "", "_low": ", lower end", "_high": ", upper end"}
#: fields of `symscape.science.hull.statistics.ErrorSummary`, and the metrics that they become
_SUMMED = {
    "mean_error_meV": MEAN_SIGNED_ERROR,
    "mean_absolute_error_meV": MAE,
    "share_too_low": SHARE_UNDERPREDICTED,
}
#: the same for columns of tables, with the ends of the intervals
SUMMARY_COLUMNS = {
    f"{field}{end}": f"{metric.name}{end}" for field, metric in _SUMMED.items() for end in _ENDS
}


def _metrics(prefix: str, end: str) -> tuple[Metric, ...]:
    """Return three metrics of one energy: the value, or one end of its bootstrap interval."""
    words = f"{_OF[prefix]}{_ENDS[end]}"
    judged = not prefix and not end
    return (
        Metric(
            f"{prefix}{MEAN_SIGNED_ERROR.name}{end}", f"mean signed error{words}", "meV/atom",
            signed=True, score=_BIAS_SCORE if judged else None, on_board=judged,
        ),
        Metric(f"{prefix}{MAE.name}{end}", f"mean absolute error{words}", "meV/atom"),
        Metric(
            f"{prefix}{SHARE_UNDERPREDICTED.name}{end}", f"share underpredicted{words}", ideal=None
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class BiasDetail(MadeBy):
    """What a case about a symmetry class keeps: its crystals, and what made their energies."""

    crystals: tuple[CrystalRow, ...] = ()


def summary_row(found: ErrorSummary) -> dict[str, float]:
    """Return a summary as a row of a table: how many errors, and the metrics of them."""
    made = asdict(found)
    return {N.name: found.n, **{name: made[field] for field, name in SUMMARY_COLUMNS.items()}}


def underprediction_metrics(row: Mapping[Any, float], prefix: str) -> dict[str, float]:
    """Return the metrics of one kind of error.

    Parameters
    ----------
    row
        What `summary_row` made.
    prefix
        As in `PREFIXES`.
    """
    return {f"{prefix}{name}": row[name] for name in SUMMARY_COLUMNS.values()}


def judge_underprediction(
    table: pd.DataFrame,
    subject: Subject,
    tolerances: LimitsByCase,
    *,
    model: str,
    **known: Unpack[KnownOfCrystals],
) -> CaseResult:
    """Judge the bias of one symmetry class.

    Parameters
    ----------
    table
        The class's rows of what `symscape.science.hull.analysis.compare` returned.
    subject
        The class.
    """
    from symscape.science.hull.statistics import error_summary

    metrics: dict[str, float] = {}
    for column, prefix in PREFIXES.items():
        row = summary_row(error_summary(table[column].to_numpy()))
        metrics |= underprediction_metrics(row, prefix)
    metrics[N_CRYSTALS.name] = len(table)
    detail = BiasDetail(crystals=rows_of(table), settings=ComparisonSettings.of(table))
    behind = by_errors(table, metrics)
    return judged_crystals(
        UNDERPREDICTION, subject, metrics, detail, behind, tolerances, model, known
    )


def _ask(case: CrystalCase[SymmetryClass], **known: Unpack[AskedOfCrystals]) -> CaseResult:
    from symscape.questions.crystal_rows import without_zeros

    return judge_underprediction(
        without_zeros(case.table()), case.subject, case.tolerances, **known
    )


UNDERPREDICTION = Question(
    "underprediction",
    "Underprediction by symmetry",
    SymmetryClass,
    (
        *(metric for prefix in _OF for end in _ENDS for metric in _metrics(prefix, end)),
        N_CRYSTALS,
        FAILED_CRYSTALS,
    ),
    ask=_ask,
    detail=BiasDetail,
    scoring=Scoring(
        "bias",
        0.5,
        "energies above hull are not too low or too high, for each number of free parameters",
    ),
    place=100,
)
