"""Residual symmetry of a slice: which grid points hold the same crystal.

A map of the grid is a symmetry if the structures at a point and at its image are congruent: some
orthogonal map, translation and permutation of like atoms carries one onto the other. Such maps
come from the Euclidean normalizer of the space group (International Tables A, chapter 15), but also
from axes that move the lattice; both are found by constructing the isometry
(`symscape.crystal.congruence`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from symscape.crystal.congruence import TOLERANCE, congruent
from symscape.crystal.contacts import minimum_image_distances, reduced_cells, rigid_groups
from symscape.crystal.grid import Axis
from symscape.crystal.structures import Structures

#: Number of generic points at which a map must hold.
_TRIALS = 3


@dataclass(frozen=True, eq=False)
class GridSymmetry:
    """A map of the grid onto itself under which the structures are congruent.

    Parameters
    ----------
    name
        What it does to the axis values: ``Ti_z -> 1 - Ti_z, O_z -> -O_z``.
    permutation
        Flat index of the image of each grid point, shape (n_u * n_v,). A permutation, unless a
        periodic axis has both ends of its period on the grid and the map shifts it.
    matrix
        Action on the two grid indices, entries 0 and +-1, shape (2, 2).
    shift
        Added to the indices after ``matrix`` (modulo the period where there is one), shape (2,).
    """

    name: str
    permutation: np.ndarray
    matrix: np.ndarray
    shift: np.ndarray


def grid_symmetries(
    axes: tuple[Axis, Axis],
    structures_at: Callable[[np.ndarray], Structures],
    tolerance: float = TOLERANCE,
) -> tuple[GridSymmetry, ...]:
    """Find all symmetries of a slice's grid other than the identity.

    Candidates are flips of one or both axes about the centre, exchange of the axes where the grid
    is square, shifts and flips about any point along periodic axes, and their combinations.

    Parameters
    ----------
    axes
        The slice's.
    structures_at
        Makes its structures at axis values of shape (n, 2).
    tolerance
        Largest mismatch of atoms and lattice vectors in angstrom.
    """
    candidates = _candidates(axes)
    rng = np.random.default_rng(20250721)
    last = np.array([axis.points for axis in axes]) - 1
    points = rng.uniform(0.13, 0.87, size=(_TRIALS, 2)) * last
    for point in points:
        if len(candidates):
            values = _axis_values(axes, _with_images(point, candidates))
            holding = _holding(structures_at(values), tolerance)
            candidates = [candidates[k] for k in holding]
    return tuple(_describe(axes, *candidate) for candidate in candidates)


def first_equivalents(symmetries: Sequence[GridSymmetry], shape: tuple[int, int]) -> np.ndarray:
    """Return for each grid point the flat index of the first equivalent one, shape (n_u, n_v)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = shape[0] * shape[1]
    images = [symmetry.permutation for symmetry in symmetries]
    targets = np.concatenate([np.arange(n), *images])
    sources = np.tile(np.arange(n), len(images) + 1)
    links = coo_array((np.ones(len(targets), dtype=bool), (sources, targets)), shape=(n, n))
    _, which = connected_components(links, directed=False)
    _, first = np.unique(which, return_index=True)
    return first[which].reshape(shape)


