"""Energies per atom that were taken for those of cells show in the data set as a whole."""

import json

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import GPa
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.entries.computed_entries import ComputedStructureEntry
from pymatgen.io.ase import AseAtomsAdaptor

from symscape.dataset.importing import import_files
from symscape.dataset.mistakes import LEAST, per_atom_energies, shifted_zeros
from symscape.dataset.record import CrystalRecord
from symscape.dataset.stress_units import (
    ASE,
    VASP,
    StatedStress,
    StressConvention,
    stated_stress,
)
from symscape.dataset.stresses import StressCheck

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


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(-2, 0))
def test_compounds_bound_by_more_than_their_elements_say_hide_nothing(seed, bond):
    # what was divided by large cells is small, and what a constant leaves of it too
    random = np.random.default_rng(seed)
    formulas = list(random.choice(FORMULAS, 120))
    sizes = random.integers(10, 90, 120)
    x = np.array([FRACTIONS[formula] for formula in formulas])
    per_atom = -4.5 * x - 5 * (1 - x) + 4 * bond * x * (1 - x) + 0.1 * random.standard_normal(120)
    assert "per atom" in per_atom_energies(formulas, sizes, per_atom)
    assert per_atom_energies(formulas, sizes, per_atom * sizes) == ""


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


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from([0.0, 12.0, -15.0]), st.sampled_from(["Mg", "O"]), st.booleans(),
    st.integers(0, 10**6),
)  # fmt: skip
def test_zeros_of_elements_and_compounds_are_told_apart(shift, element, common, seed):
    """A shift of one element, in the compounds alone or everywhere, which then says nothing."""
    random = np.random.default_rng(seed)
    formulas = [*FRACTIONS, *FRACTIONS, *FRACTIONS]
    x = np.array([FRACTIONS[formula] for formula in formulas])
    share = x if element == "Mg" else 1 - x
    energies = -1.5 * x - 5 * (1 - x) - 10 * x * (1 - x) + 0.05 * random.standard_normal(len(x))
    compound = (x > 0) & (x < 1)
    energies = energies + shift * share * (compound | common)
    said = shifted_zeros(formulas, energies)
    assert bool(said) == (shift != 0 and not common)
    assert not said or f"{element} by {'+' if shift > 0 else '-'}" in said


#: factor of what a file states to ASE's convention, and whose convention that is
CONVENTION_OF = {
    1.0: ASE, -1.0: StressConvention("eV/angstrom^3", "compression"),
    1 / GPa: StressConvention("GPa", "tension"), -1 / GPa: StressConvention("GPa", "compression"),
    10 / GPa: StressConvention("kbar", "tension"), -10 / GPa: VASP,
}  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(sorted(CONVENTION_OF)),
    st.sampled_from([ASE, VASP]),
    st.sampled_from([("Cu", "fcc"), ("Al", "fcc"), ("Ni", "fcc")]),
    st.sampled_from(["volume", "shear"]),
    st.integers(0, 10**6),
)
def test_signs_and_units_of_stresses_are_told(factor, expected, crystal, kind, seed):
    """ASE's own effective-medium calculator gives energies and stresses."""
    random = np.random.default_rng(seed)
    check = StressCheck()
    base = bulk(*crystal, cubic=True)
    for step in np.linspace(-0.05, 0.05, 9):
        atoms = base.copy()
        strain = step * (np.eye(3) if kind == "volume" else np.diag([1.0, -0.4, 0.2]))
        turn = np.linalg.qr(random.standard_normal((3, 3)))[0] if kind == "volume" else np.eye(3)
        atoms.set_cell(base.cell.array @ (np.eye(3) + strain) @ turn, scale_atoms=True)
        atoms.calc = EMT()
        check.add(
            CrystalRecord(
                "", atoms.numbers, atoms.cell.array, atoms.get_scaled_positions(),
                energy_eV=atoms.get_potential_energy(),
                stress=StatedStress(factor * atoms.get_stress(voigt=False), expected),
            )
        )  # fmt: skip
    said = check.mistake()
    own = CONVENTION_OF[factor]
    assert bool(said) == (own != expected)
    if said and own.unit == expected.unit:
        assert f"wrong sign: they are expected to be positive for {expected.positive}" in said
    elif said:
        assert f"are in {own}, rather than in {expected}" in said


@pytest.mark.parametrize("key", ["stress", "virial"])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_import_compares_stresses_with_energies(key, sign, tmp_path):
    frames = []
    for k, a in enumerate(np.linspace(3.45, 3.75, 8)):
        atoms = bulk("Cu", a=a)
        atoms.calc = EMT()
        energy, stress = atoms.get_potential_energy(), atoms.get_stress(voigt=False)
        atoms.calc = None
        value = stress if key == "stress" else -stress * atoms.get_volume()
        atoms.info = {"material_id": f"m-{k}", "energy": energy, key: sign * value}
        frames.append(atoms)
    write(tmp_path / "all.xyz", frames, format="extxyz")
    summary = import_files([tmp_path / "all.xyz"], tmp_path / "made")
    assert [("wrong sign" in notice) for notice in summary.notices] == [True] * (sign < 0)


def _entry(atoms, energy, stress):
    """As pymatgen writes a ComputedStructureEntry whose data have VASP's stress."""
    structure = AseAtomsAdaptor.get_structure(atoms)
    return ComputedStructureEntry(structure, energy, data={"stress": stress}).as_dict()


def _frame(atoms, energy, stress):
    """As MPtrj has its frames."""
    structure = AseAtomsAdaptor.get_structure(atoms).as_dict()
    return {"structure": structure, "uncorrected_total_energy": energy, "stress": stress}


def _row(atoms, energy, stress):
    """A table's row, with six components in Voigt's order."""
    return {
        "entry": _entry(atoms, energy, None),
        "stress": full_3x3_to_voigt_6_stress(np.array(stress)).tolist(),
    }


@pytest.mark.parametrize("document", [_entry, _frame, _row])
@pytest.mark.parametrize(
    ("factor", "said"),
    [(-10 / GPa, ""), (10 / GPa, "wrong sign"), (1.0, "are in eV/angstrom^3, positive for tension"),
     (1 / GPa, "are in GPa, positive for tension, rather than in kbar")],
)  # fmt: skip
def test_stresses_in_json_are_compared_too(document, factor, said, tmp_path):
    """Expected is VASP's convention, which pymatgen's documents keep."""
    made = {}
    for k, a in enumerate(np.linspace(3.45, 3.75, 8)):
        atoms = bulk("Cu", a=a)
        atoms.calc = EMT()
        stress = (factor * atoms.get_stress(voigt=False)).tolist()
        made[f"mp-{k}"] = document(atoms, atoms.get_potential_energy(), stress)
    (tmp_path / "all.json").write_text(json.dumps(made), encoding="utf-8")
    summary = import_files([tmp_path / "all.json"], tmp_path / "made")
    assert summary.imported == 8
    told = [notice for notice in summary.notices if "the stresses" in notice]
    assert len(told) == bool(said)
    assert said in " ".join(told)


@pytest.mark.parametrize(
    "stress", [None, "none", [], [1.0] * 5, [[1.0, 2.0], [3.0]], [float("nan")] * 9, {}, True]
)
def test_what_is_no_stress_is_none(stress):
    assert stated_stress({"stress": stress}, 10.0, ASE) is None
