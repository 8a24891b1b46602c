"""The question of smoothness: steps, kinks and ripples that DFT does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symscape.questions.case import CaseResult
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

if TYPE_CHECKING:
    import numpy as np

    from symscape.contracts.result import ContractResult
    from symscape.contracts.scan import LineScan
    from symscape.landscape.align import AlignedGrid
    from symscape.landscape.smoothness import GridSmoothness
    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import CaseTolerances, LimitsByCase
    from symscape.references.reference import LandscapeReference


def judge_smoothness(
    reference: LandscapeReference,
    energies: np.ndarray,
    tolerances: LimitsByCase,
    *,
    scans: Sequence[LineScan],
    strained: ContractResult | None = None,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
) -> CaseResult:
    """Look for steps, kinks and ripples of the model's energy; as `judge_minima`.

    Parameters
    ----------
    scans
        Fine lines across the slice.
    strained
        The contract of smoothness, which strains the crystal.
    """
    import numpy as np

    from symscape.landscape.environment import describe_points
    from symscape.questions.topology import MOST_DESCRIBED, aligned, begin, judged, no_zero

    blank, limits = begin(SMOOTHNESS, reference, tolerances, model, fingerprint, seconds)
    grid = aligned(reference, energies)
    if grid is None:
        return no_zero(blank)
    rough = _grid_smoothness(reference, grid, limits)
    metrics = rough.metrics()
    metrics["max_jump"] = max(scan.jump for scan in scans)
    metrics["max_kink"] = max(scan.kink for scan in scans)
    metrics["max_ripple"] = max(scan.ripple for scan in scans)
    worst = max(scans, key=lambda scan: scan.jump)
    lines = [
        {"name": s.name, "jump_meV": s.jump, "kink_meV_A": s.kink, "ripple_meV": s.ripple}
        for s in scans
    ]
    detail: dict[str, Any] = {
        "lines": lines,
        "largest_jump_at": np.asarray(worst.values)[max(worst.jump_at, 0)].tolist(),
        "rough_points": [
            {
                "index": list(point.index),
                "direction": list(point.direction),
                "kind": point.kind,
                "excess_meV": point.excess,
                "score": point.score,
            }
            for point in rough.points
        ],
    }
    if strained is not None:
        detail["strained"] = strained.detail
        metrics["max_jump"] = max(metrics["max_jump"], strained.value)
        metrics["max_kink"] = max(metrics["max_kink"], strained.detail["kink"])
        metrics["max_ripple"] = max(metrics["max_ripple"], strained.detail["ripple"])
    worst_points = rough.points[:MOST_DESCRIBED]
    environments = describe_points(
        reference.slice, [p.index for p in worst_points], reference.minimum
    )
    detail["warnings"] = [
        f"{point.kind} at grid point {point.index}: {environment}"
        for point, environment in zip(worst_points, environments, strict=True)
    ]
    return judged(SMOOTHNESS, blank, limits, metrics, detail)


def grid_smoothness(
    reference: LandscapeReference, energies: np.ndarray, tolerances: LimitsByCase, *, model: str
) -> GridSmoothness | None:
    """Return the part of `judge_smoothness` that the grid decides; None without a common zero."""
    from symscape.questions.topology import aligned, begin

    _, limits = begin(SMOOTHNESS, reference, tolerances, model, "", 0.0)
    grid = aligned(reference, energies)
    return None if grid is None else _grid_smoothness(reference, grid, limits)


def _grid_smoothness(
    reference: LandscapeReference, grid: AlignedGrid, limits: CaseTolerances
) -> GridSmoothness:
    from symscape.landscape.geometry import grid_geometry
    from symscape.landscape.smoothness import compare_smoothness

    window = SMOOTHNESS.setting("window", limits.settings) / 1000
    geometry = grid_geometry(reference.slice)
    return compare_smoothness(grid.reference, grid.model, geometry, window=window)


def _ask(case: SliceCase, **known: Any) -> CaseResult:
    from symscape.contracts.scan import scan_slice, smoothness

    reference, potential = case.reference, case.potential

    def per_atom(values: np.ndarray) -> np.ndarray:
        structures = reference.slice.structures_at(values)
        return potential.energies(structures) / structures.n_atoms

    return judge_smoothness(
        reference,
        case.evaluation.energies,
        case.tolerances,
        scans=scan_slice(per_atom, reference.slice, reference.minimum_values),
        strained=smoothness(potential, reference.minimum_crystal),
        **known,
    )


SMOOTHNESS = Question(
    "smoothness",
    "Smoothness",
    "slice",
    (
        Metric(
            "rough_points", "rough points", counts=True,
            score=Score(0.0, 2.0, "One step that DFT does not have shows in two grid points."),
        ),
        Metric("max_roughness", "largest roughness"),
        Metric("max_excess", "largest excess", "meV/atom"),
        Metric(
            "max_jump", "largest jump", "meV/atom", on_board=True,
            score=Score(
                0.01, 5.0,
                "Single precision leaves 0.01; from 5 meV/atom on, a step makes wells of its own.",
                logarithmic=True,
            ),
        ),
        Metric(
            "max_kink", "largest kink", "meV/atom/angstrom", on_board=True,
            score=Score(
                2.0, 1000.0, "How those two jumps show in the slope, over the 0.005 Å of a step.",
                logarithmic=True,
            ),
        ),
        Metric("max_ripple", "largest ripple", "meV/atom"),
    ),
    ask=_ask,
    settings={"window": 1000.0},
    scoring=Scoring(
        "smooth", 1.0, "no steps, kinks or ripples that DFT does not have", on_grid=True
    ),
)  # fmt: skip
