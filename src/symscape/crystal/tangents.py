"""How atoms and cell move along the axes of a slice: lengths of steps, and forces along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.slice import Slice

#: share of an axis's range over which differences are taken; positions are linear in it
_STEP = 1e-4
#: strains below this per axis unit are rounding
_NO_STRAIN = 1e-9


@dataclass(frozen=True, eq=False)
class Tangents:
    """Derivatives of structures with respect to the two axis values.

    Parameters
    ----------
    displacements
        Of the atoms relative to the cell, angstrom per axis unit, shape (n, 2, n_atoms, 3).
    strains
        Deformation gradient per axis unit, shape (n, 2, 3, 3): with it a position (row) ``x``
        becomes ``x + x @ strain``.
    volumes
        Of the cells in angstrom^3, shape (n,).
    """

    displacements: np.ndarray
    strains: np.ndarray
    volumes: np.ndarray

    @property
    def strained(self) -> np.ndarray:
        """Whether the cell changes along each axis, shape (n, 2)."""
        return np.abs(self.strains).max(axis=(-1, -2)) > _NO_STRAIN

    def metric(self) -> np.ndarray:
        """Squared root-mean-square displacement in angstrom^2 per axis unit^2, shape (n, 2, 2).

        The atoms' mean displacement is left out: a crystal that moves as a whole has not changed.
        A strain has no displacement of its own, since that grows with the distance from wherever
        the origin is; what counts is how two atoms a mean interatomic distance apart,
        l = (volume per atom)^(1/3), move against each other: l^2/3 times the squared Frobenius
        norm of the symmetric strain, the mean over all directions.
        """
        moves = self.displacements - self.displacements.mean(axis=2, keepdims=True)
        n_atoms = moves.shape[2]
        internal = np.einsum("niak,njak->nij", moves, moves) / n_atoms
        strain = (self.strains + np.swapaxes(self.strains, -1, -2)) / 2
        apart = np.cbrt(self.volumes / n_atoms) ** 2 / 3
        return internal + apart[:, None, None] * np.einsum("niab,njab->nij", strain, strain)

    def generalized_forces(
        self, forces: np.ndarray, stresses: np.ndarray | None = None
    ) -> np.ndarray:
        """Minus the derivative of the cell's energy with respect to the axis values.

        ``sum_atoms F . dx/dtheta - volume * stress : dstrain/dtheta``.

        Parameters
        ----------
        forces
            eV/angstrom, shape (n, n_atoms, 3).
        stresses
            eV/angstrom^3, positive under tension, shape (n, 3, 3), if known; NaN where not.

        Returns
        -------
        np.ndarray
            eV per axis unit, shape (n, 2); NaN along axes that strain the cell where no stress is
            given.
        """
        result = np.einsum("niak,nak->ni", self.displacements, forces)
        if stresses is None:
            return np.where(self.strained, np.nan, result)
        work = np.einsum("nab,niab->ni", stresses, self.strains)
        # without strain a stress does no work, also where it is not known
        return result - np.where(self.strained, self.volumes[:, None] * work, 0.0)


def tangents(slice: Slice, values: np.ndarray, *, primitive: bool = True) -> Tangents:
    """Compute how the structures of a slice move along its axes.

    Parameters
    ----------
    slice
        The slice.
    values
        Axis values, shape (n, 2).
    primitive
        Whether for primitive or conventional cells.
    """
    values = np.asarray(values, dtype=float).reshape(-1, 2)
    n = len(values)
    steps = _STEP * np.array([axis.stop - axis.start for axis in slice.axes])
    offsets = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [0, 0]]) * steps
    # one call for all: two directions, two signs, and the point itself
    places = (values[:, None, :] + offsets).reshape(-1, 2)
    structures = slice.structures_at(places, primitive=primitive)
    cells = structures.cells.reshape(n, 5, 3, 3)
    positions = structures.positions.reshape(n, 5, -1, 3)
    fractional = positions @ np.linalg.inv(cells)
    here = cells[:, 4]
    slopes = (fractional[:, [0, 2]] - fractional[:, [1, 3]]) / (2 * steps)[:, None, None]
    growth = (cells[:, [0, 2]] - cells[:, [1, 3]]) / (2 * steps)[:, None, None]
    return Tangents(
        slopes @ here[:, None],
        np.linalg.inv(here)[:, None] @ growth,
        np.abs(np.linalg.det(here)),
    )


def displacement_metric(slice: Slice) -> np.ndarray:
    """Return the squared root-mean-square displacement per axis unit^2 at the slice's crystal.

    See `Tangents.metric` for what counts as displacement. The metric is the crystal's, taken for
    the whole slice: along Wyckoff coordinates it changes only with the cell.

    Returns
    -------
    np.ndarray
        Angstrom^2 per axis unit^2, shape (2, 2).
    """
    origins = np.array([[axis.origin for axis in slice.axes]])
    return tangents(slice, origins).metric()[0]


def crystal_at(slice: Slice, values: tuple[float, float]) -> Crystal:
    """Return the crystal at one point of a slice.

    Parameters
    ----------
    slice
        The slice.
    values
        The two axis values.
    """
    crystal, here = slice.crystal, np.asarray(values, dtype=float)
    theta = crystal.theta + (here - slice.origins) @ slice.weights
    return Crystal(
        slice.cells_at(here[None])[0],
        crystal.positions_at(theta),
        crystal.numbers,
        crystal.hall_number,
    )
