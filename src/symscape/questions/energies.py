"""The question of the relative energies: does the model's landscape follow DFT point by point?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from symscape.questions.case import CaseResult, Check, Windows
from symscape.questions.detail import NO_ZERO
from symscape.questions.known import AskedOf
from symscape.questions.measures import measured
from symscape.questions.metric import Metric, Score
from symscape.questions.named_points import ClosestPair, FailedPoint, WorstPoint
from symscape.questions.notes import Notes
from symscape.questions.question import Question, Scoring
from symscape.questions.slices import FAILED_POINTS, begin, without_energy
from symscape.questions.subjects import MaterialSlice
from symscape.rounding import ENERGY_DECIMALS
from symscape.science.landscape.metrics import (
    WINDOWS,
    rank_correlation,
    root_mean_square_error,
    share_below,
    slope_through_zero,
    window_key,
    worst_point,
)

if TYPE_CHECKING:
    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.align import AlignedGrid

#: meV/atom above the DFT minimum up to which the leaderboard scores
SCORED_WINDOW = 500.0
#: meV/atom; an error budget that a strict tolerance may come near to
NOTABLE_BUDGET = 2.0


@dataclass(frozen=True)
class EnergiesDetail:
    """What a case about energies keeps for reports: points without an energy of the model."""

    failed_points: tuple[FailedPoint, ...] = ()


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult:
    found = case.evaluation
    known["seconds"] = found.seconds
    return judge_energies(
        case.reference, found.energies, case.tolerances, failures=found.failures, **known
    )


def judge_energies(
    reference: LandscapeReference,
    energies: np.ndarray,
    tolerances: LimitsByCase,
    *,
    model: str,
    failures: dict[tuple[int, int], str] | None = None,
    fingerprint: str = "",
    seconds: float = 0.0,
) -> CaseResult:
    """Compare a model's grid of energies with DFT and hold the metrics against the tolerances.

    Parameters
    ----------
    reference
        The slice and its DFT energies.
    energies
        The model's energies in eV/atom, shape (n_u, n_v); NaN where masked or failed.
    failures
        Reason for each grid point at which the model gave no energy. Any failure inside the
        reference's valid points fails the case.
    """
    from symscape.science.landscape.align import align

    blank, limits = begin(ENERGIES, reference, tolerances, model, fingerprint, seconds)
    window = ENERGIES.setting("window", limits.settings) / 1000
    failed = _failed_points(reference, energies, failures or {})
    notes = Notes(warnings=tuple(reference_warnings(reference)))
    no_failure = Check(FAILED_POINTS.name, float(len(failed)), (None, 0.0), "", not failed)
    unjudged = replace(
        blank,
        checks=(no_failure,),
        energies=_nested(energies, reference.mask),
        detail=EnergiesDetail(failed),
        notes=notes,
    )
    if not np.isfinite(energies[reference.minimum]):
        return replace(unjudged, notes=replace(notes, message=NO_ZERO))
    grid = align(reference.energies, energies, reference.valid)
    by_width = metrics_by_window(grid, tuple(sorted({*WINDOWS, window})))
    windows = Windows(window_key(window), by_width)
    checks = (*limits.check(windows.values, ENERGIES), no_failure)
    worst = describe_point(reference, grid, worst_point(grid, window))
    return replace(
        unjudged,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics=windows.values,
        windows=windows,
        notes=replace(notes, worst=worst),
    )


def points_without_energy(case: CaseResult) -> tuple[FailedPoint, ...]:
    """Return the grid points of which the model gave no energy; none for other questions."""
    kept = case.kept(EnergiesDetail)
    return kept.failed_points if kept else ()


def pointwise_metrics(grid: AlignedGrid, window: float) -> dict[str, float]:
    """Return every pointwise metric over one energy window.

    Parameters
    ----------
    grid
        Aligned energies.
    window
        Points up to this many eV/atom above the DFT minimum count.
    """
    inside = grid.window(window)
    reference, model = grid.reference[inside], grid.model[inside]
    return measured(POINTWISE, reference, model)


def metrics_by_window(
    grid: AlignedGrid, windows: tuple[float, ...] = WINDOWS
) -> dict[str, dict[str, float]]:
    """Return the pointwise metrics of several windows, keyed by width in meV/atom."""
    return {window_key(w): pointwise_metrics(grid, w) for w in windows}


def describe_point(
    reference: LandscapeReference, grid: AlignedGrid, index: tuple[int, int]
) -> WorstPoint:
    """Say where a grid point is, what DFT and model say there, and which atoms are closest."""
    from symscape.crystal.contacts import closest_contact

    flat = index[0] * reference.slice.shape[1] + index[1]
    contact = closest_contact(*reference.structures().arrays(flat))
    first, second = contact.elements
    return WorstPoint(
        index,
        point_values(reference, index),
        float(1000 * grid.reference[index]),
        float(1000 * grid.model[index]),
        float(1000 * grid.error[index]),
        ClosestPair((first, second), float(contact.distance), float(contact.ratio)),
    )


def point_values(reference: LandscapeReference, index: tuple[int, int]) -> dict[str, float]:
    """Values of the slice's axes at a grid point."""
    return {
        axis.name: float(axis.values[k])
        for axis, k in zip(reference.slice.axes, index, strict=True)
    }


