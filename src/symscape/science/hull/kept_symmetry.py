"""A space group that a relaxation keeps: found once, and then a mean over its operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.search import find_dataset
from symscape.crystal.sites import wrap
from symscape.errors import HullError

if TYPE_CHECKING:
    from ase import Atoms

#: angstrom by which operations may miss a crystal that needs no repair: the rounding of its file
_EXACT = 1e-6


@dataclass(frozen=True, eq=False)
class KeptSymmetry:
    """The operations of a crystal, in the Cartesian frame of the cell in which they were found.

    Displacements and deformations that the operations leave as they are keep every one of them, so
    that nothing has to be found anew while the crystal moves.

    Parameters
    ----------
    turns
        What each operation does to row vectors, ``v @ turn``, shape (n_operations, 3, 3).
    sources
        ``[g, i]`` is the atom that operation ``g`` brings to the place of atom ``i``, shape
        (n_operations, n_atoms).
    """

    turns: np.ndarray
    sources: np.ndarray

    def vectors(self, vectors: np.ndarray) -> np.ndarray:
        """Return the symmetric part of a vector at each atom, shape (n_atoms, 3)."""
        turned = vectors @ self.turns
        return np.take_along_axis(turned, self.sources[:, :, None], axis=1).mean(axis=0)

    def tensor(self, tensor: np.ndarray) -> np.ndarray:
        """Return the symmetric part of a strain or a stress, shape (3, 3)."""
        return np.mean(np.swapaxes(self.turns, 1, 2) @ tensor @ self.turns, axis=0)


def keep_symmetry(work: Atoms, symprec: float) -> KeptSymmetry:
    """Find the symmetry of a crystal; one that has it within ``symprec`` only is mended in place.

    Parameters
    ----------
    work
        A periodic crystal.
    symprec
        spglib's tolerance, angstrom.

    Raises
    ------
    HullError
        If spglib finds no space group.
    """
    found, off = _find(work, symprec)
    if off > _EXACT:
        from ase.spacegroup.symmetrize import refine_symmetry

        refine_symmetry(work, symprec)
        found, _ = _find(work, symprec)
    return found


def _find(work: Atoms, symprec: float) -> tuple[KeptSymmetry, float]:
    """Return the operations, and by how many angstrom the worst of them misses."""
    cell, positions = work.cell.array, work.get_scaled_positions(wrap=False)
    found = find_dataset((cell, positions, work.numbers), symprec)
    if found is None:
        raise HullError(
            f"spglib finds no space group of {work.get_chemical_formula()} within {symprec:g} "
            "angstrom; look for atoms on top of each other."
        )
    turns = np.linalg.inv(cell) @ np.swapaxes(found.rotations, 1, 2) @ cell
    off = float(np.abs(turns @ np.swapaxes(turns, 1, 2) - np.eye(3)).max())
    # how far a vector of the cell is bent, in angstrom
    off *= float(np.linalg.norm(cell, axis=1).max())
    sources = np.empty((len(turns), len(work)), dtype=int)
    different = work.numbers[:, None] != work.numbers[None, :]
    images = positions @ np.swapaxes(found.rotations, 1, 2) + found.translations[:, None]
    for own, image in zip(sources, images, strict=True):
        gaps = np.linalg.norm(wrap(image[:, None] - positions[None]) @ cell, axis=-1)
        gaps[different] = np.inf
        nearest = gaps.argmin(axis=1)
        own[nearest] = np.arange(len(work))
        off = max(off, float(gaps.min(axis=1).max()))
    return KeptSymmetry(turns, sources), off
