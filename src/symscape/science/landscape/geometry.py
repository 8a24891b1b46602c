"""What a step on a slice's grid means in angstrom, and where the grid wraps around."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np

from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.crystal.tangents import displacement_metric


@dataclass(frozen=True, eq=False)
class GridGeometry:
    """Distances on a grid, and its periods.

    Positions on the grid are fractional indices: (2.5, 0) lies half-way between grid points
    (2, 0) and (3, 0).

    Parameters
    ----------
    metric
        Squared root-mean-square atomic displacement in angstrom^2 per step^2, shape (2, 2),
        symmetric and positive definite.
    periods
        For each axis the number of grid steps in a period, None where the slice does not span
        one. A grid whose last value repeats the first has one point more than steps in the period.
    """

    metric: np.ndarray = field(default_factory=lambda: np.eye(2))
    periods: tuple[int | None, int | None] = (None, None)

    def fold(self, grid: np.ndarray) -> np.ndarray:
        """Leave out the last row or column where it repeats the first.

        Parameters
        ----------
        grid
            Any array whose first two axes are the grid's.

        Raises
        ------
        ValueError
            If the grid has fewer points than a period has steps.
        """
        for points, period in zip(grid.shape, self.periods, strict=False):
            if period is not None and not period <= points <= period + 1:
                raise ValueError(f"a grid of {points} points does not span {period} steps once")
        return grid[: self.periods[0], : self.periods[1]]

    def periodic(self) -> tuple[bool, bool]:
        """Whether the grid wraps around along each axis."""
        return self.periods[0] is not None, self.periods[1] is not None

    def shortest(self, steps: np.ndarray) -> np.ndarray:
        """Replace differences of positions by their shortest periodic images.

        Parameters
        ----------
        steps
            Differences in grid steps, shape (..., 2).
        """
        steps = np.asarray(steps, dtype=float)
        vectors = self._period_vectors
        if not len(vectors):
            return steps.copy()
        across = vectors @ self.metric
        near = np.rint(np.linalg.solve(across @ vectors.T, across @ steps[..., None])[..., 0])
        # of a reduced lattice, the nearest point is at most one vector away from the rounded one
        around = np.array(list(product((-1, 0, 1), repeat=len(vectors))))
        candidates = (steps - near @ vectors)[..., None, :] + around @ vectors
        squares = np.einsum("...i,ij,...j->...", candidates, self.metric, candidates)
        best = squares.argmin(axis=-1)
        return np.take_along_axis(candidates, best[..., None, None], axis=-2)[..., 0, :]

    def distance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Root-mean-square atomic displacement between positions in angstrom.

        Parameters
        ----------
        a, b
            Fractional grid indices, shapes (..., 2), broadcast against each other.
        """
        d = self.shortest(np.asarray(b, dtype=float) - np.asarray(a, dtype=float))
        return np.sqrt(np.einsum("...i,ij,...j->...", d, self.metric, d))

    def wrap(self, position: np.ndarray) -> np.ndarray:
        """Bring fractional indices, shape (..., 2), into the first period."""
        result = np.array(position, dtype=float)
        for axis, period in enumerate(self.periods):
            if period is not None:
                result[..., axis] %= period
        return result

    @cached_property
    def _period_vectors(self) -> np.ndarray:
        """Shortest vectors between equivalent positions, in grid steps; shape (n_periods, 2)."""
        vectors = np.array([p or 0 for p in self.periods])[:, None] * np.eye(2)
        if None in self.periods:
            return vectors[[p is not None for p in self.periods]]
        from ase.geometry import minkowski_reduce

        cell = np.eye(3)
        cell[:2, :2] = vectors @ np.linalg.cholesky(self.metric)
        _, combinations = minkowski_reduce(cell, pbc=(True, True, False))
        return combinations[:2, :2] @ vectors


def axis_period(axis: Axis) -> int | None:
    """Return the number of grid steps in the axis's period, None where it does not span one.

    Both ways of laying a grid over a period count: with and without the end that repeats the
    start.
    """
    if axis.period is None or axis.points < 2:
        return None
    step = (axis.stop - axis.start) / (axis.points - 1)
    steps = axis.period / step
    nearest = round(steps)
    if abs(steps - nearest) > 1e-6 * nearest or nearest not in (axis.points, axis.points - 1):
        return None
    return nearest


def grid_geometry(slice: Slice) -> GridGeometry:
    """Return the geometry of a slice's grid.

    See Also
    --------
    symscape.crystal.tangents.displacement_metric : how displacements are measured.
    """
    steps = np.array([(a.stop - a.start) / max(a.points - 1, 1) for a in slice.axes])
    metric = displacement_metric(slice) * np.outer(steps, steps)
    return GridGeometry(metric, (axis_period(slice.axes[0]), axis_period(slice.axes[1])))
