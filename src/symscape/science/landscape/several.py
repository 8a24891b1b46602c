"""Several models on one slice, where there is no DFT: how they differ, and where to look first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from symscape.crystal.slice import Slice
from symscape.science.landscape.geometry import grid_geometry
from symscape.science.landscape.metrics import (
    rank_correlation,
    root_mean_square_error,
    slope_through_zero,
)
from symscape.science.landscape.minima import Topology, topology

#: points closer than this many grid steps to one that is chosen already count less
_APART = 4.0


@dataclass(frozen=True)
class PairDifference:
    """Two models on the points at which both are within the window.

    Parameters
    ----------
    first, second
        Names.
    difference
        Root-mean-square difference in meV/atom.
    softening
        Slope of the second on the first: below 1, the second is softer.
    rank_correlation
        Rank correlation.
    """

    first: str
    second: str
    difference: float
    softening: float
    rank_correlation: float


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Landscapes of several models on one zero.

    Parameters
    ----------
    slice
        The grid.
    names
        The models.
    energies
        eV/atom above `zero`, shape (n_models, n_u, n_v), NaN where masked or failed.
    zero
        Grid indices of the common zero: the crystal itself where the grid has it.
    """

    slice: Slice
    names: tuple[str, ...]
    energies: np.ndarray
    zero: tuple[int, int]

    @property
    def mean(self) -> np.ndarray:
        """Mean over the models, eV/atom, shape (n_u, n_v)."""
        return np.asarray(self.energies.mean(axis=0))

    @property
    def spread(self) -> np.ndarray:
        """Highest minus lowest model, eV/atom, shape (n_u, n_v); NaN where one has no energy."""
        return np.asarray(self.energies.max(axis=0) - self.energies.min(axis=0))

    @cached_property
    def topologies(self) -> tuple[Topology, ...]:
        """Minima and saddles of each model."""
        geometry = grid_geometry(self.slice)
        return tuple(topology(energies, geometry) for energies in self.energies)

    def values_at(self, position: Sequence[float]) -> tuple[float, float]:
        """Return the axes' values at fractional grid indices, such as those of a minimum."""
        u, v = (
            float(np.interp(k, np.arange(axis.points), axis.values))
            for k, axis in zip(position, self.slice.axes, strict=True)
        )
        return u, v

    def pairs(self, window: float = 0.5) -> tuple[PairDifference, ...]:
        """Compare each model with each other one.

        Parameters
        ----------
        window
            Points count whose mean energy is at most this many eV/atom above the lowest mean.
        """
        inside = self._inside(window)
        return tuple(
            PairDifference(
                self.names[a],
                self.names[b],
                root_mean_square_error(self.energies[a][inside], self.energies[b][inside]),
                slope_through_zero(self.energies[a][inside], self.energies[b][inside]),
                rank_correlation(self.energies[a][inside], self.energies[b][inside]),
            )
            for a, b in combinations(range(len(self.names)), 2)
        )

    def first_points(self, count: int, window: float = 0.5) -> list[tuple[int, int]]:
        """Return the grid points that say most about who is right, the zero first.

        Those at which the models disagree most, apart from each other and not equal by symmetry.

        Parameters
        ----------
        count
            How many, fewer where the grid has fewer distinct ones.
        window
            As for `pairs`.
        """
        representatives = self.slice.representatives
        inside = self._inside(window)
        # with one model there is no disagreement: its highest barriers and walls come first
        worth = np.where(inside, self.spread if len(self.names) > 1 else np.abs(self.mean), -1.0)
        grid = np.moveaxis(np.indices(self.slice.shape), 0, -1)
        chosen = [self.zero]
        while len(chosen) < count:
            distance = np.min([np.linalg.norm(grid - np.array(p), axis=-1) for p in chosen], axis=0)
            value = np.where(worth > 0, worth * np.minimum(1.0, distance / _APART), -1.0)
            taken = [representatives[point] for point in chosen]
            value[np.isin(representatives, taken)] = -1.0
            i, j = np.unravel_index(int(value.argmax()), value.shape)
            if value[i, j] <= 0:
                break
            chosen.append((int(i), int(j)))
        return chosen

    def _inside(self, window: float) -> np.ndarray:
        known = np.isfinite(self.energies).all(axis=0)
        low = np.min(self.mean[known]) if known.any() else 0.0
        return np.asarray(known & (np.where(known, self.mean, np.inf) <= low + window))


def compare_energies(the_slice: Slice, energies: Mapping[str, np.ndarray]) -> ModelComparison:
    """Put the energies of several models on one zero.

    Parameters
    ----------
    the_slice
        The grid.
    energies
        By the model's name, eV/atom on a zero of its own, shape (n_u, n_v), NaN where unknown.

    Returns
    -------
    ModelComparison
        Its zero is the grid point at which the slice has the crystal it was made from; the lowest
        of the mean landscape where that is masked or a model gave no energy.

    Raises
    ------
    ValueError
        If there is no model, or no point at which all have an energy.
    """
    if not energies:
        raise ValueError("there is no model to compare; give one at least.")
    stack = np.stack([np.asarray(grid, dtype=float) for grid in energies.values()])
    known = np.isfinite(stack).all(axis=0)
    if not known.any():
        raise ValueError("there is no grid point at which all models have an energy.")
    nearest = tuple(
        int(np.abs(axis.values - origin).argmin())
        for axis, origin in zip(the_slice.axes, the_slice.origins, strict=True)
    )
    zero = (nearest[0], nearest[1])
    if not known[zero]:
        lowest = np.array([grid[known].min() for grid in stack])
        mean = np.where(known, (stack - lowest[:, None, None]).mean(axis=0), np.inf)
        i, j = np.unravel_index(int(mean.argmin()), mean.shape)
        zero = (int(i), int(j))
    above = stack - stack[:, zero[0], zero[1]][:, None, None]
    return ModelComparison(the_slice, tuple(energies), above, zero)
