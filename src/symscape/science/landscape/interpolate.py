"""The surface between the grid points: an upsampled grid, and local polynomials.

A grid's own 4- or 8-neighbourhood is a poor guide to its topology: a narrow valley that crosses
the grid at an angle looks like a chain of wells, one at each grid point that it happens to touch.
Persistence is therefore computed on a grid upsampled by cubic interpolation, in which a straight
valley stays connected.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

#: upsampled points per grid step
DEFAULT_FACTOR = 4
#: eV/atom by which an interpolated point stays above its lowest grid point: makes wells begin on
#: grid points
_ABOVE_GRID = 1e-9


def upsample(
    energies: np.ndarray,
    periodic: tuple[bool, bool] = (False, False),
    factor: int = DEFAULT_FACTOR,
) -> np.ndarray:
    """Interpolate a grid that may have holes, within the range of the surrounding points.

    Grid lines are interpolated by cubic polynomials through four points (through three where one of
    them is a hole or outside the grid, linearly where two are), cells by the Coons patch of their
    four edges, which is as exact as these [1]_. So that steep walls and holes make neither wells
    nor ridges by ringing, a line leaves the range of its two points only where the points around
    them turn, and no point lies below the lowest grid point of the cells that it belongs to or
    above the highest of these and the ones around them.

    Parameters
    ----------
    energies
        Shape (n_u, n_v), NaN in holes. A periodic axis must not repeat its first point.
    periodic
        Whether each axis wraps around.
    factor
        Steps of the new grid per step of the old.

    Returns
    -------
    np.ndarray
        Shape (m_u, m_v), with m = n * factor along a periodic axis and (n - 1) * factor + 1 along
        an open one; NaN in cells of which a corner is missing. Original values are kept exactly.

    References
    ----------
    .. [1] S. A. Coons, "Surfaces for computer-aided design of space forms", MIT MAC-TR-41 (1967).
    """
    energies = np.asarray(energies, dtype=float)
    hole = ~np.isfinite(energies)
    if factor == 1:
        return np.where(hole, np.nan, energies)
    linear_u, linear_v = (
        _linear_weights(n, factor, p) for n, p in zip(energies.shape, periodic, strict=True)
    )
    filled = np.where(hole, 0.0, energies)
    known = np.where(hole, np.nan, energies)
    along_u = np.nan_to_num(_lines(known, factor, periodic[0]))
    along_v = np.nan_to_num(_lines(known.T, factor, periodic[1])).T
    patch = along_u @ linear_v.T + linear_u @ along_v - linear_u @ filled @ linear_v.T
    low = _extreme_around(np.where(hole, np.inf, energies), np.minimum, 0, factor, periodic)
    high = _extreme_around(np.where(hole, -np.inf, energies), np.maximum, 1, factor, periodic)
    with np.errstate(invalid="ignore"):
        patch = np.clip(patch, low + _ABOVE_GRID, np.maximum(high, low + _ABOVE_GRID))
    patch[(linear_u > 0) @ hole.astype(float) @ (linear_v > 0).T > 0] = np.nan
    patch[::factor, ::factor] = known
    return patch


def _lines(values: np.ndarray, factor: int, periodic: bool) -> np.ndarray:
    """Interpolate along the first axis, shape (n, k) to (m, k); NaN next to a hole."""
    n = len(values)
    cells = np.arange(n if periodic else n - 1)
    around = np.pad(values, [(1, 2), (0, 0)], constant_values=np.nan)
    if periodic:
        around = values[np.arange(-1, n + 2) % n]
    p0, p1, p2, p3 = (around[cells + k] for k in range(4))
    # where an outer point is missing, extrapolation makes the cubic a parabola or a straight line
    first = np.where(np.isnan(p3), 2 * p1 - p2, 3 * p1 - 3 * p2 + p3)
    last = np.where(np.isnan(p0), 2 * p2 - p1, 3 * p2 - 3 * p1 + p0)
    p0, p3 = np.where(np.isnan(p0), first, p0), np.where(np.isnan(p3), last, p3)
    t = (np.arange(factor) / factor)[:, None]
    cubic = (
        -t * (t - 1) * (t - 2) / 6 * p0[:, None]
        + (t + 1) * (t - 1) * (t - 2) / 2 * p1[:, None]
        - (t + 1) * t * (t - 2) / 2 * p2[:, None]
        + (t + 1) * t * (t - 1) / 6 * p3[:, None]
    )
    # beyond the ends of the cell only where the points around it turn
    low, high = np.minimum(p1, p2) + _ABOVE_GRID, np.maximum(p1, p2) + _ABOVE_GRID
    low = np.where((p0 >= p1) & (p3 >= p2), -np.inf, low)
    high = np.where((p0 <= p1) & (p3 <= p2), np.inf, high)
    lines = np.clip(cubic, low[:, None], high[:, None])
    lines[:, 0] = p1  # a point before a hole is there, the cell after it is not
    lines = lines.reshape(len(cells) * factor, -1)
    return lines if periodic else np.concatenate([lines, values[-1:]])


@lru_cache(maxsize=32)
def _linear_weights(n: int, factor: int, periodic: bool) -> np.ndarray:
    """Weights of ``n`` points for every upsampled one, shape (m, n)."""
    i, rest = np.divmod(np.arange(n * factor if periodic else (n - 1) * factor + 1), factor)
    weights = np.zeros((len(i), n))
    np.add.at(weights, (np.arange(len(i)), i), 1 - rest / factor)
    np.add.at(weights, (np.arange(len(i)), (i + 1) % n), rest / factor)
    return weights


def _extreme_around(
    grid: np.ndarray, extreme: np.ufunc, more: int, factor: int, periodic: tuple[bool, bool]
) -> np.ndarray:
    """Extreme of the grid points of an upsampled point's cells, and of ``more`` around these."""
    for axis in (0, 1):
        n = grid.shape[axis]
        m = n * factor if periodic[axis] else (n - 1) * factor + 1
        i, rest = np.divmod(np.arange(m), factor)
        first = np.where(rest == 0, i - 1, i) - more
        last = i + 1 + more
        parts = []
        for k in range(3 + 2 * more):
            index = np.minimum(first + k, last)
            index = index % n if periodic[axis] else np.clip(index, 0, n - 1)
            parts.append(np.take(grid, index, axis))
        grid = extreme.reduce(parts)
    return grid


