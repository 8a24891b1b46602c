"""Energies per atom that were taken for those of cells show in the data set as a whole."""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.dataset.importing import import_files
from symscape.dataset.mistakes import LEAST, per_atom_energies

FORMULAS = ("Mg", "O", "MgO", "MgO2", "Mg3O", "Mg2O3", "Mg5O2")
FRACTIONS = {"Mg": 1, "O": 0, "MgO": 1 / 2, "MgO2": 1 / 3, "Mg3O": 3 / 4, "Mg2O3": 2 / 5,
             "Mg5O2": 5 / 7}  # fmt: skip


@settings(deadline=None)
@given(st.integers(LEAST, 60), st.integers(0, 10**6), st.floats(-12, -1), st.floats(-12, -1))
def test_the_right_reading_is_told(n, seed, magnesium, oxygen):
    random = np.random.default_rng(seed)
    formulas = list(random.choice(FORMULAS, n))
    sizes = random.choice([2, 4, 8, 16, 40], n)
    if len(set(formulas)) < 2 or np.bincount(sizes).max() > 0.7 * n:
        return
    x = np.array([FRACTIONS[formula] for formula in formulas])
    per_atom = x * magnesium + (1 - x) * oxygen + 0.1 * random.standard_normal(n)
    assert per_atom_energies(formulas, sizes, per_atom * sizes) == ""
    if max(magnesium, oxygen) < -4 and n >= 24 and np.bincount(sizes).max() <= 0.5 * n:
        # of shallow energies the spread of 0.1 eV/atom hides which reading is right
        assert "per atom" in per_atom_energies(formulas, sizes, per_atom)


def test_cells_of_one_size_and_few_crystals_tell_nothing():
    sizes = np.full(40, 4)
    assert per_atom_energies(["MgO"] * 40, sizes, np.full(40, -6.0)) == ""
    assert per_atom_energies(["MgO"] * 3, np.array([2, 4, 8]), np.full(3, -6.0)) == ""


@pytest.mark.parametrize("wrong", [False, True])
def test_an_import_says_it_first(wrong, tmp_path):
    frames = []
    for k in range(15):
        atoms = bulk("Cu", cubic=k % 2 == 0) * (1, 1, 1 + k % 3)
        size = 1 if wrong else len(atoms)
        atoms.info = {"material_id": f"m-{k}", "energy": (-3.7 + 0.01 * k) * size}
        frames.append(atoms)
    write(tmp_path / "all.xyz", frames, format="extxyz")
    summary = import_files([tmp_path / "all.xyz"], tmp_path / "made")
    assert summary.imported == 15
    assert bool(summary.notices) == wrong
    assert not wrong or "look like energies per atom" in summary.notices[0]
