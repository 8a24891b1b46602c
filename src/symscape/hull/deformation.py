"""Atoms and cell of a crystal as one set of coordinates for an optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms


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
        Moves when the coordinates do, under its constraints. Its calculator must know the
        forces and the stress wherever `forces` is called.

    References
    ----------
    .. [1] A. H. Al-Mohy and N. J. Higham, SIAM J. Matrix Anal. Appl. 30, 1639 (2009),
       doi:10.1137/080716426
    """

    def __init__(self, work: Atoms):
        self.work = work
        self._cell = work.cell.array.copy()
        self._logarithm = np.zeros((3, 3))

    @property
    def _deformation(self) -> np.ndarray:
        """The matrix that takes columns of the first cell to those of the present one."""
        return np.linalg.solve(self._cell, self.work.cell.array).T

    def coordinates(self) -> np.ndarray:
        """Return the coordinates, shape (n_atoms + 3, 3)."""
        positions = np.linalg.solve(self._deformation, self.work.positions.T).T
        return np.concatenate([positions, len(self.work) * self._logarithm])

    def move(self, coordinates: np.ndarray) -> None:
        """Put atoms and cell where the coordinates say."""
        from scipy.linalg import expm

        n = len(self.work)
        self._logarithm = coordinates[n:] / n
        deformation = expm(self._logarithm)
        self.work.set_cell(self._cell @ deformation.T, scale_atoms=True)
        self.work.set_positions(coordinates[:n] @ deformation.T)

    def forces(self) -> np.ndarray:
        """Return minus the energy's derivative by the coordinates, shape (n_atoms + 3, 3)."""
        from scipy.linalg import expm

        work, deformation = self.work, self._deformation
        virial = -work.cell.volume * work.get_stress(voigt=False)
        by_deformation = virial @ np.linalg.inv(deformation.T)
        # the upper right block is the adjoint of the exponential's derivative
        both = np.zeros((6, 6))
        both[:3, :3] = both[3:, 3:] = self._logarithm.T
        both[:3, 3:] = by_deformation
        by_logarithm = expm(both)[:3, 3:]
        return np.concatenate([work.get_forces() @ deformation, by_logarithm / len(work)])
