"""What is special about the structures at which a model fails.

Artifacts of potentials sit at local environments that their training never saw: atoms too close,
coordination numbers that no known crystal has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from symscape.crystal.contacts import Contact, closest_contact, covalent_radii
from symscape.crystal.slice import Slice

#: atoms nearer than this times the sum of their covalent radii are neighbours
NEIGHBOUR_RATIO = 1.25


@dataclass(frozen=True)
class CoordinationChange:
    """How many neighbours of one element the atoms of another have lost or won.

    Parameters
    ----------
    element, neighbour
        Chemical symbols.
    before, here
        Mean number of neighbours at the equilibrium and here.
    """

    element: str
    neighbour: str
    before: float
    here: float

    def __str__(self) -> str:
        return f"{self.element} has {self.here:g} {self.neighbour} neighbours, not {self.before:g}"


@dataclass(frozen=True)
class Environment:
    """What a structure looks like, beside an equilibrium structure of the same atoms.

    Parameters
    ----------
    closest
        The pair that is closest for its covalent radii.
    closest_before
        The closest pair at the equilibrium.
    coordination
        Coordination numbers that differ from the equilibrium's, the largest change first.
    """

    closest: Contact
    closest_before: Contact
    coordination: tuple[CoordinationChange, ...]

    def __str__(self) -> str:
        text = (
            f"{self.closest}, {self.closest.ratio:.2f} of the covalent radii "
            f"({self.closest_before.ratio:.2f} at the minimum)"
        )
        return "; ".join([text, *map(str, self.coordination)])


def coordination_numbers(
    numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, ratio: float = NEIGHBOUR_RATIO
) -> dict[tuple[int, int], float]:
    """Return the mean number of neighbours of each pair of elements.

    Parameters
    ----------
    numbers, positions, cell
        Atomic numbers (n_atoms,), positions (n_atoms, 3) and lattice vectors (3, 3) in angstrom.
    ratio
        Atoms nearer than this times the sum of their covalent radii are neighbours.

    Returns
    -------
    dict
        (atomic number, neighbour's atomic number) to the number of such neighbours per atom.
    """
    from ase.neighborlist import primitive_neighbor_list

    first, second = primitive_neighbor_list(
        "ij", (True, True, True), cell, positions, ratio * covalent_radii(numbers)
    )
    elements, counts = np.unique(numbers, return_counts=True)
    pairs = np.stack([numbers[first], numbers[second]], axis=1)
    return {
        (int(a), int(b)): float((pairs == (a, b)).all(axis=1).sum() / n)
        for a, n in zip(elements, counts, strict=True)
        for b in elements
    }


def describe_environment(
    here: tuple[np.ndarray, np.ndarray, np.ndarray],
    before: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Environment:
    """Compare a structure with the equilibrium structure.

    Parameters
    ----------
    here, before
        Atomic numbers, positions and cell, as `Structures.arrays` returns them.
    """
    from ase.data import chemical_symbols

    now, then = coordination_numbers(*here), coordination_numbers(*before)
    changes = [
        CoordinationChange(
            str(chemical_symbols[a]), str(chemical_symbols[b]), then[a, b], now[a, b]
        )
        for a, b in now
        if abs(now[a, b] - then[a, b]) > 1e-9
    ]
    changes.sort(key=lambda c: -abs(c.here - c.before))
    return Environment(closest_contact(*here), closest_contact(*before), tuple(changes))


def describe_points(
    slice: Slice, points: Iterable[tuple[int, int]], equilibrium: tuple[int, int]
) -> list[Environment]:
    """Say what is special at grid points of a slice.

    Parameters
    ----------
    slice
        The slice.
    points
        Grid indices.
    equilibrium
        Grid indices of the minimum that they are compared with.
    """
    wanted = [*points, equilibrium]
    flat = np.ravel_multi_index(tuple(np.array(wanted).T), slice.shape)
    structures = slice.structures_at(slice.grid_values[flat])
    before = structures.arrays(len(wanted) - 1)
    return [describe_environment(structures.arrays(k), before) for k in range(len(wanted) - 1)]


def regions(chosen: np.ndarray, periodic: tuple[bool, bool] = (False, False)) -> list[np.ndarray]:
    """Split grid points into connected regions, the largest first.

    Parameters
    ----------
    chosen
        True at the points, shape (n_u, n_v).
    periodic
        Whether each axis wraps around.

    Returns
    -------
    list of np.ndarray
        Grid indices of each region, shape (n, 2); points that touch at a corner are one region.
    """
    from scipy.ndimage import label

    labels, count = label(chosen, np.ones((3, 3)))
    parent = np.arange(count + 1)
    for axis in (0, 1):
        if not periodic[axis]:
            continue
        first, last = np.take(labels, 0, axis), np.take(labels, -1, axis)
        for shift in (-1, 0, 1):
            other = np.roll(last, shift)
            if not periodic[1 - axis] and shift:
                other[0 if shift > 0 else -1] = 0
            for a, b in zip(first, other, strict=True):
                if a and b:
                    parent[parent == parent[b]] = parent[a]
    merged = parent[labels]
    found = [np.argwhere(merged == k) for k in np.unique(merged[chosen])]
    return sorted(found, key=lambda points: -len(points))
