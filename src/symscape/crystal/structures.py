"""Many periodic structures in flat arrays: what slices yield and what models take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True, eq=False)
class Structures:
    """A sequence of periodic structures, atoms concatenated.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (n_total_atoms,), integer.
    positions
        Cartesian positions in angstrom, shape (n_total_atoms, 3).
    cells
        Lattice vectors as rows in angstrom, shape (n_structures, 3, 3).
    offsets
        Structure ``i`` owns atoms ``offsets[i]:offsets[i + 1]``, shape (n_structures + 1,).
    """

    numbers: np.ndarray
    positions: np.ndarray
    cells: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def n_atoms(self) -> np.ndarray:
        """Number of atoms of each structure, shape (n_structures,)."""
        return np.diff(self.offsets)

    def __getitem__(self, index: slice | np.ndarray | list[int]) -> Structures:
        """Return the chosen structures, in the order of ``index`` (a slice or integer array)."""
        chosen = np.arange(len(self))[index]
        if chosen.ndim != 1:
            raise TypeError("index Structures with a slice or an integer array")
        counts = self.n_atoms[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        atoms = np.repeat(self.offsets[chosen] - offsets[:-1], counts) + np.arange(offsets[-1])
        return Structures(self.numbers[atoms], self.positions[atoms], self.cells[chosen], offsets)

    def arrays(self, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (numbers, positions, cell) of structure ``i``, views without copying."""
        own = slice(self.offsets[i], self.offsets[i + 1])
        return self.numbers[own], self.positions[own], self.cells[i]

    def atoms(self, i: int) -> Atoms:
        """Return structure ``i`` as a periodic ``ase.Atoms``."""
        from ase import Atoms

        numbers, positions, cell = self.arrays(i)
        return Atoms(numbers=numbers, positions=positions, cell=cell, pbc=True)

    def __iter__(self) -> Iterator[Atoms]:
        return (self.atoms(i) for i in range(len(self)))

    @classmethod
    def stack(cls, numbers: np.ndarray, positions: np.ndarray, cells: np.ndarray) -> Structures:
        """Make ``n`` structures that share their atoms.

        Parameters
        ----------
        numbers
            Atomic numbers, shape (n_atoms,).
        positions
            Cartesian positions in angstrom, shape (n, n_atoms, 3).
        cells
            Lattice vectors as rows in angstrom, shape (n, 3, 3).
        """
        n, n_atoms = positions.shape[:2]
        return cls(
            np.tile(np.asarray(numbers, dtype=int), n),
            np.ascontiguousarray(positions, dtype=float).reshape(-1, 3),
            np.ascontiguousarray(cells, dtype=float),
            np.arange(n + 1) * n_atoms,
        )

    @classmethod
    def from_atoms(cls, images: Iterable[Atoms]) -> Structures:
        """Collect ``ase.Atoms`` objects; all are taken as periodic in three directions."""
        images = list(images)
        counts = [len(a) for a in images]
        return cls(
            np.concatenate([a.numbers for a in images]) if images else np.zeros(0, int),
            np.concatenate([a.positions for a in images]) if images else np.zeros((0, 3)),
            np.array([a.cell.array for a in images], dtype=float).reshape(-1, 3, 3),
            np.concatenate([[0], np.cumsum(counts, dtype=int)]),
        )
