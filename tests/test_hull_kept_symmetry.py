"""Symmetries that relaxations keep, against ASE's constraint, which finds them in its own way."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixSymmetry
from ase.spacegroup import crystal

from symscape.errors import HullError
from symscape.science.hull.kept_symmetry import keep_symmetry

_VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])


def rutile():
    return crystal(
        ["Ti", "O"],
        [(0, 0, 0), (0.305, 0.305, 0)],
        spacegroup=136,
        cellpar=[4.59, 4.59, 2.96, 90, 90, 90],
    )


def quartz():
    return crystal(
        ["Si", "O"],
        [(0.47, 0, 0), (0.414, 0.268, 0.119)],
        spacegroup=152,
        setting=1,
        cellpar=[4.91, 4.91, 5.4, 90, 90, 120],
    )


def monoclinic():
    return crystal(
        ["Zr", "O"],
        [(0.2754, 0.0395, 0.2083), (0.07, 0.3317, 0.3447)],
        spacegroup=14,
        cellpar=[5.15, 5.21, 5.32, 90, 99.2, 90],
    )


CRYSTALS = {
    "fcc": lambda: bulk("Cu", "fcc", 3.6),
    "a supercell": lambda: bulk("Cu", "fcc", 3.6, cubic=True).repeat((2, 1, 1)),
    "diamond": lambda: bulk("Si", "diamond", 5.4),
    "hcp": lambda: bulk("Mg", "hcp", 3.2),
    "rutile": rutile,
    "quartz": quartz,
    "monoclinic": monoclinic,
    "none": lambda: Atoms("HeNe", [[0, 0, 0], [1, 0.3, 2]], cell=[3, 4.1, 5.2, 80, 95, 103]),
}


@pytest.mark.parametrize("name", CRYSTALS)
def test_the_symmetric_part_is_what_ases_constraint_leaves(name):
    atoms = CRYSTALS[name]()
    atoms.rotate(37, (1, 2, 3), rotate_cell=True)
    theirs = FixSymmetry(atoms, symprec=1e-3)
    ours = keep_symmetry(atoms.copy(), 1e-3)
    random = np.random.default_rng(3)
    forces, stress = random.normal(size=(len(atoms), 3)), random.normal(size=(3, 3))
    stress += stress.T
    symmetric_forces, symmetric_stress = forces.copy(), stress[_VOIGT]
    theirs.adjust_forces(atoms, symmetric_forces)
    theirs.adjust_stress(atoms, symmetric_stress)
    # ASE's constraint divides by a pseudoinverse of the cell, which costs digits
    np.testing.assert_allclose(ours.vectors(forces), symmetric_forces, atol=1e-8)
    np.testing.assert_allclose(ours.tensor(stress)[_VOIGT], symmetric_stress, atol=1e-8)


def test_a_crystal_that_is_only_nearly_symmetric_is_mended_as_ase_does():
    atoms = rutile()
    atoms.positions += np.random.default_rng(1).normal(scale=2e-4, size=atoms.positions.shape)
    ours, theirs = atoms.copy(), atoms.copy()
    kept = keep_symmetry(ours, 1e-2)
    FixSymmetry(theirs, symprec=1e-2)
    assert len(kept.turns) == 16
    np.testing.assert_allclose(ours.positions, theirs.positions, atol=1e-12)
    np.testing.assert_allclose(ours.cell.array, theirs.cell.array, atol=1e-12)


def test_an_exact_crystal_is_searched_once(monkeypatch):
    import spglib

    calls = []
    real = spglib.get_symmetry_dataset
    monkeypatch.setattr(
        spglib, "get_symmetry_dataset", lambda *a, **k: calls.append(1) or real(*a, **k)
    )
    keep_symmetry(quartz(), 1e-3)
    assert len(calls) == 1


def test_atoms_in_one_place_have_no_symmetry():
    atoms = bulk("Cu", "fcc", 3.6, cubic=True)
    atoms.positions[:] = 0
    with pytest.raises(HullError, match=r"no space group of Cu4 within 0\.001"):
        keep_symmetry(atoms, 1e-3)
