"""Atoms and cell of a crystal as one set of coordinates for an optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import expm

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.science.hull.kept_symmetry import KeptSymmetry


class DeformingCrystal:
    """A crystal whose cell deforms by the exponential of a matrix.

    Coordinates are the positions without the deformation in angstrom, and below them the
    deformation's logarithm times the number of atoms, shape (n_atoms + 3, 3). They are those of
    ASE's ``FrechetCellFilter``, which finds the logarithm and nine derivatives of the exponential
    anew at every step: here the logarithm is what is kept, and one exponential of a matrix twice as
    large holds all derivatives [1]_.

    Parameters
    ----------
    work
        Moves when the coordinates do.
    symmetry
        Of ``work`` as it is now; kept by all moves. None: whatever forces do.

    References
    ----------
    .. [1] A. H. Al-Mohy and N. J. Higham, SIAM J. Matrix Anal. Appl. 30, 1639 (2009),
       doi:10.1137/080716426
    """

    def __init__(self, work: Atoms, symmetry: KeptSymmetry | None = None):
        self.work = work
        self.symmetry = symmetry
        self._cell = work.cell.array.copy()
        self._logarithm = np.zeros((3, 3))
        self._positions = work.positions.copy()

    def coordinates(self) -> np.ndarray:
        """Return the coordinates, shape (n_atoms + 3, 3)."""
        return np.concatenate([self._positions, len(self.work) * self._logarithm])

    def move(self, step: np.ndarray) -> None:
        """Add to the coordinates what of a step keeps the symmetry, shape (n_atoms + 3, 3)."""
        n = len(self.work)
        step = self._symmetric(step)
        self._positions = self._positions + step[:n]
        self._logarithm = self._logarithm + step[n:] / n
        deformation = expm(self._logarithm)
        self.work.cell.array[:] = self._cell @ deformation.T
        self.work.positions[:] = self._positions @ deformation.T

    def forces(self, forces: np.ndarray, stress: np.ndarray) -> np.ndarray:
        """Return minus the energy's derivative by the coordinates, shape (n_atoms + 3, 3).

        Parameters
        ----------
        forces
            On the atoms where they are now, eV/angstrom, shape (n_atoms, 3).
        stress
            eV/angstrom^3, shape (3, 3).
        """
        deformation, n = expm(self._logarithm), len(self.work)
        virial = -abs(np.linalg.det(self.work.cell.array)) * stress
        by_deformation = virial @ np.linalg.inv(deformation.T)
        # the upper right block is the adjoint of the exponential's derivative
        both = np.zeros((6, 6))
        both[:3, :3] = both[3:, 3:] = self._logarithm.T
        both[:3, 3:] = by_deformation
        by_logarithm = expm(both)[:3, 3:]
        return self._symmetric(np.concatenate([forces @ deformation, by_logarithm / n]))

    def _symmetric(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the part of a change of the coordinates that keeps the symmetry."""
        if self.symmetry is None:
            return coordinates
        moves, strain = coordinates[:-3], coordinates[-3:]
        return np.concatenate([self.symmetry.vectors(moves), self.symmetry.tensor(strain)])
