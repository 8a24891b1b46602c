"""Grid points that a verdict names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClosestPair:
    """The two atoms that are closest for their covalent radii.

    Parameters
    ----------
    elements
        Chemical symbols.
    distance_A
        Angstrom.
    ratio
        Distance over the sum of the covalent radii.
    """

    elements: tuple[str, str]
    distance_A: float
    ratio: float


@dataclass(frozen=True)
class WorstPoint:
    """Where the largest error of a case is.

    Parameters
    ----------
    index
        Grid indices.
    values
        Name of each axis to its value there.
    reference_meV, model_meV, error_meV
        meV/atom above the common zero.
    closest_pair
        What the structure looks like.
    """

    index: tuple[int, int]
    values: dict[str, float]
    reference_meV: float
    model_meV: float
    error_meV: float
    closest_pair: ClosestPair | None = None


@dataclass(frozen=True)
class FailedPoint:
    """A grid point for which the model gave no energy, and why."""

    index: tuple[int, int]
    values: dict[str, float]
    reason: str


@dataclass(frozen=True)
class Place:
    """Where a stationary point is.

    Parameters
    ----------
    index
        The nearest grid point.
    values
        Name of each axis to its value there, between grid points.
    energy_meV, persistence_meV
        meV/atom; a surface's lowest minimum has no persistence, nor has a saddle.
    """

    index: tuple[int, int]
    values: dict[str, float]
    energy_meV: float
    persistence_meV: float | None = None


@dataclass(frozen=True)
class GridDetail:
    """What a report needs to draw minima, saddles and paths from the grids alone.

    Parameters
    ----------
    metric_A2
        Square lengths of grid steps, angstrom^2, shape (2, 2).
    periods
        Points after which an axis repeats, None where it doesn't.
    threshold_meV
        Depth from which on a minimum counts.
    """

    metric_A2: tuple[tuple[float, float], ...]
    periods: tuple[int | None, int | None]
    threshold_meV: float
