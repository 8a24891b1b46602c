"""Zero-dimensional sublevel-set persistence of an energy grid.

Flood the landscape from below: at the energy of a minimum a new lake appears, at the energy of a
saddle two lakes merge, and the shallower one ends. The energy between its beginning (birth) and
its end (death) is the minimum's persistence [1]_: the climb out of it into a deeper one.

References
----------
.. [1] H. Edelsbrunner, D. Letscher, A. Zomorodian, "Topological persistence and simplification",
   Discrete Comput. Geom. 28, 511 (2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: eV/atom below which two lakes merging is rounding, not a minimum
_ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class Lakes:
    """Births and deaths of the lakes of a flooded grid, the deepest first.

    Parameters
    ----------
    births
        Grid indices of the lowest point of each lake, shape (n, 2).
    deaths
        Grid indices of the point at which it merges into one that is deeper, shape (n, 2); -1
        where it never does: for the deepest lake, and for the deepest of an island that masked
        points cut off.
    birth_energies, death_energies
        eV/atom, shape (n,); a lake that never merges dies at infinity.
    """

    births: np.ndarray
    deaths: np.ndarray
    birth_energies: np.ndarray
    death_energies: np.ndarray

    @property
    def persistence(self) -> np.ndarray:
        """Death minus birth in eV/atom, shape (n,), infinite for a lake that never merges."""
        return self.death_energies - self.birth_energies


def flood(energies: np.ndarray, periodic: tuple[bool, bool] = (False, False)) -> Lakes:
    """Compute the zero-dimensional persistence of a grid with gudhi's cubical complexes.

    Energies sit on vertices; neighbours along the axes are joined at the higher of their two
    energies. Points without an energy are infinitely high.

    Parameters
    ----------
    energies
        eV/atom, shape (n_u, n_v), NaN where masked. A periodic axis must not repeat its first
        point.
    periodic
        Whether each axis wraps around.

    Raises
    ------
    ValueError
        If no point has an energy.
    """
    from gudhi import CubicalComplex, PeriodicCubicalComplex

    energies = np.asarray(energies, dtype=float)
    known = np.isfinite(energies)
    if not known.any():
        raise ValueError("the grid has no point with an energy")
    # a finite height keeps infinity minus infinity out of gudhi's comparisons
    flooded = np.where(known, energies, energies[known].max() + 1.0)
    if any(periodic):
        complex_ = PeriodicCubicalComplex(vertices=flooded, periodic_dimensions=list(periodic))
    else:
        complex_ = CubicalComplex(vertices=flooded)
    complex_.compute_persistence(homology_coeff_field=2, min_persistence=_ROUNDING)
    regular, essential = complex_.vertices_of_persistence_pairs()
    pairs = np.concatenate(
        [
            np.column_stack([essential[0], np.full(len(essential[0]), -1)]),
            regular[0] if regular else np.zeros((0, 2), int),
        ]
    ).astype(int)
    births = np.column_stack(np.unravel_index(pairs[:, 0], energies.shape, order="F"))
    merges = pairs[:, 1] >= 0
    deaths = np.full_like(births, -1)
    deaths[merges] = np.column_stack(np.unravel_index(pairs[merges, 1], energies.shape, order="F"))
    merges[merges] = known[tuple(deaths[merges].T)]
    deaths[~merges] = -1
    birth_energies = energies[tuple(births.T)]
    death_energies = np.full(len(births), np.inf)
    death_energies[merges] = energies[tuple(deaths[merges].T)]
    order = np.lexsort([births[:, 1], births[:, 0], -death_energies, birth_energies])
    order = order[known[tuple(births[order].T)]]
    return Lakes(births[order], deaths[order], birth_energies[order], death_energies[order])


def diagram(lakes: Lakes, cap: float = np.inf) -> np.ndarray:
    """Return the persistence diagram, shape (n, 2): birth and death in eV/atom.

    Parameters
    ----------
    lakes
        Of one surface.
    cap
        Energy above which the surface is taken as level. Lakes that begin above it drop out,
        islands merge at it, and only the deepest lake never dies; a diagram then depends
        continuously on the energies whatever happens above the cap.
    """
    births = np.minimum(lakes.birth_energies, cap)
    deaths = np.minimum(lakes.death_energies, cap)
    deaths[0] = np.inf
    return np.column_stack([births, deaths])[deaths > births]


def bottleneck_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Bottleneck distance of two persistence diagrams in meV/atom.

    The largest change of a birth or death energy under the best pairing of wells, where a well
    without partner costs half its persistence (Cohen-Steiner, Edelsbrunner, Harer, Discrete
    Comput. Geom. 37, 103 (2007), whose stability theorem bounds it by the largest pointwise
    difference of the surfaces).
    """
    import gudhi

    return float(1000 * gudhi.bottleneck_distance(a, b))


def wasserstein_distance(a: np.ndarray, b: np.ndarray) -> float:
    """1-Wasserstein distance of two persistence diagrams in meV/atom.

    The sum, not the largest, of the changes under the best pairing; differences of a birth and
    death count by the larger of the two, as in `bottleneck_distance`. Infinite if different numbers
    of wells never end.

    The pairing is exact: an auction that stops at a relative error, as gudhi's, does not stop where
    the distance is next to nothing.
    """
    from scipy.optimize import linear_sum_assignment

    a_lasts, b_lasts = np.isinf(a[:, 1]), np.isinf(b[:, 1])
    if a_lasts.sum() != b_lasts.sum():
        return np.inf
    lasting = np.abs(np.sort(a[a_lasts, 0]) - np.sort(b[b_lasts, 0])).sum()
    a, b = a[~a_lasts], b[~b_lasts]
    n, m = len(a), len(b)
    # every well may pair with one of the other surface or, on the diagonal, with nothing
    costs = np.zeros((n + m, n + m))
    costs[:n, :m] = np.abs(a[:, None] - b[None, :]).max(axis=2)
    costs[:n, m:] = ((a[:, 1] - a[:, 0]) / 2)[:, None]
    costs[n:, :m] = ((b[:, 1] - b[:, 0]) / 2)[None, :]
    return float(1000 * (lasting + costs[linear_sum_assignment(costs)].sum()))
