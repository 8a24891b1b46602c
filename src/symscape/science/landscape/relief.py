"""A landscape as a surface in space: triangles between grid points that have an energy."""

from __future__ import annotations

import numpy as np

from symscape.science.landscape.interpolate import upsample

#: steps of the surface for each step of the grid
FACTOR = 3
#: nearer than this, in the box as it is drawn, a triangle is where the point is
_TOUCHING = 1e-3


def relief_triangles(
    u: np.ndarray, v: np.ndarray, energies: np.ndarray, factor: int = FACTOR
) -> np.ndarray:
    """Cover a grid with triangles; none has a corner at, or holds, a point without an energy.

    Cells of four grid points are covered, of cells with three the half that these span, so that
    the surface ends on the lines between the last grid points.

    Parameters
    ----------
    u, v
        Grid values of the axes, shapes (n_u,) and (n_v,).
    energies
        Shape (n_u, n_v), NaN in holes.
    factor
        Steps of the surface for each step of the grid; between grid points it is `upsample`'s.

    Returns
    -------
    np.ndarray
        Corners (u, v, energy), shape (n_triangles, 3, 3).
    """
    fine = _with_corners(np.asarray(energies, dtype=float), factor)
    points = np.stack([*np.meshgrid(_refined(u, factor), _refined(v, factor), indexing="ij"), fine])
    points = np.moveaxis(points, 0, -1)
    quads = np.stack([points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]], axis=2)
    quads = quads.reshape(-1, 4, 3)
    known = np.isfinite(quads[..., 2])
    whole = quads[known.all(axis=1)]
    parts = [whole[:, [0, 1, 2]], whole[:, [0, 2, 3]]]
    for missing in range(4):
        three = known.sum(axis=1) == 3
        parts.append(quads[three & ~known[:, missing]][:, [k for k in range(4) if k != missing]])
    return np.concatenate(parts)


def relief_lines(
    u: np.ndarray,
    v: np.ndarray,
    energies: np.ndarray,
    low: float,
    high: float,
    factor: int = FACTOR,
) -> list[np.ndarray]:
    """Return the grid's lines on the surface in short pieces, as far as they lie within limits.

    Returns
    -------
    list of np.ndarray
        Ends (u, v, energy), each of shape (2, 3).
    """
    fine = upsample(np.asarray(energies, dtype=float), factor=factor)
    points = np.stack([*np.meshgrid(_refined(u, factor), _refined(v, factor), indexing="ij"), fine])
    points = np.moveaxis(points, 0, -1)
    along_u, along_v = points[:, ::factor], points[::factor].swapaxes(0, 1)
    pieces = [
        np.stack([lines[:-1], lines[1:]], axis=2).reshape(-1, 2, 3) for lines in (along_u, along_v)
    ]
    ends = np.concatenate(pieces)
    heights = ends[..., 2]
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(heights).all(axis=1) & (heights.max(axis=1) > low)
        ends = ends[seen & (heights.min(axis=1) < high)]
    return clip_polygons(ends, low, high)


def clip_polygons(corners: np.ndarray, low: float, high: float) -> list[np.ndarray]:
    """Cut polygons to what lies between two energies (Sutherland and Hodgman's algorithm).

    Parameters
    ----------
    corners
        Corners (u, v, energy), shape (n, k, 3), k of 2 (lines) or 3.
    low, high
        Limits, in the unit of the energies.

    Returns
    -------
    list of np.ndarray
        Of each polygon that is left, its corners, shape (m, 3).
    """
    heights = corners[..., 2]
    inside = (heights >= low).all(axis=1) & (heights <= high).all(axis=1)
    outside = (heights <= low).all(axis=1) | (heights >= high).all(axis=1)
    parts = list(corners[inside])
    for polygon in corners[~inside & ~outside]:
        kept = _cut(_cut(polygon, low, 1.0), high, -1.0)
        if len(kept) >= min(len(polygon), 3):
            parts.append(kept)
    return parts


def faces_viewer(triangles: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Whether the upper side of each triangle is seen, shape (n,).

    Parameters
    ----------
    triangles
        Corners in the box as it is drawn, shape (n, 3, 3).
    towards
        Direction to the eye, shape (3,).
    """
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    normals = np.cross(first, second)
    seen: np.ndarray = (normals @ towards) * normals[:, 2] > 0
    return seen


def hides(triangles: np.ndarray, point: np.ndarray, towards: np.ndarray) -> bool:
    """Whether a triangle stands between a point and the eye.

    The crossing of a ray and a triangle is that of Moeller and Trumbore, J. Graphics Tools 2, 21
    (1997). Triangles that the point lies on don't hide it.

    Parameters
    ----------
    triangles
        Corners in the box as it is drawn, shape (n, 3, 3).
    point
        Its place there, shape (3,).
    towards
        Direction to the eye, shape (3,).
    """
    origin = triangles[:, 0]
    first, second = triangles[:, 1] - origin, triangles[:, 2] - origin
    across = np.cross(towards, second)
    volume = (first * across).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = point - origin
        a = (apart * across).sum(axis=1) / volume
        normal = np.cross(apart, first)
        b = normal @ towards / volume
        distance = (second * normal).sum(axis=1) / volume
        return bool(((a >= 0) & (b >= 0) & (a + b <= 1) & (distance > _TOUCHING)).any())


def _cut(polygon: np.ndarray, limit: float, side: float) -> np.ndarray:
    """Cut a polygon at an energy and keep what is above it (side 1) or below (side -1)."""
    apart = side * (polygon[:, 2] - limit)
    kept = []
    n = len(polygon)
    for k in range(n):
        if apart[k] >= 0:
            kept.append(polygon[k])
        if apart[k] * apart[(k + 1) % n] < 0 and (n > 2 or k == 0):
            share = apart[k] / (apart[k] - apart[(k + 1) % n])
            kept.append(polygon[k] + share * (polygon[(k + 1) % n] - polygon[k]))
    return np.array(kept).reshape(-1, 3)


def _refined(values: np.ndarray, factor: int) -> np.ndarray:
    """Grid values with ``factor`` steps for each of theirs."""
    n = len(values)
    steps: np.ndarray = np.interp(np.arange((n - 1) * factor + 1) / factor, np.arange(n), values)
    return steps


def _with_corners(energies: np.ndarray, factor: int) -> np.ndarray:
    """Upsample a grid, and of cells with one hole the half that the three others span.

    There the surface is the sum of its two edges, which are the surface's already.
    """
    fine = upsample(energies, factor=factor)
    known = np.isfinite(energies)
    cells = np.stack([known[:-1, :-1], known[1:, :-1], known[:-1, 1:], known[1:, 1:]])
    steps = np.arange(factor + 1)
    half = steps[:, None] + steps <= factor
    for i, j in np.argwhere(cells.sum(axis=0) == 3):
        cell = fine[i * factor : (i + 1) * factor + 1, j * factor : (j + 1) * factor + 1]
        missing = int(np.flatnonzero(~cells[:, i, j])[0])
        # look at the cell from the corner opposite the hole
        turned = cell[:: 1 if missing & 1 else -1, :: 1 if missing & 2 else -1]
        surface = turned[:, :1] + turned[:1] - turned[0, 0]
        turned[half] = surface[half]
    return fine