def _candidates(axes: tuple[Axis, Axis]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Index maps (matrix, shift) of the grid onto itself, without the identity."""
    lengths = [_points_per_period(axis) for axis in axes]
    choices = []
    for axis, length in zip(axes, lengths, strict=True):
        if length is None:
            choices.append([(1, 0), (-1, axis.points - 1)])
        else:
            choices.append([(sign, shift) for sign in (1, -1) for shift in range(length)])
    exchanges = [np.eye(2, dtype=int)]
    if axes[0].points == axes[1].points and lengths[0] == lengths[1]:
        exchanges.append(np.array([[0, 1], [1, 0]]))
    maps = [
        (np.diag([sign_u, sign_v]) @ exchange, np.array([shift_u, shift_v]))
        for exchange in exchanges
        for (sign_u, shift_u), (sign_v, shift_v) in product(*choices)
    ]
    return maps[1:] if maps else maps


def _points_per_period(axis: Axis) -> int | None:
    """Count the distinct grid values if the grid spans exactly one period, or None."""
    if axis.period is None:
        return None
    steps = axis.period * (axis.points - 1) / (axis.stop - axis.start)
    length = round(steps)
    if abs(steps - length) > 1e-6 or axis.points not in (length, length + 1):
        return None
    return length


def _axis_values(axes: tuple[Axis, Axis], indices: np.ndarray) -> np.ndarray:
    """Axis values at (real) grid indices, shape (..., 2)."""
    starts = np.array([axis.start for axis in axes])
    return starts + indices * _steps(axes)


def _steps(axes: tuple[Axis, Axis]) -> np.ndarray:
    return np.array([(axis.stop - axis.start) / (axis.points - 1) for axis in axes])


def _with_images(point: np.ndarray, candidates: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return (real) grid indices of a point, then of its image by each map, shape (n + 1, 2)."""
    images = np.array([matrix @ point + shift for matrix, shift in candidates])
    return np.concatenate([point[None], images])


def _holding(structures: Structures, tolerance: float) -> list[int]:
    """Return which of the structures after the first, counted from 0, are congruent to it."""
    n_atoms = len(structures.numbers) // len(structures)
    numbers = structures.numbers[:n_atoms]
    positions = structures.positions.reshape(-1, n_atoms, 3)
    cells = reduced_cells(structures.cells)
    alike = np.arange(len(structures) - 1)
    for pairs in _telling_pairs(numbers, positions, cells):
        members = np.concatenate([[0], alike + 1])
        prints = _fingerprints(numbers, positions[members], cells[members], pairs)
        alike = alike[np.abs(prints[1:] - prints[0]).max(axis=1) < tolerance]
    return [
        int(k)
        for k in alike
        if congruent(numbers, positions[0], cells[0], positions[k + 1], cells[k + 1], tolerance)
    ]


def _telling_pairs(
    numbers: np.ndarray, positions: np.ndarray, cells: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return pairs of atoms by which structures may differ: the rarest kind of them, then all.

    In one cell, pairs of atoms that move together are left out: they add the same to all.
    """
    first, second = np.triu_indices(len(numbers), k=1)
    if (cells == cells[0]).all():
        rigid = rigid_groups(positions)
        moving = rigid[first] != rigid[second]
        first, second = first[moving], second[moving]
    kinds = np.sort(np.stack([numbers[first], numbers[second]], axis=1), axis=1)
    _, which, counts = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        return [(first, second)]
    rarest = which.ravel() == counts.argmin()
    return [(first[rarest], second[rarest]), (first, second)]


def _fingerprints(
    numbers: np.ndarray,
    positions: np.ndarray,
    cells: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Numbers (angstrom) that congruent structures share, to reject most maps cheaply, (n, 3)."""
    mean = np.cbrt(np.abs(np.linalg.det(cells)))
    first, second = pairs
    if not len(first):
        return np.stack([mean, mean, mean], axis=1)
    # Symmetric in the two elements and different for different pairs of elements.
    kinds = np.sqrt(numbers[first] * numbers[second]) + (numbers[first] + numbers[second]) / 7
    weights = kinds / kinds.sum()
    distances = minimum_image_distances(positions, cells, pairs)
    return np.stack([mean, distances @ weights, np.sqrt(np.square(distances) @ weights)], axis=1)


def _describe(axes: tuple[Axis, Axis], matrix: np.ndarray, shift: np.ndarray) -> GridSymmetry:
    """Give an index map its name and its permutation."""
    shape = np.array([axis.points for axis in axes])
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2)
    images = grid @ matrix.T + shift
    for k, axis in enumerate(axes):
        length = _points_per_period(axis)
        if length is not None:
            outside = (images[:, k] < 0) | (images[:, k] >= axis.points)
            images[outside, k] %= length
    steps = _steps(axes)
    slopes = matrix * steps[:, None] / steps[None, :]
    offsets = _axis_values(axes, shift.astype(float)) - slopes @ np.array([a.start for a in axes])
    names = []
    for k, axis in enumerate(axes):
        source = int(np.flatnonzero(matrix[k])[0])
        constant = offsets[k]
        if axis.period is not None:
            constant = constant % axis.period
            constant = 0.0 if axis.period - constant < 1e-9 else constant
        text = _affine_text(float(slopes[k, source]), axes[source].name, float(constant))
        if text != axis.name:
            names.append(f"{axis.name} -> {text}")
    return GridSymmetry(
        ", ".join(names), np.ravel_multi_index(tuple(images.T), tuple(shape)), matrix, shift
    )


def _affine_text(slope: float, name: str, constant: float) -> str:
    """Write ``constant + slope * name``: ``1 - Ti_z``."""
    size = "" if abs(abs(slope) - 1) < 1e-9 else f"{abs(slope):.4g} "
    moving = f"{size}{name}"
    nearby = Fraction(constant).limit_denominator(24)
    number = str(nearby) if abs(nearby - constant) < 1e-9 else f"{constant:.6g}"
    if abs(constant) < 1e-9:
        return moving if slope > 0 else f"-{moving}"
    if slope < 0:
        return f"{number} - {moving}"
    return f"{moving} + {number}" if constant > 0 else f"{moving} - {number.lstrip('-')}"
