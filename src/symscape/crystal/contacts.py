"""Closest pairs of atoms under periodic boundary conditions, for many structures at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symscape.crystal.structures import Structures

#: How many squared distances are held in memory at a time.
_CHUNK = 4_000_000
#: With a Minkowski-reduced cell and differences wrapped to [-1/2, 1/2] these images are enough.
_IMAGES = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


@dataclass(frozen=True)
class Contact:
    """The pair of atoms of a structure that is closest for its covalent radii.

    Parameters
    ----------
    elements
        Chemical symbols.
    indices
        The atoms; equal for an atom and its own periodic image.
    distance
        Angstrom.
    ratio
        Distance over the sum of the covalent radii.
    """

    elements: tuple[str, str]
    indices: tuple[int, int]
    distance: float
    ratio: float

    def __str__(self) -> str:
        return f"{self.elements[0]}-{self.elements[1]} {self.distance:.3f} angstrom"


def covalent_radii(numbers: np.ndarray) -> np.ndarray:
    """Return ASE's covalent radii in angstrom (Cordero et al., Dalton Trans. 2008, 2832)."""
    from ase.data import covalent_radii as radii

    return np.asarray(radii)[numbers]


def reduced_cells(cells: np.ndarray) -> np.ndarray:
    """Return Minkowski-reduced cells of the same lattices, shape (n, 3, 3).

    The search for a reduction runs once for each distinct cell.
    """
    from ase.geometry import minkowski_reduce

    distinct, which = np.unique(cells.reshape(-1, 9), axis=0, return_inverse=True)
    reduced = np.array([minkowski_reduce(cell.reshape(3, 3))[0] for cell in distinct])
    return reduced[which.ravel()]


def closest_ratios(structures: Structures) -> np.ndarray:
    """Return the least distance over sum of covalent radii of each structure, shape (n,).

    All pairs count, an atom and its own periodic images included.

    Parameters
    ----------
    structures
        Any structures; those with the same atoms are worked on together.
    """
    result = np.empty(len(structures))
    reduced = reduced_cells(structures.cells)
    for chosen, numbers, positions in _same_atoms(structures):
        radii = covalent_radii(numbers)
        own = _shortest_vectors(reduced[chosen]) / (2 * radii.max())
        result[chosen] = np.minimum(own, _pair_ratios(radii, positions, reduced[chosen]))
    return result


def _pair_ratios(radii: np.ndarray, positions: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the least ratio of two different atoms in each of like structures, shape (n,).

    In one cell, pairs that keep their distance are measured once, and pairs that can't become the
    closest, by the triangle inequality, not at all.
    """
    first, second = np.triu_indices(len(radii), k=1)
    sums = radii[first] + radii[second]
    if not len(first):
        return np.full(len(positions), np.inf)
    if (cells != cells[0]).any():
        return (minimum_image_distances(positions, cells) / sums).min(axis=1)
    start = minimum_image_distances(positions[:1], cells[:1])[0]
    drift = np.linalg.norm(positions - positions[0], axis=-1).max(axis=0)
    rigid = rigid_groups(positions)
    reach = np.where(rigid[first] == rigid[second], 0.0, drift[first] + drift[second])
    highest = ((start + reach) / sums).min()
    moving = (reach > 0) & ((start - reach) / sums <= highest)
    fixed = (start / sums)[reach == 0].min(initial=np.inf)
    pairs = (first[moving], second[moving])
    ratios = minimum_image_distances(positions, cells, pairs) / sums[moving]
    return np.asarray(ratios.min(axis=1, initial=fixed))


def rigid_groups(positions: np.ndarray) -> np.ndarray:
    """Return for each atom the number of its group, those that move together, shape (n_atoms,).

    Parameters
    ----------
    positions
        Cartesian, angstrom, shape (n, n_atoms, 3).
    """
    moves = np.swapaxes(positions - positions[0], 0, 1).reshape(positions.shape[1], -1)
    return np.unique(np.round(moves, 9), axis=0, return_inverse=True)[1].ravel()


def minimum_image_distances(
    positions: np.ndarray, cells: np.ndarray, pairs: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """Return the shortest distance of pairs of atoms, shape (n, n_pairs), in angstrom.

    Parameters
    ----------
    positions
        Cartesian, angstrom, shape (n, n_atoms, 3).
    cells
        Minkowski-reduced, shape (n, 3, 3).
    pairs
        Indices of the first and the second atoms; ``np.triu_indices(n_atoms, k=1)`` if None.
    """
    first, second = np.triu_indices(positions.shape[1], k=1) if pairs is None else pairs
    distances = np.empty((len(positions), len(first)))
    step = max(1, _CHUNK // (len(_IMAGES) * max(1, len(first))))
    for start in range(0, len(positions), step):
        part = slice(start, start + step)
        gaps = positions[part][:, second] - positions[part][:, first]
        distances[part] = np.sqrt(_squared_distances(cells[part], gaps).min(axis=-1))
    return distances


def closest_contact(numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray) -> Contact:
    """Return the closest pair of one structure, measured by the covalent radii.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (n_atoms,).
    positions
        Cartesian, angstrom, shape (n_atoms, 3).
    cell
        Lattice vectors as rows in angstrom, shape (3, 3).
    """
    from ase.data import chemical_symbols

    cells = reduced_cells(np.asarray(cell, dtype=float)[None])
    radii = covalent_radii(numbers)
    first, second = np.triu_indices(len(numbers), k=1)
    distances = minimum_image_distances(np.asarray(positions)[None], cells)[0]
    own = float(_shortest_vectors(cells)[0])
    largest = int(radii.argmax())
    i, j, distance = largest, largest, own
    ratios = distances / (radii[first] + radii[second])
    if len(ratios) and ratios.min() < own / (2 * radii[largest]):
        k = int(ratios.argmin())
        i, j, distance = int(first[k]), int(second[k]), float(distances[k])
    return Contact(
        (str(chemical_symbols[numbers[i]]), str(chemical_symbols[numbers[j]])),
        (i, j),
        distance,
        distance / float(radii[i] + radii[j]),
    )


def _same_atoms(
    structures: Structures,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (indices, numbers (n_atoms,), positions (k, n_atoms, 3)) of like structures."""
    counts = structures.n_atoms
    for count in np.unique(counts):
        members = np.flatnonzero(counts == count)
        atoms = structures.offsets[members][:, None] + np.arange(count)
        kinds, which = np.unique(structures.numbers[atoms], axis=0, return_inverse=True)
        for k, numbers in enumerate(kinds):
            rows = which.ravel() == k
            yield members[rows], numbers, structures.positions[atoms[rows]]


def _squared_distances(cells: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Squared lengths of the gaps' periodic images, shape (n, n_pairs, 27).

    Parameters
    ----------
    cells
        Minkowski-reduced, shape (n, 3, 3).
    gaps
        Cartesian differences, shape (n, n_pairs, 3).
    """
    fractional = gaps @ np.linalg.inv(cells)
    short = (fractional - np.round(fractional)) @ cells
    shifts = _IMAGES @ cells
    products = short @ np.swapaxes(shifts, 1, 2)
    squared = (short**2).sum(-1)[..., None] + 2 * products + (shifts**2).sum(-1)[:, None, :]
    return np.maximum(squared, 0.0)


def _shortest_vectors(cells: np.ndarray) -> np.ndarray:
    """Length of the shortest lattice vector of reduced cells, shape (n,)."""
    return np.linalg.norm(cells, axis=-1).min(axis=-1)
