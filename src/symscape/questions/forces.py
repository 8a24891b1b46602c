"""The question of the slopes: do forces along the axes of a slice agree with DFT's?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from symscape.questions.case import CaseResult
from symscape.questions.contracts import judge_metrics
from symscape.questions.known import AskedOf
from symscape.questions.measures import measured, number
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring
from symscape.questions.subjects import MaterialSlice

if TYPE_CHECKING:
    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.forces import ForceComparison


@dataclass(frozen=True)
class ForceArrows:
    """Forces per grid step in meV/atom, shape (n_u, n_v, 2), NaN where there are none."""

    reference: tuple[tuple[tuple[float, float], ...], ...]
    model: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class ForcesDetail:
    """What a case about forces keeps where figures want it: the forces of both."""

    arrows: ForceArrows


def judge_forces(
    reference: LandscapeReference,
    comparison: ForceComparison,
    tolerances: LimitsByCase,
    *,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
    arrows: bool = False,
) -> CaseResult:
    """Hold the model's forces along the axes against DFT's.

    Parameters
    ----------
    arrows
        Whether to keep the forces of both, for figures; in ``detail``, meV/atom per grid step.
    """
    from symscape.science.landscape.forces import spread_by_symmetry

    reference_forces, model_forces = comparison.known
    metrics = measured(OF_FORCES, reference_forces, model_forces)
    detail = None
    if arrows:
        sides = (comparison.reference, comparison.model)
        drawn = (_rounded(spread_by_symmetry(reference.slice, own.per_step)) for own in sides)
        detail = ForcesDetail(ForceArrows(*drawn))
    return judge_metrics(
        FORCES, reference, metrics, detail, tolerances, model, fingerprint, seconds
    )


def _rounded(forces: np.ndarray) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Nested tuples, rounded to 0.001 meV/atom."""
    return tuple(tuple((u, v) for u, v in row) for row in np.round(forces, 3).tolist())


def compared_window(material: str, slice: str, model: str, tolerances: LimitsByCase) -> float:
    """Return up to how many eV/atom above the DFT minimum forces are compared."""
    limits = tolerances.case(FORCES.name, material=material, slice=slice, model=model)
    return FORCES.setting("window", limits.settings) / 1000


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult | None:
    from symscape.science.landscape.forces import compare_forces

    if "forces" not in case.model.implements:
        return None
    reference = case.reference
    window = compared_window(
        reference.material, reference.slice.name, case.model.card.name, case.tolerances
    )
    comparison = compare_forces(reference, case.potential, window=window)
    if not comparison.compared:
        return None
    return judge_forces(reference, comparison, case.tolerances, arrows=case.arrows, **known)


def _relative_error(reference: np.ndarray, model: np.ndarray) -> float:
    square = float((reference**2).sum())
    return float(np.sqrt(((model - reference) ** 2).sum() / square)) if square > 0 else np.nan


def _slope_through_zero(reference: np.ndarray, model: np.ndarray) -> float:
    square = float((reference**2).sum())
    return float((reference * model).sum() / square) if square > 0 else np.nan


#: metrics, and what computes each of them from the forces of DFT and model along both axes:
#: meV/atom/angstrom, shape (n,)
OF_FORCES: dict[Metric, Callable[[np.ndarray, np.ndarray], float]] = {
    Metric("force_mae", "mean absolute force error", "meV/atom/angstrom"): (
        lambda reference, model: number(np.mean, np.abs(model - reference))
    ),
    Metric("force_rmse", "root-mean-square force error", "meV/atom/angstrom"): (
        lambda reference, model: float(np.sqrt(number(np.mean, (model - reference) ** 2)))
    ),
    Metric("max_force_error", "largest force error", "meV/atom/angstrom"): (
        lambda reference, model: number(np.max, np.abs(model - reference))
    ),
    Metric(
        "relative_force_error", "relative force error", on_board=True,
        score=Score(
            0.0, 1.0,
            "Root-mean-square error over root-mean-square force: 1 for a model that answers "
            "zero everywhere.",
        ),
    ): _relative_error,
    Metric(
        "force_softening", "softening scale of forces", ideal=1.0, on_board=True,
        score=Score(0.0, 0.5, "As the softening scale of the energies."),
    ): _slope_through_zero,
    Metric("n_forces", "forces compared", ideal=None, counts=True): (
        lambda reference, model: float(len(reference))
    ),
}  # fmt: skip

FORCES = Question(
    "forces",
    "Forces along the axes",
    MaterialSlice,
    (*OF_FORCES,),
    ask=_ask,
    detail=ForcesDetail,
    nothing="the model or DFT has no forces here",
    settings={"window": 500.0},
    needs=frozenset({"energy", "forces"}),
    scoring=Scoring("forces", 1.0, "slopes along the axes of the slice against DFT's forces"),
    place=40,
)  # fmt: skip
