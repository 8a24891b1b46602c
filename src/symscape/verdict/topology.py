"""Minima, saddles and smoothness: questions to a grid that a mean error does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.landscape.align import AlignedGrid, align
from symscape.landscape.environment import describe_points
from symscape.landscape.geometry import grid_geometry
from symscape.landscape.matching import TopologyComparison, compare_topology
from symscape.landscape.minima import Minimum, StationaryPoint
from symscape.landscape.smoothness import compare_smoothness
from symscape.questions.case import CaseResult
from symscape.questions.minima import MINIMA
from symscape.questions.registry import QUESTIONS
from symscape.questions.smoothness import SMOOTHNESS
from symscape.references.reference import LandscapeReference
from symscape.verdict.tolerances import CaseTolerances, Tolerances

if TYPE_CHECKING:
    from symscape.contracts.result import ContractResult
    from symscape.contracts.scan import LineScan

#: structures described in words for each case
_MOST_DESCRIBED = 3


def judge_minima(
    reference: LandscapeReference,
    energies: np.ndarray,
    tolerances: Tolerances,
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
    blank, limits = _begin("minima", reference, tolerances, model, fingerprint, seconds)
    grid = _aligned(reference, energies)
    if grid is None:
        return _no_zero(blank)
    comparison = compare(reference, grid, limits)
    described: dict[str, Any] = {"geometry": _geometry(comparison)}
    described["minima"] = [
        {
            "kind": "matched",
            "reference": _place(reference, pair.reference),
            "model": _place(reference, pair.model),
            "displacement_A": pair.displacement,
            "depth_error_meV": pair.depth_error,
            "curvatures_reference": list(pair.curvatures_reference),
            "curvatures_model": list(pair.curvatures_model),
        }
        for pair in comparison.matched
    ]
    for kind, minima in (
        ("missing", comparison.missing),
        ("spurious", comparison.spurious),
        ("missing on the edge", comparison.edge_missing),
        ("spurious on the edge", comparison.edge_spurious),
    ):
        side = "model" if kind.startswith("spurious") else "reference"
        described["minima"] += [{"kind": kind, side: _place(reference, m)} for m in minima]
    warnings = [
        f"{kind} minimum at {_where(reference, m)}: {environment}"
        for kind, minima in (("missing", comparison.missing), ("spurious", comparison.spurious))
        for m, environment in _environments(reference, minima)
    ]
    return _judged(blank, limits, comparison.metrics(), {**described, "warnings": warnings})


def judge_saddles(
    reference: LandscapeReference,
    energies: np.ndarray,
    tolerances: Tolerances,
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
    blank, limits = _begin("saddles", reference, tolerances, model, fingerprint, seconds)
    grid = _aligned(reference, energies)
    if grid is None:
        return _no_zero(blank)
    comparison = compare(reference, grid, limits)
    if not comparison.expected_saddles:
        return None
    saddles = [
        {
            "between": [_place(reference, comparison.matched[k].reference) for k in saddle.minima],
            "reference": _place(reference, saddle.reference),
            "model": _place(reference, saddle.model),
            "energy_error_meV": saddle.energy_error,
            "barrier_error_meV": saddle.barrier_error,
            "displacement_A": saddle.displacement,
        }
        for saddle in comparison.saddles
    ]
    detail = {"geometry": _geometry(comparison), "saddles": saddles}
    return _judged(blank, limits, comparison.metrics(), detail)


def judge_smoothness(
    reference: LandscapeReference,
    energies: np.ndarray,
    tolerances: Tolerances,
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
    blank, limits = _begin("smoothness", reference, tolerances, model, fingerprint, seconds)
    grid = _aligned(reference, energies)
    if grid is None:
        return _no_zero(blank)
    window = SMOOTHNESS.setting("window", limits.settings) / 1000
    rough = compare_smoothness(
        grid.reference, grid.model, grid_geometry(reference.slice), window=window
    )
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
    worst_points = rough.points[:_MOST_DESCRIBED]
    environments = describe_points(
        reference.slice, [p.index for p in worst_points], reference.minimum
    )
    detail["warnings"] = [
        f"{point.kind} at grid point {point.index}: {environment}"
        for point, environment in zip(worst_points, environments, strict=True)
    ]
    return _judged(blank, limits, metrics, detail)


def compare(
    reference: LandscapeReference, grid: AlignedGrid, limits: CaseTolerances
) -> TopologyComparison:
    """Compare the topology of an aligned grid with the settings of a tolerance file."""
    given = limits.settings
    return compare_topology(
        grid.reference,
        grid.model,
        grid_geometry(reference.slice),
        threshold=MINIMA.setting("threshold", given) / 1000,
        radius=MINIMA.setting("radius", given),
        window=MINIMA.setting("window", given) / 1000,
    )


def _begin(
    question: str,
    reference: LandscapeReference,
    tolerances: Tolerances,
    model: str,
    fingerprint: str,
    seconds: float,
) -> tuple[CaseResult, CaseTolerances]:
    """Return a result without verdict, and the limits of the case."""
    blank = CaseResult(
        question,
        model,
        reference.material,
        reference.slice.name,
        "error",
        fingerprint=fingerprint,
        seconds=seconds,
    )
    limits = tolerances.case(
        question, material=blank.material, slice=blank.slice, model=blank.model
    ).no_tighter_than(reference.error_budget, QUESTIONS[question])
    return blank, limits


def _judged(
    blank: CaseResult, limits: CaseTolerances, metrics: dict[str, float], detail: dict[str, Any]
) -> CaseResult:
    """Return the verdict. A metric that is not defined because something is missing says nothing.

    What is missing is counted by a metric of its own.
    """
    question = QUESTIONS[blank.question]
    own = {name: value for name, value in metrics.items() if name in question.units}
    checks = [check for check in limits.check(own, question) if check.value == check.value]
    return replace(
        blank,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=tuple(checks),
        metrics=own,
        detail=detail,
    )


def _aligned(reference: LandscapeReference, energies: np.ndarray) -> AlignedGrid | None:
    if not np.isfinite(energies[reference.minimum]):
        return None
    return align(reference.energies, energies, reference.valid)


def _no_zero(blank: CaseResult) -> CaseResult:
    message = "the model gave no energy at the DFT minimum, so that there is no common zero"
    return replace(blank, detail={"message": message})


def _geometry(comparison: TopologyComparison) -> dict[str, Any]:
    """Return what a report needs to draw minima, saddles and paths from the grids alone."""
    geometry = comparison.reference.geometry
    return {
        "metric_A2": geometry.metric.tolist(),
        "periods": list(geometry.periods),
        "threshold_meV": 1000 * comparison.reference.threshold,
    }


def _values(reference: LandscapeReference, point: StationaryPoint) -> dict[str, float]:
    """Axis values of a place between grid points."""
    return {
        axis.name: axis.start + k * (axis.stop - axis.start) / (axis.points - 1)
        for axis, k in zip(reference.slice.axes, point.position, strict=True)
    }


def _place(reference: LandscapeReference, point: StationaryPoint) -> dict[str, Any]:
    place: dict[str, Any] = {
        "index": list(point.index),
        "values": _values(reference, point),
        "energy_meV": 1000 * point.energy,
    }
    if isinstance(point, Minimum) and np.isfinite(point.persistence):
        place["persistence_meV"] = 1000 * point.persistence
    return place


def _where(reference: LandscapeReference, point: StationaryPoint) -> str:
    values = _values(reference, point)
    return ", ".join(f"{name} = {value:.4f}" for name, value in values.items())


def _environments(
    reference: LandscapeReference, minima: Sequence[Minimum]
) -> list[tuple[Minimum, str]]:
    """Describe the first few minima in words."""
    chosen = list(minima[:_MOST_DESCRIBED])
    found = describe_points(reference.slice, [m.index for m in chosen], reference.minimum)
    return [(m, str(environment)) for m, environment in zip(chosen, found, strict=True)]
