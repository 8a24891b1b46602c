"""Slopes of the landscape: forces along the axes of a slice, of DFT and of a model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symscape.crystal.slice import Slice
from symscape.crystal.tangents import tangents
from symscape.references.reference import LandscapeReference
from symscape.science.contracts.potential import Potential


@dataclass(frozen=True, eq=False)
class AxisForces:
    """Forces along the two axes at the grid points of a slice.

    Parameters
    ----------
    along
        Minus the derivative of the energy per atom with respect to the root-mean-square atomic
        displacement along each axis, meV/atom/angstrom, shape (n_u, n_v, 2). NaN where there are
        no forces, and along an axis that strains the cell where there is no stress.
    per_step
        The same per grid step, meV/atom, shape (n_u, n_v, 2): slopes of the grid as it is drawn.
    """

    along: np.ndarray
    per_step: np.ndarray


@dataclass(frozen=True, eq=False)
class ForceComparison:
    """Forces of a model against those of DFT.

    Parameters
    ----------
    reference, model
        Forces along the axes.
    inside
        Points that count, shape (n_u, n_v).
    """

    reference: AxisForces
    model: AxisForces
    inside: np.ndarray

    @cached_property
    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Forces along both axes where both have some, DFT's and the model's, shape (n,) each."""
        a, b = self.reference.along[self.inside], self.model.along[self.inside]
        both = np.isfinite(a) & np.isfinite(b)
        return a[both], b[both]

    @property
    def compared(self) -> int:
        """How many forces are compared."""
        return len(self.known[0])


def axis_forces(slice: Slice, forces: np.ndarray, stresses: np.ndarray | None = None) -> AxisForces:
    """Project forces on the axes of a slice: B transposed times F.

    Parameters
    ----------
    slice
        The slice.
    forces
        eV/angstrom on the primitive cells of the grid, shape (n_u, n_v, n_atoms, 3), NaN where
        there are none.
    stresses
        eV/angstrom^3, shape (n_u, n_v, 3, 3), if known.
    """
    moves = tangents(slice, slice.grid_values)
    n_points, n_atoms = len(slice.grid_values), forces.shape[2]
    generalized = moves.generalized_forces(
        forces.reshape(n_points, n_atoms, 3),
        None if stresses is None else stresses.reshape(n_points, 3, 3),
    )
    per_unit = 1000 * generalized / n_atoms
    lengths = np.sqrt(np.einsum("nii->ni", moves.metric()))
    steps = np.array([(axis.stop - axis.start) / (axis.points - 1) for axis in slice.axes])
    shape = (*slice.shape, 2)
    return AxisForces((per_unit / lengths).reshape(shape), (per_unit * steps).reshape(shape))


def spread_by_symmetry(slice: Slice, per_step: np.ndarray) -> np.ndarray:
    """Give grid points without forces those of the points that are equivalent by symmetry.

    With E(M x + s) = E(x) for the grid indices x, forces per step obey f(M x + s) = M f(x).

    Parameters
    ----------
    slice
        The slice.
    per_step
        Forces per grid step, shape (n_u, n_v, 2), NaN where there are none.
    """
    flat = per_step.reshape(-1, 2).copy()
    for symmetry in slice.grid_symmetries:
        images = np.full(flat.shape, np.nan)
        images[symmetry.permutation] = flat @ symmetry.matrix.T
        lacking = ~np.isfinite(flat).all(axis=1)
        flat[lacking] = images[lacking]
    return flat.reshape(per_step.shape)


def compared_points(reference: LandscapeReference, window: float) -> np.ndarray:
    """Return where DFT has forces to compare with, shape (n_u, n_v), as `compare_forces` does."""
    with np.errstate(invalid="ignore"):
        inside = reference.valid & (reference.relative <= window + 1e-12)
    return inside & np.isfinite(reference.forces).all(axis=(2, 3))


def compare_forces(
    reference: LandscapeReference,
    model: Potential,
    *,
    window: float = 0.5,
) -> ForceComparison:
    """Compare a model's forces with the stored DFT forces where there are any.

    Parameters
    ----------
    reference
        The slice with its DFT energies and forces.
    model
        The potential.
    window
        Points up to this many eV/atom above the DFT minimum count.

    Raises
    ------
    ModelError
        If the model has no forces.

    Notes
    -----
    An axis that strains the cell needs the stress of both; where either has none it is left out.
    """
    slice, inside = reference.slice, compared_points(reference, window)
    points = np.flatnonzero(inside)
    forces, stresses = _model_forces(reference, model, points)
    return ForceComparison(
        axis_forces(slice, reference.forces, reference.stresses),
        axis_forces(slice, forces, stresses),
        inside,
    )


def wants_stresses(reference: LandscapeReference, model: Potential) -> bool:
    """Whether the model is asked for stresses too: an axis that strains the cell needs both's."""
    return reference.stresses is not None and "stress" in model.implements


def _model_forces(
    reference: LandscapeReference, model: Potential, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the model's forces, and its stresses if both have some, on the whole grid.

    Shapes (n_u, n_v, n_atoms, 3) and (n_u, n_v, 3, 3), NaN at points that are not asked for.
    """
    forces = np.full(reference.forces.shape, np.nan)
    both = wants_stresses(reference, model)
    stresses = np.full((*forces.shape[:2], 3, 3), np.nan) if both else None
    if not len(points):
        return forces, stresses
    structures = reference.slice.structures()[points]
    found = model.predict(structures, forces=True, stresses=both)
    assert found.forces is not None
    forces.reshape(-1, *forces.shape[2:])[points] = found.forces.reshape(
        len(points), *forces.shape[2:]
    )
    if stresses is not None:
        assert found.stresses is not None
        stresses.reshape(-1, 3, 3)[points] = found.stresses
    return forces, stresses