def reference_warnings(reference: LandscapeReference) -> list[str]:
    """Say what a reader should know about a reference before trusting a comparison with it."""
    warnings = []
    i, j = reference.minimum
    shape = reference.energies.shape
    on_edge = [
        axis.name
        for axis, k, n in zip(reference.slice.axes, (i, j), shape, strict=True)
        if k in (0, n - 1) and axis.period is None
    ]
    if reference.kind == "local" and on_edge:
        warnings.append(
            f"the DFT minimum lies on the edge of the grid along {' and '.join(on_edge)}: "
            "the common zero may be a strained point"
        )
    if reference.convergence is None:
        warnings.append("the convergence of the DFT energies was not checked")
    elif reference.error_budget >= NOTABLE_BUDGET:
        warnings.append(
            f"DFT's own relative energies are known within {reference.error_budget:.1f} meV/atom; "
            "no tolerance is tighter than that"
        )
    missing = int((~reference.valid & ~reference.mask).sum())
    if missing:
        warnings.append(f"{missing} of {reference.energies.size} points have no DFT energy yet")
    return warnings


def _failed_points(
    reference: LandscapeReference,
    energies: np.ndarray,
    failures: dict[tuple[int, int], str],
) -> tuple[FailedPoint, ...]:
    lacking = np.argwhere(without_energy(reference, energies))
    points = [(int(i), int(j)) for i, j in lacking]
    unknown = "the model returned no finite energy"
    return tuple(
        FailedPoint(point, point_values(reference, point), failures.get(point, unknown))
        for point in points
    )


def _nested(energies: np.ndarray, mask: np.ndarray) -> list[list[float | None]]:
    """Nested lists for JSON, None where there is no energy."""
    known = np.isfinite(energies) & ~mask
    return [
        [round(float(e), ENERGY_DECIMALS) if ok else None for e, ok in zip(row, oks, strict=True)]
        for row, oks in zip(energies, known, strict=True)
    ]


MAE = Metric(
    "mae", "mean absolute error", "meV/atom", on_board=True,
    score=Score(
        1.0, 70.0,
        "The references are converged to 1 meV/atom. Nine of ten known metastable crystals "
        "lie within 67 meV/atom of the stable one (Sun et al., Sci. Adv. 2, e1600225 "
        "(2016)): an error of that size cannot tell what can be made from what cannot.",
    ),
)  # fmt: skip
MEAN_SIGNED_ERROR = Metric(
    "mean_signed_error", "mean signed error", "meV/atom", signed=True, on_board=True
)
# half of the points of a model without bias are too low, by however little
SHARE_UNDERPREDICTED = Metric(
    "share_underpredicted", "share underpredicted", ideal=None, on_board=True
)
SOFTENING_SCALE = Metric(
    "softening_scale", "softening scale", ideal=1.0, on_board=True,
    score=Score(0.0, 0.5, "Frequencies go with its root: at 0.5 they are 30 % too low."),
)  # fmt: skip
SPEARMAN = Metric(
    "spearman", "rank correlation", ideal=1.0, highest=1.0, on_board=True,
    score=Score(
        0.0, 0.5,
        "At 0.5 a third of all pairs of points is in the wrong order (of normally "
        "distributed energies, Kendall's tau is then 0.35).",
    ),
)  # fmt: skip
N_POINTS = Metric("n_points", "points compared", ideal=None, counts=True)


def _mean_absolute_error(reference: np.ndarray, model: np.ndarray) -> float:
    return float(1000 * np.abs(model - reference).mean())


def _largest_error(reference: np.ndarray, model: np.ndarray) -> float:
    return float(1000 * np.abs(model - reference).max())


def _mean_error(reference: np.ndarray, model: np.ndarray) -> float:
    """Negative means underprediction."""
    return float(1000 * (model - reference).mean())


def _spread_of_errors(reference: np.ndarray, model: np.ndarray) -> float:
    """Leave the best constant out: this does not hang on the one point that is the zero."""
    return float(1000 * np.std(model - reference))


def _count(reference: np.ndarray, model: np.ndarray) -> float:
    return float(len(reference))


#: pointwise metrics, and what computes each of them from the energies of DFT and model at the
#: points of an energy window: eV/atom above the common zero, shape (n,)
POINTWISE: dict[Metric, Callable[[np.ndarray, np.ndarray], float]] = {
    MAE: _mean_absolute_error,
    Metric("rmse", "root-mean-square error", "meV/atom"): root_mean_square_error,
    Metric(
        "max_error", "largest error", "meV/atom", on_board=True,
        score=Score(
            5.0, 250.0,
            "Half of the judged window: a point in its upper half then looks like one at the "
            "bottom. A single point of DFT may be off by a few meV/atom.",
        ),
    ): _largest_error,
    MEAN_SIGNED_ERROR: _mean_error,
    SHARE_UNDERPREDICTED: share_below,
    SOFTENING_SCALE: slope_through_zero,
    SPEARMAN: rank_correlation,
    Metric("shape_rmse", "shape error", "meV/atom"): _spread_of_errors,
    N_POINTS: _count,
}  # fmt: skip

ENERGIES = Question(
    "energies",
    "Relative energies",
    MaterialSlice,
    (*POINTWISE, FAILED_POINTS),
    ask=_ask,
    detail=EnergiesDetail,
    settings={"window": 500.0},
    compares_energies=True,
    scoring=Scoring(
        "energies", 1.0,
        f"relative energies point by point, up to {SCORED_WINDOW:g} meV/atom above the DFT minimum",
        on_grid=True,
    ),
    place=10,
)  # fmt: skip
