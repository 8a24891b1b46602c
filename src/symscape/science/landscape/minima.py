"""Minima and saddles of one energy surface."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from symscape.science.landscape.geometry import GridGeometry
from symscape.science.landscape.interpolate import (
    DEFAULT_FACTOR,
    LocalPolynomial,
    local_polynomials,
    upsample,
)
from symscape.science.landscape.persistence import Lakes, diagram, flood

#: eV/atom: shallower wells are noise
PERSISTENCE_THRESHOLD = 0.005
#: share of the energy differences around a point by which a fit to them may miss it
_MISFIT = 0.1
#: decimals of eV/atom by which wells and passes are put in order: what symmetry makes equal is
#: equal, whatever a processor's rounding does
EQUAL_DIGITS = 7
#: wells shallower than this share of the threshold are not looked at; those in between are not
#: asked for, but may be the partner of a deeper one
FAINT = 0.2
#: topologies that are remembered, some 20 kB each: of minima and of saddles one surface is asked,
#: and DFT's by every model
_REMEMBERED = 256


@dataclass(frozen=True)
class StationaryPoint:
    """A place on the grid where the energy is level.

    Parameters
    ----------
    index
        Its grid point: the lowest of a well, the nearest to a saddle before refinement.
    position
        Fractional grid indices.
    energy
        eV/atom at ``position``.
    refined
        Whether ``position`` was found by a local fit; otherwise it is the best point of the grid.
    on_edge
        Whether it lies on the border of the grid, where the surface may go on falling.
    at_mask
        Whether one of the neighbouring grid points is masked.
    """

    index: tuple[int, int]
    position: tuple[float, float]
    energy: float
    refined: bool
    on_edge: bool
    at_mask: bool


@dataclass(frozen=True)
class Minimum(StationaryPoint):
    """A well of the surface.

    Parameters
    ----------
    persistence
        Climb in eV/atom out of the well into a deeper one, infinite for the deepest.
    saddle
        Where the well merges into a deeper one; None for the deepest, and for the deepest of an
        island that masked points cut off.
    hessian
        Second derivatives in eV/atom per step^2, ((uu, uv), (uv, vv)); None where not refined.
    """

    persistence: float = np.inf
    saddle: StationaryPoint | None = None
    hessian: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def barrier(self) -> float:
        """Refined saddle energy minus refined energy in eV/atom, infinite without a saddle."""
        return np.inf if self.saddle is None else self.saddle.energy - self.energy


@dataclass(frozen=True, eq=False)
class Topology:
    """Wells of one surface.

    Parameters
    ----------
    minima
        Every well deeper than the faintest that counts, the lowest first.
    threshold
        Persistence in eV/atom from which a well is asked for.
    energies
        The grid in eV/atom, folded to one period, shape (n_u, n_v), NaN where masked.
    surface
        The upsampled grid, shape (m_u, m_v).
    factor
        Steps of ``surface`` per step of ``energies``.
    geometry
        Distances and periods.
    lakes
        All births and deaths on ``surface``.
    """

    minima: tuple[Minimum, ...]
    threshold: float
    energies: np.ndarray
    surface: np.ndarray
    factor: int
    geometry: GridGeometry
    lakes: Lakes = field(repr=False)

    def persistent(self, minimum: Minimum) -> bool:
        """Whether the well is deep enough to be asked for."""
        return minimum.persistence >= self.threshold

    @property
    def deep(self) -> tuple[Minimum, ...]:
        """The wells that are asked for: at least as persistent as the threshold."""
        return tuple(m for m in self.minima if self.persistent(m))

    def diagram(self, cap: float = np.inf) -> np.ndarray:
        """Return the persistence diagram with energies capped at ``cap`` eV/atom, (n, 2)."""
        return diagram(self.lakes, cap)


def topology(
    energies: np.ndarray,
    geometry: GridGeometry | None = None,
    *,
    threshold: float = PERSISTENCE_THRESHOLD,
    factor: int = DEFAULT_FACTOR,
) -> Topology:
    """Find the minima of a grid and the saddles that separate them.

    Parameters
    ----------
    energies
        eV/atom, shape (n_u, n_v), NaN where masked.
    geometry
        Distances and periods; default: one angstrom per step, open.
    threshold
        Persistence in eV/atom from which a well counts.
    factor
        Upsampling of the grid before it is flooded.

    Raises
    ------
    ValueError
        If no point has an energy, or the grid doesn't fit the periods.
    """
    geometry = geometry or GridGeometry()
    values = np.ascontiguousarray(energies, dtype=float)
    metric = np.ascontiguousarray(geometry.metric, dtype=float)
    return _topology(
        values.shape, values.tobytes(), metric.tobytes(), geometry.periods, threshold, factor
    )


@lru_cache(maxsize=_REMEMBERED)
def _topology(
    shape: tuple[int, ...],
    values: bytes,
    metric: bytes,
    periods: tuple[int | None, int | None],
    threshold: float,
    factor: int,
) -> Topology:
    """Find the topology of an array given by its bytes, so that equal arrays are looked at once."""
    geometry = GridGeometry(np.frombuffer(metric).reshape(2, 2), periods)
    grid = np.array(geometry.fold(np.frombuffer(values).reshape(shape)))
    grid[~np.isfinite(grid)] = np.nan
    surface = upsample(grid, geometry.periodic(), factor)
    lakes = flood(surface, geometry.periodic())
    # interpolation makes no wells: the lowest point of a real one is on the grid
    on_grid = (lakes.births % factor == 0).all(axis=1)
    chosen = np.flatnonzero(on_grid & (lakes.persistence >= FAINT * threshold))
    minima = [_minimum(grid, surface, factor, geometry, lakes, int(k)) for k in chosen]
    # wells that symmetry makes equal are in the order of the grid, not of the last bits
    minima.sort(key=lambda m: (round(m.energy, EQUAL_DIGITS), m.index))
    for shared in (grid, surface):
        shared.flags.writeable = False
    return Topology(tuple(minima), threshold, grid, surface, factor, geometry, lakes)


def _minimum(
    grid: np.ndarray,
    surface: np.ndarray,
    factor: int,
    geometry: GridGeometry,
    lakes: Lakes,
    k: int,
) -> Minimum:
    index = (int(lakes.births[k, 0]) // factor, int(lakes.births[k, 1]) // factor)
    x, energy, fit = _stationary(grid, index, geometry.periodic(), negative=0)
    place = geometry.wrap(np.array(index) + x)
    hessian = None
    if fit is not None:
        (uu, uv), (_, vv) = fit.hessian(x).tolist()
        hessian = ((uu, uv), (uv, vv))
    node = (int(lakes.deaths[k, 0]), int(lakes.deaths[k, 1]))
    return Minimum(
        index,
        (float(place[0]), float(place[1])),
        energy,
        fit is not None,
        **_flags(grid, index, place, geometry),
        persistence=float(lakes.persistence[k]),
        saddle=saddle_at(grid, surface, factor, node, geometry) if node[0] >= 0 else None,
        hessian=hessian,
    )


def saddle_at(
    grid: np.ndarray,
    surface: np.ndarray,
    factor: int,
    node: tuple[int, int],
    geometry: GridGeometry,
) -> StationaryPoint:
    """Refine a saddle on the upsampled grid.

    Parameters
    ----------
    grid
        Energies in eV/atom, folded to one period, shape (n_u, n_v).
    surface
        The upsampled grid, shape (m_u, m_v).
    factor
        Steps of ``surface`` per step of ``grid``.
    node
        The point of ``surface`` where lakes merge.
    geometry
        Distances and periods.
    """
    x, energy, fit = _stationary(surface, node, geometry.periodic(), negative=1)
    place = geometry.wrap((np.array(node) + x) / factor)
    nearest = geometry.wrap(np.floor(place + 0.5))
    index = (int(nearest[0]), int(nearest[1]))
    return StationaryPoint(
        index,
        (float(place[0]), float(place[1])),
        energy,
        fit is not None,
        **_flags(grid, index, place, geometry),
    )


def _stationary(
    surface: np.ndarray, point: tuple[int, int], periodic: tuple[bool, bool], negative: int
) -> tuple[np.ndarray, float, LocalPolynomial | None]:
    """Find the stationary point of a local fit, or stay where there is none that can be trusted.

    Returns
    -------
    offset : np.ndarray
        From ``point``, in steps of ``surface``, shape (2,).
    energy : float
        eV/atom.
    fit : LocalPolynomial or None
        The fit that it comes from.
    """
    energy = float(surface[point])
    around = _neighbourhood(surface, point, periodic)
    # a stationary point can't differ from a point next to it by more than the surroundings do; at
    # a saddle of second order at most by a quarter of that
    spread = float(np.nanmax(around) - np.nanmin(around))
    most = spread * (0.25 if negative else 1.0)
    for fit in local_polynomials(surface, point, periodic):
        try:
            x = fit.stationary_point(np.zeros(2), negative)
        except ValueError:
            continue
        # counted from the point, where the energy is known and not fitted
        here = fit(np.zeros(2))
        change = fit(x) - here
        trusted = abs(here - energy) <= _MISFIT * spread and abs(change) <= most
        if trusted and not (negative == 0 and change > 0):
            return x, energy + change, fit
    return np.zeros(2), energy, None


def _flags(
    grid: np.ndarray, index: tuple[int, int], place: np.ndarray, geometry: GridGeometry
) -> dict[str, bool]:
    edge = [
        not wraps and (p < 0.5 or p > n - 1.5)
        for p, n, wraps in zip(place, grid.shape, geometry.periodic(), strict=True)
    ]
    masked = np.isnan(_neighbourhood(grid, index, geometry.periodic())).any()
    return {"on_edge": any(edge), "at_mask": bool(masked)}


def _neighbourhood(
    grid: np.ndarray, index: tuple[int, int], periodic: tuple[bool, bool]
) -> np.ndarray:
    """Return the up to 3 x 3 grid points around one, cut off at open edges."""
    rows = []
    for i, n, wraps in zip(index, grid.shape, periodic, strict=True):
        span = np.arange(i - 1, i + 2)
        rows.append(np.unique(span % n) if wraps else span[(span >= 0) & (span < n)])
    return grid[np.ix_(*rows)]
