"""The question of the barriers between minima."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from symscape.questions.case import CaseResult
from symscape.questions.known import AskedOf
from symscape.questions.measures import measured, number
from symscape.questions.metric import Metric, Score
from symscape.questions.named_points import GridDetail, Place
from symscape.questions.question import Question, Scoring
from symscape.questions.slices import FAILED_POINTS, begin, check_gaps
from symscape.questions.subjects import MaterialSlice

if TYPE_CHECKING:
    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.matching import TopologyComparison


@dataclass(frozen=True)
class JudgedSaddle:
    """A saddle of both surfaces between two matched minima.

    Parameters
    ----------
    between
        The two minima of DFT.
    reference, model
        Where it is on both surfaces.
    energy_error_meV, barrier_error_meV
        meV/atom.
    displacement_A
        angstrom.
    """

    between: tuple[Place, ...]
    reference: Place
    model: Place
    energy_error_meV: float
    barrier_error_meV: float
    displacement_A: float


@dataclass(frozen=True)
class SaddlesDetail:
    """What a case about saddles keeps for reports."""

    geometry: GridDetail | None = None
    saddles: tuple[JudgedSaddle, ...] = ()


def judge_saddles(
    reference: LandscapeReference,
    energies: np.ndarray,
    tolerances: LimitsByCase,
    *,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
) -> CaseResult | None:
    """Hold the barriers between the model's minima against DFT's; as `judge_minima`.

    Returns
    -------
    CaseResult or None
        None if DFT has no saddle between two minima that count.
    """
    from symscape.questions.topology import (
        compare_as_set,
        geometry_of,
        judged,
        no_zero,
        place_of,
    )

    blank, limits = begin(SADDLES, reference, tolerances, model, fingerprint, seconds)
    comparison = compare_as_set(SADDLES, reference, energies, limits)
    if comparison is None:
        return no_zero(blank)
    if not comparison.expected_saddles:
        return None
    saddles = tuple(
        JudgedSaddle(
            tuple(place_of(reference, comparison.matched[k].reference) for k in saddle.minima),
            place_of(reference, saddle.reference),
            place_of(reference, saddle.model),
            saddle.energy_error,
            saddle.barrier_error,
            saddle.displacement,
        )
        for saddle in comparison.saddles
    )
    detail = SaddlesDetail(geometry_of(comparison), saddles)
    gaps = check_gaps(reference, energies)
    return judged(SADDLES, blank, limits, measured(OF_SADDLES, comparison), detail, gaps=gaps)


def _barrier_errors(found: TopologyComparison) -> np.ndarray:
    return np.array([s.barrier_error for s in found.saddles])


def _largest_saddle_error(found: TopologyComparison) -> float:
    return number(np.max, np.abs([s.energy_error for s in found.saddles]))


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult | None:
    return judge_saddles(case.reference, case.evaluation.energies, case.tolerances, **known)


MAX_BARRIER_ERROR = Metric(
    "max_barrier_error", "largest barrier error", "meV/atom", on_board=True,
    score=Score(
        1.0, 50.0,
        "In a cell of six atoms at room temperature each 10 meV/atom change rates tenfold: at 50 "
        "they are off by five orders of magnitude.",
    ),
)  # fmt: skip

#: metrics, and what computes each of them from the compared surfaces
OF_SADDLES: dict[Metric, Callable[[TopologyComparison], float]] = {
    Metric(
        "missing_saddles", "missing saddles", counts=True,
        score=Score(0.0, 1.0, "A transition that does not exist for the model."),
    ): lambda found: float(found.lost_saddles),
    Metric("matched_saddles", "matched saddles", ideal=None, counts=True): (
        lambda found: float(len(found.saddles))
    ),
    MAX_BARRIER_ERROR: lambda found: number(np.max, np.abs(_barrier_errors(found))),
    Metric("mean_barrier_error", "mean barrier error", "meV/atom", signed=True): (
        lambda found: number(np.mean, _barrier_errors(found))
    ),
    Metric("max_saddle_error", "largest saddle error", "meV/atom"): _largest_saddle_error,
}  # fmt: skip

SADDLES = Question(
    "saddles",
    "Saddles and barriers",
    MaterialSlice,
    (*OF_SADDLES, FAILED_POINTS),
    ask=_ask,
    detail=SaddlesDetail,
    nothing="DFT has no saddle between two minima here",
    settings={"window": 1000.0, "threshold": 5.0, "radius": 0.25},
    compares_energies=True,
    scoring=Scoring("saddles", 1.0, "the barriers between the minima", on_grid=True),
    place=30,
)  # fmt: skip
