"""The question of the relative energies: does the model's landscape follow DFT point by point?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.questions.case import CaseResult, Check
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

if TYPE_CHECKING:
    from symscape.landscape.align import AlignedGrid
    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.reference import LandscapeReference

#: meV/atom above the DFT minimum up to which the leaderboard scores
SCORED_WINDOW = 500.0
#: meV/atom; an error budget that a strict tolerance may come near to
NOTABLE_BUDGET = 2.0


def _ask(case: SliceCase, **known: Any) -> CaseResult:
    found = case.evaluation
    return judge_energies(
        case.reference,
        found.energies,
        case.tolerances,
        failures=found.failures,
        seconds=found.seconds,
        **known,
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
    from symscape.landscape.align import align
    from symscape.landscape.metrics import WINDOWS, metrics_by_window, window_key, worst_point

    limits = tolerances.case(
        ENERGIES.name, material=reference.material, slice=reference.slice.name, model=model
    ).no_tighter_than(reference.error_budget, ENERGIES)
    window = ENERGIES.setting("window", limits.settings) / 1000
    failed = _failed_points(reference, energies, failures or {})
    detail: dict[str, Any] = {"failed_points": failed, "warnings": reference_warnings(reference)}
    no_failure = Check("failed_points", float(len(failed)), (None, 0.0), "", not failed)
    unjudged = CaseResult(
        question=ENERGIES.name,
        model=model,
        material=reference.material,
        slice=reference.slice.name,
        status="error",
        checks=(no_failure,),
        energies=_nested(energies, reference.mask),
        detail=detail,
        fingerprint=fingerprint,
        seconds=seconds,
    )
    if not np.isfinite(energies[reference.minimum]):
        detail["message"] = (
            "the model gave no energy at the DFT minimum, so that there is no common zero"
        )
        return unjudged
    grid = align(reference.energies, energies, reference.valid)
    metrics = metrics_by_window(grid, tuple(sorted({*WINDOWS, window})))
    checks = (*limits.check(metrics[window_key(window)], ENERGIES), no_failure)
    detail["worst"] = describe_point(reference, grid, worst_point(grid, window))
    return replace(
        unjudged,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=checks,
        metrics={"window": window_key(window), "windows": metrics},
    )


def describe_point(
    reference: LandscapeReference, grid: AlignedGrid, index: tuple[int, int]
) -> dict[str, Any]:
    """Say where a grid point is, what DFT and model say there, and which atoms are closest."""
    from symscape.crystal.contacts import closest_contact

    flat = index[0] * reference.slice.shape[1] + index[1]
    contact = closest_contact(*reference.structures().arrays(flat))
    return {
        "index": list(index),
        "values": point_values(reference, index),
        "reference_meV": float(1000 * grid.reference[index]),
        "model_meV": float(1000 * grid.model[index]),
        "error_meV": float(1000 * grid.error[index]),
        "closest_pair": {
            "elements": list(contact.elements),
            "distance_A": float(contact.distance),
            "ratio": float(contact.ratio),
        },
    }


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
) -> list[dict[str, Any]]:
    lacking = np.argwhere(reference.valid & ~np.isfinite(energies))
    points = [(int(i), int(j)) for i, j in lacking]
    return [
        {
            "index": list(point),
            "values": point_values(reference, point),
            "reason": failures.get(point, "the model returned no finite energy"),
        }
        for point in points
    ]


def _nested(energies: np.ndarray, mask: np.ndarray) -> list[list[float | None]]:
    """Nested lists for JSON, micro-eV/atom precision, None where there is no energy."""
    known = np.isfinite(energies) & ~mask
    return [
        [round(float(e), 6) if ok else None for e, ok in zip(row, oks, strict=True)]
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
N_POINTS = Metric("n_points", "points compared", ideal=None, counts=True)
FAILED_POINTS = Metric("failed_points", "points without energy", counts=True)

ENERGIES = Question(
    "energies",
    "Relative energies",
    "slice",
    (
        MAE,
        Metric("rmse", "root-mean-square error", "meV/atom"),
        Metric(
            "max_error", "largest error", "meV/atom", on_board=True,
            score=Score(
                5.0, 250.0,
                "Half of the judged window: a point in its upper half then looks like one at the "
                "bottom. A single point of DFT may be off by a few meV/atom.",
            ),
        ),
        MEAN_SIGNED_ERROR,
        SHARE_UNDERPREDICTED,
        SOFTENING_SCALE,
        Metric(
            "spearman", "rank correlation", ideal=1.0, highest=1.0, on_board=True,
            score=Score(
                0.0, 0.5,
                "At 0.5 a third of all pairs of points is in the wrong order (of normally "
                "distributed energies, Kendall's tau is then 0.35).",
            ),
        ),
        Metric("shape_rmse", "shape error", "meV/atom"),
        N_POINTS,
        FAILED_POINTS,
    ),
    ask=_ask,
    settings={"window": 500.0},
    compares_energies=True,
    scoring=Scoring(
        "energies", 1.0,
        f"relative energies point by point, up to {SCORED_WINDOW:g} meV/atom above the DFT minimum",
        on_grid=True,
    ),
)  # fmt: skip
