"""Which grid point a geometry from elsewhere is, whatever its origin, atom order, cell or axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.slice import Slice
from symscape.dft.grid_ledger import SAME_GEOMETRY_A

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True, eq=False)
class Match:
    """How a geometry lies on a grid point.

    Parameters
    ----------
    index
        Flat index of the grid point.
    cell
        The geometry's primitive cell in the grid point's place, rows in angstrom, shape (3, 3).
    positions
        Its fractional positions there, atoms in the slice's order, shape (n_atoms, 3).
    order
        For each atom of the slice its copies in the geometry, shape (n_atoms, n_cells).
    rotation
        A row vector of the geometry times this is the vector in the grid point's axes, (3, 3).
    deviation_A
        Largest distance of an atom, or change of a lattice vector, from the grid point, angstrom.
    """

    index: int
    cell: np.ndarray
    positions: np.ndarray
    order: np.ndarray
    rotation: np.ndarray
    deviation_A: float

    @property
    def turned(self) -> float:
        """How far the geometry is turned against the grid point; 0 if it is not."""
        return float(np.abs(self.rotation - np.eye(3)).max())

    def vectors(self, vectors: np.ndarray) -> np.ndarray:
        """Carry vectors of the geometry's atoms over to the slice's, copies averaged, (n, 3)."""
        return np.asarray((vectors @ self.rotation)[self.order].mean(axis=1))

    def tensor(self, tensor: np.ndarray) -> np.ndarray:
        """Carry a tensor such as the stress over, shape (3, 3)."""
        return np.asarray(self.rotation.T @ tensor @ self.rotation)


class GridMatcher:
    """Finds grid points for geometries.

    Congruent structures are recognized whatever their origin, the order of their atoms, the choice
    of their lattice vectors (multiples of the primitive cell included) and their orientation,
    mirror images too: all of these leave the energy as it is.

    Parameters
    ----------
    the_slice
        The slice.
    tolerance_A
        Largest accepted deviation from a grid point, angstrom.
    """

    def __init__(self, the_slice: Slice, tolerance_A: float = SAME_GEOMETRY_A) -> None:
        self.slice = the_slice
        self.tolerance_A = tolerance_A
        self.structures = the_slice.structures()
        self.numbers = self.structures.arrays(0)[0]
        self.volumes = np.abs(np.linalg.det(self.structures.cells))
        self._distances: dict[int, np.ndarray] = {}

    def composition_fits(self, atoms: Atoms) -> bool:
        """Whether the geometry holds the slice's atoms a whole number of times."""
        kinds, counts = np.unique(self.numbers, return_counts=True)
        other_kinds, other_counts = np.unique(atoms.numbers, return_counts=True)
        if not np.array_equal(kinds, other_kinds):
            return False
        times = len(atoms) / len(self.numbers)
        return bool(times == int(times) and np.array_equal(counts * int(times), other_counts))

    def matches(self, atoms: Atoms) -> list[Match]:
        """Return all grid points that the geometry is, the least turned and nearest first."""
        if not self.composition_fits(atoms):
            return []
        times = len(atoms) // len(self.numbers)
        share = abs(atoms.get_volume()) / times
        near = np.flatnonzero(np.abs(self.volumes / share - 1) < 1e-3)
        own = near_distances(atoms.cell.array, atoms.positions)
        found = []
        for index in near:
            other = np.repeat(self._near(int(index)), times)
            if len(own) == len(other) and np.abs(own - other).max() > 4 * self.tolerance_A:
                continue
            match = self.match_at(atoms, int(index), times)
            if match is not None:
                found.append(match)
        return sorted(found, key=lambda m: (round(m.turned, 3), round(m.deviation_A, 6), m.index))

    def _near(self, index: int) -> np.ndarray:
        if index not in self._distances:
            _, positions, cell = self.structures.arrays(index)
            self._distances[index] = near_distances(cell, positions)
        return self._distances[index]

    def match_at(self, atoms: Atoms, index: int, times: int) -> Match | None:
        """Lay the geometry on one grid point, ``times`` atoms on each of its own.

        All ways of laying the lattices on each other are tried; None if none fits.
        """
        from pymatgen.core import Lattice

        _, built, cell = self.structures.arrays(index)
        target = Lattice(cell)
        wanted = np.linalg.solve(cell.T, built.T).T
        own = atoms.cell.array
        fractional = np.linalg.solve(own.T, atoms.positions.T).T
        # a lattice vector may be off by the tolerance
        ltol = 2 * self.tolerance_A / np.linalg.norm(own, axis=1).min() + 1e-6
        best: Match | None = None
        for aligned, _, scale in target.find_all_mappings(
            Lattice(own), ltol=ltol, atol=0.05, skip_rotation_matrix=True
        ):
            if round(abs(float(np.linalg.det(scale)))) != times:
                continue
            rotation = _nearest_rotation(own, aligned.matrix)
            placed_cell = np.linalg.solve(scale, own @ rotation)
            found = self._lay(fractional @ scale, atoms.numbers, wanted, placed_cell, times)
            if found is None:
                continue
            positions, order = found
            gaps = positions - wanted
            apart = np.linalg.norm((gaps - np.rint(gaps)) @ cell, axis=1).max()
            deviation = max(float(apart), float(np.abs(placed_cell - cell).max()))
            match = Match(index, placed_cell, positions, order, rotation, deviation)
            if deviation <= self.tolerance_A and (best is None or match.turned < best.turned):
                best = match
            if best is not None and best.turned < 1e-6:
                break
        return best

    def _lay(
        self,
        fractional: np.ndarray,
        numbers: np.ndarray,
        wanted: np.ndarray,
        cell: np.ndarray,
        times: int,
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Find the shift that puts every atom on one of the grid point's, ``times`` on each.

        Returns
        -------
        tuple or None
            Fractional positions of the copies' means, shape (n_atoms, 3), and which atoms they
            are, shape (n_atoms, times).
        """
        kinds, counts = np.unique(self.numbers, return_counts=True)
        rare = kinds[int(counts.argmin())]
        anchor = wanted[self.numbers == rare][0]
        different = numbers[:, None] != self.numbers[None, :]
        # positions are off by the tolerance, the anchor as well, and cells strain what lies between
        reach = 4 * self.tolerance_A
        for candidate in fractional[numbers == rare]:
            placed = fractional - candidate + anchor
            gaps = placed[:, None, :] - wanted[None, :, :]
            gaps -= np.rint(gaps)
            distances = np.where(different, np.inf, np.linalg.norm(gaps @ cell, axis=-1))
            nearest = distances.argmin(axis=1)
            if distances[np.arange(len(nearest)), nearest].max() > reach:
                continue
            if (np.bincount(nearest, minlength=len(wanted)) != times).any():
                continue
            order = np.argsort(nearest, kind="stable").reshape(len(wanted), times)
            own = gaps[order, np.arange(len(wanted))[:, None]]
            # the best shift is the mean one
            means = own.mean(axis=1)
            return wanted + means - means.mean(axis=0), order
        return None


def _nearest_rotation(vectors: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Return the orthogonal matrix R for which ``vectors @ R`` is nearest to ``turned``."""
    left, _, right = np.linalg.svd(np.linalg.solve(vectors, turned))
    return np.asarray(left @ right)


def near_distances(cell: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return each atom's distances to its eight nearest neighbours, all sorted together.

    Equal for congruent structures, whatever cell describes them.
    """
    from ase.geometry import minkowski_reduce

    reduced = minkowski_reduce(cell)[0]
    fractional = np.linalg.solve(reduced.T, positions.T).T
    gaps = fractional[:, None] - fractional[None]
    gaps -= np.rint(gaps)
    span = np.arange(-2, 3)
    images = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    distances = np.linalg.norm((gaps[:, :, None] + images) @ reduced, axis=-1)
    per_atom = np.sort(distances.reshape(len(positions), -1), axis=1)
    return np.asarray(np.sort(per_atom[:, 1:9].ravel()))
