"""Whether two crystals are the same up to an isometry, by constructing it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np

from symscape.crystal.contacts import minimum_image_distances

#: Atoms and lattice vectors of congruent structures agree within this (angstrom).
TOLERANCE = 1e-3
_ROWS = np.array(list(product(range(-2, 3), repeat=3)))
#: so many distances tell an atom's surroundings
_NEAREST = 16


def congruent(
    numbers: np.ndarray,
    positions: np.ndarray,
    cell: np.ndarray,
    other_positions: np.ndarray,
    other_cell: np.ndarray,
    tolerance: float = TOLERANCE,
) -> bool:
    """Tell whether two crystals of the same atoms are the same up to an isometry.

    Mirror images count as the same. Both cells must hold the same atoms in the same order.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (n_atoms,).
    positions, other_positions
        Cartesian, angstrom, shape (n_atoms, 3).
    cell, other_cell
        Minkowski-reduced lattice vectors as rows, shape (3, 3).
    tolerance
        Largest mismatch of atoms and lattice vectors in angstrom.
    """
    bases = _matching_bases(cell, other_cell, tolerance)
    if not bases:
        return False
    possible, unlike = _possible_images(
        numbers, (positions, cell), (other_positions, other_cell), bases, tolerance
    )
    if not (possible.any(axis=1).all() and possible.any(axis=0).all()):
        return False
    telling, telling_there = _most_telling(possible, unlike), _most_telling(possible.T, unlike.T)
    species, counts = np.unique(numbers, return_counts=True)
    first = np.flatnonzero(numbers == species[counts.argmin()])[0]
    there = other_positions @ np.linalg.inv(other_cell)
    for basis in bases:
        # ``basis`` spans the first lattice and has the other cell's lengths and angles.
        here = positions @ np.linalg.inv(basis)
        shifts = there[possible[first]] - here[first]
        # most shifts fail at the first atoms, of either crystal
        _, apart = _nearest(possible.T, there, here, -shifts, other_cell, telling_there[:4])
        shifts = shifts[apart.max(axis=1) < tolerance]
        for block in _blocks(len(numbers)):
            if not len(shifts):
                break
            atoms = telling[block]
            _, apart = _nearest(possible, here, there, shifts, other_cell, atoms)
            shifts = shifts[apart.max(axis=1) < tolerance]
        for shift in shifts:
            nearest, _ = _nearest(possible, here, there, shift[None], other_cell, telling)
            if len(np.unique(nearest)) == len(numbers):
                return True
    return False


def _possible_images(
    numbers: np.ndarray,
    here: tuple[np.ndarray, np.ndarray],
    there: tuple[np.ndarray, np.ndarray],
    bases: Sequence[np.ndarray],
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Tell which atoms of one crystal may be mapped to which of another, and how unlike they are.

    Atoms must be of one element and have like distances to the nearest others: an isometry
    changes no distance, the tolerance each by twice as much, and the k-th smallest of several
    numbers by no more than the largest change of any.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (n_atoms,).
    here, there
        Positions and reduced cell.
    bases
        As `_matching_bases` gives them: the first lattice is strained into the other.
    tolerance
        Of an atom's place, angstrom.

    Returns
    -------
    Booleans and angstrom, both of shape (n_atoms, n_atoms).
    """
    alike = numbers[:, None] == numbers[None]
    if len(numbers) < 2:
        return alike, np.zeros(alike.shape)
    near, other_near = _nearest_distances(*here), _nearest_distances(*there)
    inverse = np.linalg.inv(there[1])
    stretches = np.linalg.svd(inverse @ np.array(bases), compute_uv=False)
    slack = 2 * tolerance + np.abs(stretches - 1).max() * near.max() + 1e-9
    gaps = np.abs(near[:, None] - other_near[None]).max(axis=2)
    return alike & (gaps < slack), gaps


def _most_telling(possible: np.ndarray, unlike: np.ndarray) -> np.ndarray:
    """Order atoms by how soon they show that a map is none.

    That are those with few possible images, and among equals those unlike their images.

    Parameters
    ----------
    possible, unlike
        As `_possible_images` gives them, each atom with an image at least.
    """
    choices = possible.sum(axis=1)
    mean = np.where(possible, unlike, 0.0).sum(axis=1) / choices
    return np.lexsort((-mean, choices))


def _nearest_distances(positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Distances of each atom to the others that are nearest, ascending, shape (n_atoms, k)."""
    n = len(positions)
    first, second = np.triu_indices(n, k=1)
    table = np.full((n, n), np.inf)
    table[first, second] = minimum_image_distances(positions[None], cell[None])[0]
    return np.sort(np.minimum(table, table.T), axis=1)[:, : min(_NEAREST, n - 1)]


def _blocks(count: int) -> list[slice]:
    """Return slices over ``count`` atoms, a few first and then twice as many each time."""
    edges = [0]
    while edges[-1] < count:
        edges.append(max(4, 2 * edges[-1]))
    return [slice(a, b) for a, b in pairwise(edges)]


def _nearest(
    possible: np.ndarray,
    here: np.ndarray,
    there: np.ndarray,
    shifts: np.ndarray,
    cell: np.ndarray,
    atoms: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """For some atoms, the possible image nearest to each after each shift, and its distance.

    Positions and shifts are fractional in ``cell``; both results have shape (n_shifts, n_atoms),
    distances in angstrom.
    """
    images = np.flatnonzero(possible[atoms].any(axis=0))
    gaps = (here[atoms][None, :, None] + shifts[:, None, None]) - there[images][None, None]
    apart = np.linalg.norm((gaps - np.round(gaps)) @ cell, axis=-1)
    apart[:, ~possible[np.ix_(atoms, images)]] = np.inf
    nearest = apart.argmin(axis=2)
    return images[nearest], np.take_along_axis(apart, nearest[..., None], axis=2)[..., 0]


def _matching_bases(cell: np.ndarray, other: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """Bases of the lattice of ``cell`` with the Gram matrix of ``other``.

    Coefficients of -2 to 2 are more than enough between two Minkowski-reduced bases.
    """
    here, there = abs(np.linalg.det(cell)), abs(np.linalg.det(other))
    vectors = _ROWS @ cell
    lengths = np.linalg.norm(vectors, axis=1)
    wanted = other @ other.T
    slack = 2 * tolerance * np.sqrt(np.diag(wanted)).max()
    fitting = [vectors[np.abs(lengths - np.sqrt(wanted[k, k])) < tolerance] for k in range(3)]
    bases = []
    for a in fitting[0]:
        for b in fitting[1][np.abs(fitting[1] @ a - wanted[0, 1]) < slack]:
            angles = np.abs(fitting[2] @ np.array([a, b]).T - wanted[2, :2])
            for c in fitting[2][(angles < slack).all(axis=1)]:
                basis = np.array([a, b, c])
                volume = abs(np.linalg.det(basis))
                # vectors in a plane span nothing, those of a sublattice too much
                if 0.5 * there < volume < 1.5 * here:
                    bases.append(basis)
    return bases
