"""What the questions of minima, saddles and smoothness have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from symscape.questions.case import CaseResult, Check
from symscape.questions.detail import NO_ZERO
from symscape.questions.limits import CaseTolerances
from symscape.questions.named_points import GridDetail, Place
from symscape.questions.notes import Notes
from symscape.questions.question import Question
from symscape.references.reference import LandscapeReference
from symscape.science.landscape.align import AlignedGrid, align
from symscape.science.landscape.environment import describe_points
from symscape.science.landscape.geometry import grid_geometry
from symscape.science.landscape.matching import TopologyComparison, compare_topology
from symscape.science.landscape.minima import Minimum, StationaryPoint

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: structures described in words for each case
MOST_DESCRIBED = 3


def compare_as_set(
    question: Question,
    reference: LandscapeReference,
    energies: np.ndarray,
    limits: CaseTolerances,
) -> TopologyComparison | None:
    """Compare the topology of DFT and model with the settings of a tolerance file.

    Returns
    -------
    TopologyComparison or None
        None if the model has no energy at the DFT minimum.
    """
    grid, given = aligned(reference, energies), limits.settings
    if grid is None:
        return None
    return compare_topology(
        grid.reference,
        grid.model,
        grid_geometry(reference.slice),
        threshold=question.setting("threshold", given) / 1000,
        radius=question.setting("radius", given),
        window=question.setting("window", given) / 1000,
    )


def judged(
    question: Question,
    blank: CaseResult,
    limits: CaseTolerances,
    metrics: Mapping[str, float],
    detail: DataclassInstance,
    warnings: tuple[str, ...] | None = None,
    *,
    gaps: tuple[Check, ...],
) -> CaseResult:
    """Return the verdict.

    A metric that is not defined because something is missing says nothing: what is missing is
    counted by a metric of its own.

    Parameters
    ----------
    detail
        A dataclass of the question's.
    gaps
        Of the grid: `symscape.questions.slices.check_gaps`.
    """
    checks = [check for check in limits.check(metrics, question) if check.value == check.value]
    checks += gaps
    return replace(
        blank,
        status="passed" if all(check.passed for check in checks) else "failed",
        checks=tuple(checks),
        metrics=metrics,
        detail=detail,
        notes=Notes(warnings=warnings),
    )


def aligned(reference: LandscapeReference, energies: np.ndarray) -> AlignedGrid | None:
    """Bring both to one zero; None if the model has no energy at the DFT minimum."""
    if not np.isfinite(energies[reference.minimum]):
        return None
    return align(reference.energies, energies, reference.valid)


def no_zero(blank: CaseResult) -> CaseResult:
    """Return the result of a model without an energy at the DFT minimum."""
    return replace(blank, notes=Notes(message=NO_ZERO))


def geometry_of(comparison: TopologyComparison) -> GridDetail:
    """Return what a report needs to draw minima, saddles and paths from the grids alone."""
    geometry = comparison.reference.geometry
    metric = tuple((float(u), float(v)) for u, v in geometry.metric)
    return GridDetail(metric, geometry.periods, 1000 * comparison.reference.threshold)


def _values(reference: LandscapeReference, point: StationaryPoint) -> dict[str, float]:
    """Axis values of a place between grid points."""
    return {
        axis.name: axis.start + k * (axis.stop - axis.start) / (axis.points - 1)
        for axis, k in zip(reference.slice.axes, point.position, strict=True)
    }


def place_of(reference: LandscapeReference, point: StationaryPoint) -> Place:
    """Say where a stationary point is, as reports need it."""
    deep = isinstance(point, Minimum) and np.isfinite(point.persistence)
    return Place(
        point.index,
        _values(reference, point),
        1000 * point.energy,
        1000 * point.persistence if isinstance(point, Minimum) and deep else None,
    )


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
