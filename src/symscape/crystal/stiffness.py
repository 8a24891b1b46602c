"""How stiff the free coordinates of a crystal are, by a cheap model of its contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.contacts import covalent_radii

if TYPE_CHECKING:
    from symscape.crystal.crystal import Crystal

#: Neighbours are nearer than this times the sum of their covalent radii.
_REACH = 1.6
#: Over which share of that sum a contact's stiffness falls by a factor e.
_DECAY = 0.2


def coordinate_stiffness(crystal: Crystal) -> np.ndarray:
    """Return the stiffness of each free coordinate in arbitrary units, shape (n_free,).

    Neighbours are joined by springs along their connection whose constants fall exponentially with
    the distance in units of the covalent radii. A coordinate's stiffness is the springs' second
    derivative with respect to the displacement of its fastest atom (per angstrom squared), so that
    coordinates of different letters compare. It ranks; it predicts no energy.
    """
    from ase import Atoms
    from ase.neighborlist import neighbor_list

    radii = covalent_radii(crystal.numbers)
    atoms = Atoms(
        numbers=crystal.numbers,
        positions=crystal.positions @ crystal.lattice,
        cell=crystal.lattice,
        pbc=True,
    )
    first, second, gaps, distances = neighbor_list("ijDd", atoms, cutoff=_REACH * radii)
    moves = np.einsum("akf,kc->acf", crystal.B, crystal.lattice)
    speeds = np.linalg.norm(moves, axis=1).max(axis=0)
    springs = np.exp(-(distances / (radii[first] + radii[second]) - 1) / _DECAY)
    stretching = np.einsum("pc,pcf->pf", gaps / distances[:, None], moves[second] - moves[first])
    return np.asarray(springs @ stretching**2 / speeds**2)
