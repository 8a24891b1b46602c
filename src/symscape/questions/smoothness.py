"""The question of smoothness: steps, kinks and ripples that DFT does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from symscape.questions.case import CaseResult
from symscape.questions.known import AskedOf
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring
from symscape.questions.slices import FAILED_POINTS, begin, check_gaps
from symscape.questions.subjects import MaterialSlice
from symscape.science.contracts.details import Roughness

if TYPE_CHECKING:
    import numpy as np

    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import CaseTolerances, LimitsByCase
    from symscape.references.reference import LandscapeReference
    from symscape.science.contracts.result import ContractResult
    from symscape.science.contracts.scan import LineScan
    from symscape.science.landscape.align import AlignedGrid
    from symscape.science.landscape.smoothness import GridSmoothness

ROUGH_POINTS = Metric(
    "rough_points", "rough points", counts=True,
    score=Score(0.0, 2.0, "One step that DFT does not have shows in two grid points."),
)  # fmt: skip
MAX_ROUGHNESS = Metric("max_roughness", "largest roughness")
MAX_EXCESS = Metric("max_excess", "largest excess", "meV/atom")
MAX_JUMP = Metric(
    "max_jump", "largest jump", "meV/atom", on_board=True,
    score=Score(
        0.01, 5.0,
        "Single precision leaves 0.01; from 5 meV/atom on, a step makes wells of its own.",
        logarithmic=True,
    ),
)  # fmt: skip
MAX_KINK = Metric(
    "max_kink", "largest kink", "meV/atom/angstrom", on_board=True,
    score=Score(
        2.0, 1000.0, "How those two jumps show in the slope, over the 0.005 Å of a step.",
        logarithmic=True,
    ),
)  # fmt: skip
MAX_RIPPLE = Metric("max_ripple", "largest ripple", "meV/atom")


@dataclass(frozen=True)
class JudgedLine:
    """A fine line across the slice: its largest jump, kink and ripple."""

    name: str
    jump_meV: float
    kink_meV_A: float
    ripple_meV: float


@dataclass(frozen=True)
class JudgedPoint:
    """A rough grid point (`symscape.science.landscape.smoothness.RoughPoint`), in meV/atom."""

    index: tuple[int, int]
    direction: tuple[int, int]
    kind: str
    excess_meV: float
    score: float


@dataclass(frozen=True)
class SmoothnessDetail:
    """What a case about smoothness keeps for reports.

    Parameters
    ----------
    lines
        The fine lines.
    largest_jump_at
        Axis values at the largest jump.
    rough_points
        The worst first.
    strained
        What the contract of smoothness found; None where it was not asked.
    """

    lines: tuple[JudgedLine, ...] = ()
    largest_jump_at: tuple[float, ...] = ()
    rough_points: tuple[JudgedPoint, ...] = ()
    strained: Roughness | None = None


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

    from symscape.questions.topology import MOST_DESCRIBED, aligned, judged, no_zero
    from symscape.science.landscape.environment import describe_points

    blank, limits = begin(SMOOTHNESS, reference, tolerances, model, fingerprint, seconds)
    grid = aligned(reference, energies)
    if grid is None:
        return no_zero(blank)
    rough = _grid_smoothness(reference, grid, limits)
    metrics = grid_metrics(rough)
    metrics[MAX_JUMP.name] = max(scan.jump for scan in scans)
    metrics[MAX_KINK.name] = max(scan.kink for scan in scans)
    metrics[MAX_RIPPLE.name] = max(scan.ripple for scan in scans)
    worst = max(scans, key=lambda scan: scan.jump)
    on_strain: Roughness | None = None
    if strained is not None:
        assert isinstance(strained.detail, Roughness), "it is the contract of smoothness"
        on_strain = strained.detail
        metrics[MAX_JUMP.name] = max(metrics[MAX_JUMP.name], strained.value)
        metrics[MAX_KINK.name] = max(metrics[MAX_KINK.name], on_strain.kink)
        metrics[MAX_RIPPLE.name] = max(metrics[MAX_RIPPLE.name], on_strain.ripple)
    worst_points = rough.points[:MOST_DESCRIBED]
    environments = describe_points(
        reference.slice, [p.index for p in worst_points], reference.minimum
    )
    detail = SmoothnessDetail(
        lines=tuple(JudgedLine(s.name, s.jump, s.kink, s.ripple) for s in scans),
        largest_jump_at=tuple(np.asarray(worst.values)[max(worst.jump_at, 0)].tolist()),
        rough_points=tuple(
            JudgedPoint(point.index, point.direction, point.kind, point.excess, point.score)
            for point in rough.points
        ),
        strained=on_strain,
    )
    warnings = tuple(
        f"{point.kind} at grid point {point.index}: {environment}"
        for point, environment in zip(worst_points, environments, strict=True)
    )
    gaps = check_gaps(reference, energies)
    return judged(SMOOTHNESS, blank, limits, metrics, detail, warnings, gaps=gaps)


def grid_metrics(found: GridSmoothness) -> dict[str, float]:
    """Return the metrics that the grid decides."""
    return {
        ROUGH_POINTS.name: float(len(found.points)),
        MAX_ROUGHNESS.name: found.largest_score,
        MAX_EXCESS.name: found.largest_excess,
    }


def grid_smoothness(
    reference: LandscapeReference, energies: np.ndarray, tolerances: LimitsByCase, *, model: str
) -> GridSmoothness | None:
    """Return the part of `judge_smoothness` that the grid decides; None without a common zero."""
    from symscape.questions.topology import aligned

    _, limits = begin(SMOOTHNESS, reference, tolerances, model, "", 0.0)
    grid = aligned(reference, energies)
    return None if grid is None else _grid_smoothness(reference, grid, limits)


def _grid_smoothness(
    reference: LandscapeReference, grid: AlignedGrid, limits: CaseTolerances
) -> GridSmoothness:
    from symscape.science.landscape.geometry import grid_geometry
    from symscape.science.landscape.smoothness import compare_smoothness

    window = SMOOTHNESS.setting("window", limits.settings) / 1000
    geometry = grid_geometry(reference.slice)
    return compare_smoothness(grid.reference, grid.model, geometry, window=window)


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult:
    from symscape.science.contracts.scan import scan_slice, smoothness

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
    MaterialSlice,
    (ROUGH_POINTS, MAX_ROUGHNESS, MAX_EXCESS, MAX_JUMP, MAX_KINK, MAX_RIPPLE, FAILED_POINTS),
    ask=_ask,
    detail=SmoothnessDetail,
    settings={"window": 1000.0},
    scoring=Scoring(
        "smooth", 1.0, "no steps, kinks or ripples that DFT does not have", on_grid=True
    ),
    place=50,
)  # fmt: skip
