"""The question of the minima: are DFT's wells there, in their places, and no others?"""

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
class JudgedMinimum:
    """A minimum of DFT, of the model, or a matched pair of them.

    Parameters
    ----------
    kind
        ``matched``, ``missing``, ``spurious``; of the latter two those on the grid's edge apart.
    reference, model
        Where it is on both surfaces.
    displacement_A, depth_error_meV
        Of a pair: angstrom and meV/atom.
    curvatures_reference, curvatures_model
        Of a pair: principal curvatures.
    """

    kind: str
    reference: Place | None = None
    model: Place | None = None
    displacement_A: float | None = None
    depth_error_meV: float | None = None
    curvatures_reference: tuple[float, ...] | None = None
    curvatures_model: tuple[float, ...] | None = None


@dataclass(frozen=True)
class MinimaDetail:
    """What a case about minima keeps for reports."""

    geometry: GridDetail | None = None
    minima: tuple[JudgedMinimum, ...] = ()


def judge_minima(
    reference: LandscapeReference,
    energies: np.ndarray,
    tolerances: LimitsByCase,
    *,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
) -> CaseResult:
    """Hold the model's minima against DFT's.

    Parameters
    ----------
    reference
        The slice and its DFT energies.
    energies
        The model's energies in eV/atom, shape (n_u, n_v); NaN where masked or failed.
    """
    from symscape.questions.topology import (
        compare_as_set,
        environments_of,
        geometry_of,
        judged,
        no_zero,
        place_of,
        where,
    )

    blank, limits = begin(MINIMA, reference, tolerances, model, fingerprint, seconds)
    comparison = compare_as_set(MINIMA, reference, energies, limits)
    if comparison is None:
        return no_zero(blank)
    rows = [
        JudgedMinimum(
            "matched",
            place_of(reference, pair.reference),
            place_of(reference, pair.model),
            pair.displacement,
            pair.depth_error,
            tuple(pair.curvatures_reference),
            tuple(pair.curvatures_model),
        )
        for pair in comparison.matched
    ]
    for kind, minima in (
        ("missing", comparison.missing),
        ("spurious", comparison.spurious),
        ("missing on the edge", comparison.edge_missing),
        ("spurious on the edge", comparison.edge_spurious),
    ):
        for place in (place_of(reference, minimum) for minimum in minima):
            own = kind.startswith("spurious")
            rows.append(
                JudgedMinimum(kind, model=place) if own else JudgedMinimum(kind, reference=place)
            )
    warnings = tuple(
        f"{kind} minimum at {where(reference, m)}: {environment}"
        for kind, minima in (("missing", comparison.missing), ("spurious", comparison.spurious))
        for m, environment in environments_of(reference, minima)
    )
    detail = MinimaDetail(geometry_of(comparison), tuple(rows))
    gaps = check_gaps(reference, energies)
    return judged(
        MINIMA, blank, limits, measured(OF_MINIMA, comparison), detail, warnings, gaps=gaps
    )


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult:
    return judge_minima(case.reference, case.evaluation.energies, case.tolerances, **known)


def _largest_shift(found: TopologyComparison) -> float:
    return number(np.max, np.array([m.displacement for m in found.matched]))


def _largest_depth_error(found: TopologyComparison) -> float:
    return number(np.max, np.abs([m.depth_error for m in found.matched]))


MATCHED_MINIMA = Metric("matched_minima", "matched minima", ideal=None, counts=True)
#: metrics, and what computes each of them from the compared surfaces
OF_MINIMA: dict[Metric, Callable[[TopologyComparison], float]] = {
    Metric(
        "missing_minima", "missing minima", counts=True, on_board=True,
        score=Score(0.0, 1.0, "For such a model a phase does not exist."),
    ): lambda found: float(len(found.missing)),
    Metric(
        "spurious_minima", "spurious minima", counts=True, on_board=True,
        score=Score(0.0, 1.0, "A relaxation can end in a phase that does not exist."),
    ): lambda found: float(len(found.spurious)),
    MATCHED_MINIMA: lambda found: float(len(found.matched)),
    Metric(
        "max_displacement", "largest shift of a minimum", "angstrom", on_board=True,
        score=Score(
            0.01, 0.25,
            "Relaxations are converged to about 0.01 Å; minima 0.25 Å apart count as different "
            "ones.",
        ),
    ): _largest_shift,
    Metric(
        "max_depth_error", "largest depth error", "meV/atom", on_board=True,
        score=Score(1.0, 70.0, "As the mean absolute error of the energies."),
    ): _largest_depth_error,
    Metric("min_curvature_ratio", "smallest curvature ratio", ideal=1.0): (
        lambda found: number(np.min, found.softenings)
    ),
    Metric("max_curvature_ratio", "largest curvature ratio", ideal=1.0): (
        lambda found: number(np.max, found.softenings)
    ),
    Metric("bottleneck", "bottleneck distance", "meV/atom"): lambda found: found.bottleneck_meV,
    Metric("wasserstein", "Wasserstein distance", "meV/atom"): lambda found: found.wasserstein_meV,
}  # fmt: skip

MINIMA = Question(
    "minima",
    "Minima",
    MaterialSlice,
    (*OF_MINIMA, FAILED_POINTS),
    ask=_ask,
    detail=MinimaDetail,
    settings={"window": 1000.0, "threshold": 5.0, "radius": 0.25},
    compares_energies=True,
    scoring=Scoring(
        "minima", 1.0, "the minima of DFT, at their places and energies, and no others",
        on_grid=True,
    ),
    place=20,
)  # fmt: skip
