"""Forces and stress from the derivative of the energy by the vectors of bonds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.structures import Structures

if TYPE_CHECKING:
    from torch import Tensor

    from symscape.graphs.neighbors import Bonds


def bond_vectors(structures: Structures, bonds: Bonds) -> Tensor:
    """Return the vectors from centre to neighbour in angstrom, float64, shape (n_bonds, 3)."""
    import torch

    device = bonds.center.device
    positions = torch.as_tensor(np.ascontiguousarray(structures.positions), device=device)
    cells = torch.as_tensor(np.ascontiguousarray(structures.cells), device=device)
    across = torch.bmm(bonds.image[:, None], cells[bonds.owner]).squeeze(1)
    return positions[bonds.neighbor] - positions[bonds.center] + across


def forces_from_bonds(n_atoms: int, bonds: Bonds, slopes: Tensor) -> Tensor:
    """Return the forces on all atoms in eV/angstrom, shape (n_atoms, 3).

    Parameters
    ----------
    n_atoms
        In all structures together.
    bonds
        Each bond once.
    slopes
        Derivative of the energy by each bond's vector in eV/angstrom, shape (n_bonds, 3).
    """
    forces = slopes.new_zeros(n_atoms, 3)
    forces.index_add_(0, bonds.center, slopes)
    return forces.index_add_(0, bonds.neighbor, slopes, alpha=-1)


def stresses_from_bonds(cells: np.ndarray, bonds: Bonds, vectors: Tensor, slopes: Tensor) -> Tensor:
    """Return the stresses in eV/angstrom^3, positive under tension, shape (n_structures, 3, 3).

    Parameters
    ----------
    cells
        Lattice vectors as rows in angstrom, shape (n_structures, 3, 3).
    bonds, vectors, slopes
        Each bond once, its vector in angstrom and the energy's derivative by it.
    """
    import torch

    virials = slopes.new_zeros(len(cells), 3, 3)
    virials.index_add_(0, bonds.owner, vectors[:, :, None] * slopes[:, None, :])
    volumes = torch.as_tensor(np.abs(np.linalg.det(cells)), device=slopes.device)
    return virials / volumes[:, None, None]
