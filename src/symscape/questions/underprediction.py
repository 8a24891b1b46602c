"""The question of the second paper: are the energies of a symmetry class too low?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import (
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
from symscape.questions.subjects import Subject, SymmetryClass
from symscape.science.hull.procedure import ComparisonSettings

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase

_BIAS_SCORE = Score(
    1.0, 70.0, "As the error above hull: a bias that is common to a class does not average out."
)
_OF = {"": "", "formation_": " of formation energies", "total_": " of total energies"}
#: columns of errors, and what begins the names of their metrics
PREFIXES = {"error_above_hull": "", "error_formation": "formation_", "error_total": "total_"}
_ENDS = {"": "", "_low": ", lower end", "_high": ", upper end"}


def _too_low(errors: np.ndarray) -> np.ndarray:
    from symscape.science.hull.statistics import too_low

    return too_low(errors)


#: metrics, and of which value of each error (meV/atom, shape (n,)) they are the mean
_MEANS: dict[Metric, Callable[[np.ndarray], np.ndarray]] = {
    MEAN_SIGNED_ERROR: lambda errors: errors,
    MAE: np.abs,
    SHARE_UNDERPREDICTED: _too_low,
}
#: the same by the metrics' names, as columns of tables
SUMMED = {metric.name: value for metric, value in _MEANS.items()}


def _metrics(prefix: str, end: str) -> tuple[Metric, ...]:
    """Return the metrics of one energy: the values, or one end of their bootstrap intervals."""
    judged = not prefix and not end
    return tuple(
        replace(
            metric,
            name=f"{prefix}{metric.name}{end}",
            title=f"{metric.title}{_OF[prefix]}{_ENDS[end]}",
            score=_BIAS_SCORE if judged and metric is MEAN_SIGNED_ERROR else None,
            on_board=judged and metric is MEAN_SIGNED_ERROR,
        )
        for metric in _MEANS
    )


@dataclass(frozen=True)
class BiasDetail(MadeBy):
    """What a case about a symmetry class keeps: its crystals, and what made their energies."""

    crystals: tuple[CrystalRow, ...] = ()


def underprediction_metrics(row: Mapping[Any, float], prefix: str) -> dict[str, float]:
    """Return the metrics of one kind of error.

    Parameters
    ----------
    row
        What `symscape.science.hull.statistics.error_summary` made with `SUMMED`.
    prefix
        As in `PREFIXES`.
    """
    names = (f"{name}{end}" for name in SUMMED for end in _ENDS)
    return {f"{prefix}{name}": row[name] for name in names}


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
    columns: dict[str, str] = {}
    for column, prefix in PREFIXES.items():
        found = underprediction_metrics(error_summary(table[column].to_numpy(), SUMMED), prefix)
        metrics |= found
        columns |= dict.fromkeys(found, column)
    metrics[N_CRYSTALS.name] = len(table)
    columns[N_CRYSTALS.name] = "error_above_hull"
    detail = BiasDetail(crystals=rows_of(table), settings=ComparisonSettings.of(table))
    behind = by_errors(table, columns)
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
