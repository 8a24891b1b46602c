"""What the questions of minima, saddles and smoothness have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symscape.landscape.align import AlignedGrid, align
from symscape.landscape.environment import describe_points
from symscape.landscape.geometry import grid_geometry
from symscape.landscape.matching import TopologyComparison, compare_topology
from symscape.landscape.minima import Minimum, StationaryPoint
from symscape.questions.case import CaseResult
from symscape.questions.limits import CaseTolerances, LimitsByCase
from symscape.questions.question import Question
from symscape.references.reference import LandscapeReference

#: structures described in words for each case
MOST_DESCRIBED = 3


def compare_as_set(
    question: Question,
    reference: LandscapeReference,
    grid: AlignedGrid,
    limits: CaseTolerances,
) -> TopologyComparison:
    """Compare the topology of an aligned grid with the settings of a tolerance file."""
    given = limits.settings
    return compare_topology(
        grid.reference,
        grid.model,
        grid_geometry(reference.slice),
        threshold=question.setting("threshold", given) / 1000,
        radius=question.setting("radius", given),
        window=question.setting("window", given) / 1000,
    )


def begin(
    question: Question,
    reference: LandscapeReference,
    tolerances: LimitsByCase,
    model: str,
    fingerprint: str,
    seconds: float,
) -> tuple[CaseResult, CaseTolerances]:
    """Return a result without verdict, and the limits of the case."""
    blank = CaseResult(
        question.name,
        model,
        reference.material,
        reference.slice.name,
        "error",
        fingerprint=fingerprint,
        seconds=seconds,
    )
    limits = tolerances.case(
        question.name, material=blank.material, slice=blank.slice, model=blank.model
    ).no_tighter_than(reference.error_budget, question)
    return blank, limits


def judged(
    question: Question,
    blank: CaseResult,
    limits: CaseTolerances,
    metrics: dict[str, float],
    detail: dict[str, Any],
) -> CaseResult:
    """Return the verdict. A metric that is not defined because something is missing says nothing.

    What is missing is counted by a metric of its own.
    """
    own = {name: value for name, value in metrics.items() if name in question.units}
    checks = [check for check in limits.check(own, question) if check.value == check.value]
    return replace(
        blank,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=tuple(checks),
        metrics=own,
        detail=detail,
    )


def aligned(reference: LandscapeReference, energies: np.ndarray) -> AlignedGrid | None:
    """Bring both to one zero; None if the model has no energy at the DFT minimum."""
    if not np.isfinite(energies[reference.minimum]):
        return None
    return align(reference.energies, energies, reference.valid)


def no_zero(blank: CaseResult) -> CaseResult:
    """Return the result of a model without an energy at the DFT minimum."""
    message = "the model gave no energy at the DFT minimum, so that there is no common zero"
    return replace(blank, detail={"message": message})


def geometry_of(comparison: TopologyComparison) -> dict[str, Any]:
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


def place_of(reference: LandscapeReference, point: StationaryPoint) -> dict[str, Any]:
    """Say where a stationary point is, as reports need it; energy in meV/atom."""
    place: dict[str, Any] = {
        "index": list(point.index),
        "values": _values(reference, point),
        "energy_meV": 1000 * point.energy,
    }
    if isinstance(point, Minimum) and np.isfinite(point.persistence):
        place["persistence_meV"] = 1000 * point.persistence
    return place


def where(reference: LandscapeReference, point: StationaryPoint) -> str:
    """Say in words where a stationary point is."""
    values = _values(reference, point)
    return ", ".join(f"{name} = {value:.4f}" for name, value in values.items())


def environments_of(
    reference: LandscapeReference, minima: Sequence[Minimum]
) -> list[tuple[Minimum, str]]:
    """Describe the first few minima in words."""
    chosen = list(minima[:MOST_DESCRIBED])
    found = describe_points(reference.slice, [m.index for m in chosen], reference.minimum)
    return [(m, str(environment)) for m, environment in zip(chosen, found, strict=True)]