@dataclass(frozen=True, eq=False)
class LocalPolynomial:
    """A polynomial in two variables fitted around one grid point.

    Parameters
    ----------
    centre
        Grid indices of the point.
    coefficients
        Element (p, q) belongs to u^p v^q, eV/atom per step^(p + q), shape (k, k).
    reach
        Half-width of the window of grid points, in steps.
    """

    centre: tuple[int, int]
    coefficients: np.ndarray
    reach: int

    def __call__(self, x: np.ndarray) -> float:
        """Return the energy in eV/atom at ``x``, the offset from the centre in steps, (2,)."""
        u, v = (powers[0] for powers in self._powers(x))
        return float(u @ self.coefficients @ v)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient in eV/atom per step, shape (2,)."""
        (u, du, _), (v, dv, _) = self._powers(x)
        c = self.coefficients
        return np.array([du @ c @ v, u @ c @ dv])

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """Return the Hessian in eV/atom per step^2, shape (2, 2)."""
        (u, du, ddu), (v, dv, ddv) = self._powers(x)
        c = self.coefficients
        mixed = du @ c @ dv
        return np.array([[ddu @ c @ v, mixed], [mixed, u @ c @ ddv]])

    def _powers(self, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return the powers of each coordinate, and their first and second derivatives."""
        n = np.arange(len(self.coefficients))
        result = []
        for value in x:
            powers = float(value) ** n
            first, second = np.zeros(len(n)), np.zeros(len(n))
            first[1:] = n[1:] * powers[:-1]
            second[2:] = n[2:] * n[1:-1] * powers[:-2]
            result.append((powers, first, second))
        return result

    def stationary_point(self, start: np.ndarray, negative: int, reach: float = 1.0) -> np.ndarray:
        """Find a stationary point near ``start`` by Newton's method.

        Parameters
        ----------
        start
            Offset from the centre in steps, shape (2,).
        negative
            Number of negative curvatures: 0 at a minimum, 1 at a saddle.
        reach
            How far from ``start`` it may lie along each axis, in steps.

        Raises
        ------
        ValueError
            If there is none within reach.
        """
        x = np.array(start, dtype=float)
        for _ in range(20):
            # pseudo-inverse: along a level direction there is nowhere to go
            step = -np.linalg.pinv(self.hessian(x), rcond=1e-6) @ self.gradient(x)
            x = x + step * min(1.0, 0.5 / max(np.abs(step).max(), 1e-12))
            if np.abs(x - start).max() > reach:
                break
            if np.abs(step).max() < 1e-8:
                curvatures = np.linalg.eigvalsh(self.hessian(x))
                tiny = 1e-6 * np.abs(curvatures).max()
                if (curvatures < -tiny).sum() == negative and (np.abs(curvatures) > tiny).all():
                    return x
                break
        raise ValueError("no such stationary point within reach")


def local_polynomials(
    energies: np.ndarray, centre: tuple[int, int], periodic: tuple[bool, bool]
) -> list[LocalPolynomial]:
    """Fit polynomials around a grid point by least squares, the most accurate first.

    Fourth order over 5 x 5 grid points where they are all there, and second order over 3 x 3.
    Empty where even these are not all there: at a mask and at the grid's edge.
    """
    fits = []
    for reach, degree in ((2, 4), (1, 2)):
        window = _window(energies, centre, reach, periodic)
        if window is not None:
            powers, solve = _least_squares(reach, degree)
            coefficients = np.zeros((degree + 1, degree + 1))
            coefficients[tuple(powers.T)] = solve @ window.ravel()
            fits.append(LocalPolynomial(centre, coefficients, reach))
    return fits


def _window(
    energies: np.ndarray, centre: tuple[int, int], reach: int, periodic: tuple[bool, bool]
) -> np.ndarray | None:
    span = np.arange(-reach, reach + 1)
    indices = []
    for i, n, wraps in zip(centre, energies.shape, periodic, strict=True):
        index = i + span
        if wraps and n >= len(span):
            index = index % n
        elif index[0] < 0 or index[-1] >= n:
            return None
        indices.append(index)
    window = energies[np.ix_(*indices)]
    return window if np.isfinite(window).all() else None


@lru_cache(maxsize=8)
def _least_squares(reach: int, degree: int) -> tuple[np.ndarray, np.ndarray]:
    span = np.arange(-reach, reach + 1)
    x, y = (a.ravel() for a in np.meshgrid(span, span, indexing="ij"))
    powers = np.array([(p, t - p) for t in range(degree + 1) for p in range(t, -1, -1)])
    design = x[:, None] ** powers[:, 0] * y[:, None] ** powers[:, 1]
    return powers, np.linalg.pinv(design.astype(float))
