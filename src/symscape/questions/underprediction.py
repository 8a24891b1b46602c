"""The question of the second paper: are the energies of a symmetry class too low?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symscape.questions.case import CaseResult
from symscape.questions.crystals import (
    ALL_CRYSTALS,
    FAILED_CRYSTALS,
    N_CRYSTALS,
    by_errors,
    judged_crystals,
    rows_of,
)
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase

_BIAS_SCORE = Score(
    1.0, 70.0, "As the error above hull: a bias that is common to a class does not average out."
)
_OF = {"": "", "formation_": " of formation energies", "total_": " of total energies"}
_ENDS = {"": "", "_low": ", lower end", "_high": ", upper end"}


def _metrics(prefix: str, end: str) -> tuple[Metric, ...]:
    """Return three metrics of one energy: the value, or one end of its bootstrap interval."""
    words = f"{_OF[prefix]}{_ENDS[end]}"
    judged = not prefix and not end
    return (
        Metric(
            f"{prefix}mean_signed_error{end}", f"mean signed error{words}", "meV/atom",
            signed=True, score=_BIAS_SCORE if judged else None, on_board=judged,
        ),
        Metric(f"{prefix}mae{end}", f"mean absolute error{words}", "meV/atom"),
        Metric(f"{prefix}share_underpredicted{end}", f"share underpredicted{words}", ideal=None),
    )  # fmt: skip


def judge_underprediction(
    table: pd.DataFrame, name: str, tolerances: LimitsByCase, *, model: str, **known: Any
) -> CaseResult:
    """Judge the bias of one symmetry class.

    Parameters
    ----------
    table
        The class's rows of what `symscape.hull.analysis.compare` returned.
    name
        Column and class: ``n_wyckoff-3-4``.
    """
    from symscape.hull.statistics import error_summary

    metrics: dict[str, float] = {}
    for prefix, column in (
        ("", "error_above_hull"),
        ("formation_", "error_formation"),
        ("total_", "error_total"),
    ):
        summary = error_summary(table[column].to_numpy())
        metrics |= {f"{prefix}{key}": value for key, value in summary.items() if key != "n"}
    metrics["n_crystals"] = len(table)
    detail = {"crystals": rows_of(table), "settings": table.attrs.get("settings", {})}
    detail["behind"] = by_errors(table, metrics)
    return judged_crystals(
        UNDERPREDICTION, ALL_CRYSTALS, name, metrics, detail, tolerances, model, known
    )


def _ask(case: CrystalCase, **known: Any) -> CaseResult:
    from symscape.questions.crystal_rows import without_zeros

    return judge_underprediction(without_zeros(case.table()), case.name, case.tolerances, **known)


UNDERPREDICTION = Question(
    "underprediction",
    "Underprediction by symmetry",
    "symmetry_class",
    (
        *(metric for prefix in _OF for end in _ENDS for metric in _metrics(prefix, end)),
        N_CRYSTALS,
        FAILED_CRYSTALS,
    ),
    ask=_ask,
    scoring=Scoring(
        "bias",
        0.5,
        "energies above hull are not too low or too high, for each number of free parameters",
    ),
)
