"""The question of the minima: are DFT's wells there, in their places, and no others?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from symscape.questions.case import CaseResult
from symscape.questions.known import AskedOf
from symscape.questions.metric import Metric, Score
from symscape.questions.points import GridDetail, Place
from symscape.questions.question import Question, Scoring
from symscape.questions.slices import begin
from symscape.questions.subjects import MaterialSlice

if TYPE_CHECKING:
    import numpy as np

    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.matching import TopologyErrors


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
    return judged(MINIMA, blank, limits, _metrics(comparison.errors), detail, warnings)


def _metrics(found: TopologyErrors) -> dict[str, float]:
    return {
        "missing_minima": found.minima_missing,
        "spurious_minima": found.minima_spurious,
        "matched_minima": found.minima_matched,
        "max_displacement": found.largest_shift_A,
        "max_depth_error": found.largest_depth_error_meV,
        "min_curvature_ratio": found.lowest_softening,
        "max_curvature_ratio": found.highest_softening,
        "bottleneck": found.bottleneck_meV,
        "wasserstein": found.wasserstein_meV,
    }


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult:
    return judge_minima(case.reference, case.evaluation.energies, case.tolerances, **known)


MINIMA = Question(
    "minima",
    "Minima",
    MaterialSlice,
    (
        Metric(
            "missing_minima", "missing minima", counts=True, on_board=True,
            score=Score(0.0, 1.0, "For such a model a phase does not exist."),
        ),
        Metric(
            "spurious_minima", "spurious minima", counts=True, on_board=True,
            score=Score(0.0, 1.0, "A relaxation can end in a phase that does not exist."),
        ),
        Metric("matched_minima", "matched minima", ideal=None, counts=True),
        Metric(
            "max_displacement", "largest shift of a minimum", "angstrom", on_board=True,
            score=Score(
                0.01, 0.25,
                "Relaxations are converged to about 0.01 Å; minima 0.25 Å apart count as different "
                "ones.",
            ),
        ),
        Metric(
            "max_depth_error", "largest depth error", "meV/atom", on_board=True,
            score=Score(1.0, 70.0, "As the mean absolute error of the energies."),
        ),
        Metric("min_curvature_ratio", "smallest curvature ratio", ideal=1.0),
        Metric("max_curvature_ratio", "largest curvature ratio", ideal=1.0),
        Metric("bottleneck", "bottleneck distance", "meV/atom"),
        Metric("wasserstein", "Wasserstein distance", "meV/atom"),
    ),
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
