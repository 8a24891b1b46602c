"""Symmetry, hulls and tables of many crystals, against the functions for few and pymatgen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk, make_supercell
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition
from scale_sets import crystals, run, small_set

from symscape.bulk.hull_tables import make_tables
from symscape.bulk.pair import element_data, reference, soft
from symscape.bulk.summaries import LARGE, large_interval
from symscape.bulk.symmetry import symmetries, symmetry
from symscape.bulk.synthetic import synthetic_record, write_synthetic
from symscape.crystal.crystal import Crystal
from symscape.crystal.structures import Structures
from symscape.questions.stability import stability_metrics
from symscape.questions.underprediction import SUMMED
from symscape.science.hull import convex
from symscape.science.hull.compositions import compositions
from symscape.science.hull.phases import element_references
from symscape.science.hull.polymorphs import polymorph_order
from symscape.science.hull.stability import classify
from symscape.science.hull.statistics import error_summary
from symscape.science.hull.table import symmetry_of

RELAXED = settings(deadline=None, max_examples=25, derandomize=True)
ELEMENTS = ("Al", "Ca", "Mg", "Si")


# -- symmetry -------------------------------------------------------------------------------------


def described(atoms):
    return symmetry_of(Crystal.from_structure(atoms))


def test_symmetry_is_that_of_a_crystal():
    images = [atoms for _, atoms in crystals()]
    for atoms, found in zip(images, symmetries(Structures.from_atoms(images)), strict=True):
        assert found == described(atoms)


@pytest.mark.parametrize("k", range(71, 1000, 31))
def test_symmetry_of_prototypes(k):
    one = synthetic_record(k)
    crystal = described(_atoms(one))
    assert symmetry(one.numbers, one.positions @ one.cell, one.cell) == crystal


def _atoms(one):
    from ase import Atoms

    return Atoms(one.numbers, cell=one.cell, scaled_positions=one.positions, pbc=True)


def test_symmetry_does_not_depend_on_the_cell():
    atoms = bulk("MgO", "rocksalt", 4.2)
    wanted = described(atoms)
    for change in (np.diag([1, 1, 2]), [[1, 1, 0], [0, 1, 1], [1, 0, 1]], -np.eye(3)):
        other = make_supercell(atoms, np.array(change, dtype=float)) if change is not None else None
        if np.linalg.det(change) < 0:
            other = atoms.copy()
            other.set_cell(-atoms.cell.array)
            other.set_scaled_positions(atoms.get_scaled_positions())
        assert symmetry(other.numbers, other.positions, other.cell.array) == wanted


def test_atoms_in_one_place_have_no_symmetry():
    found = symmetry(np.array([13, 13]), np.zeros((2, 3)), 3 * np.eye(3))
    assert (found.space_group, found.n_wyckoff, found.chemistry) == (0, -1, "element")


# -- hulls ----------------------------------------------------------------------------------------


@st.composite
def tables(draw, most=3, elements=ELEMENTS):
    energies = st.floats(-3, 1).map(lambda x: round(x, 4))
    rows = [(element, draw(energies)) for element in elements]
    for _ in range(draw(st.integers(1, 14))):
        chosen = draw(st.lists(st.sampled_from(elements), min_size=1, max_size=most, unique=True))
        rows.append(("".join(f"{e}{draw(st.integers(1, 4))}" for e in chosen), draw(energies)))
    table = pd.DataFrame(rows, columns=["formula", "energy"])
    table["formula"] = [Composition(formula).reduced_formula for formula in table["formula"]]
    table.insert(0, "id", [f"c{k}" for k in range(len(table))])
    return table


@RELAXED
@given(tables(most=4))
def test_hulls_are_pymatgens(table):
    parts = compositions(table["formula"])
    energies = table["energy"].to_numpy()
    references = convex.element_energies(parts, energies, table["id"], "DFT")
    assert dict(zip(parts.elements, references, strict=True)) == element_references(table)
    formation = convex.above_elements(parts, energies, references)
    above = convex.above_hull(parts, formation)
    entries = []
    for formula, energy in zip(table["formula"], energies, strict=True):
        composition = Composition(formula)
        entries.append(PDEntry(composition, energy * composition.num_atoms))
    diagram = PhaseDiagram(entries)
    for k, entry in enumerate(entries):
        assert above[k] == pytest.approx(diagram.get_e_above_hull(entry), abs=1e-8)
        assert formation[k] == pytest.approx(diagram.get_form_energy_per_atom(entry), abs=1e-8)


@RELAXED
@given(tables(most=4), st.randoms(use_true_random=False))
def test_hulls_do_not_depend_on_the_order(table, random):
    order = list(range(len(table)))
    random.shuffle(order)

    def above(some):
        parts = compositions(some["formula"])
        energies = some["energy"].to_numpy()
        references = convex.element_energies(parts, energies, some["id"], "DFT")
        formation = convex.above_elements(parts, energies, references)
        return pd.Series(convex.above_hull(parts, formation), index=some["id"])

    shuffled = above(table.iloc[order]).reindex(table["id"])
    assert np.allclose(above(table), shuffled, atol=1e-10)


@RELAXED
@given(tables(most=3))
def test_linear_programs_give_the_same_hulls(table):
    parts = compositions(table["formula"])
    energies = table["energy"].to_numpy()
    references = convex.element_energies(parts, energies, table["id"], "DFT")
    formation = convex.above_elements(parts, energies, references)
    own = convex.above_hull(parts, formation)
    before = convex._MANY_ELEMENTS
    convex._MANY_ELEMENTS = 2
    try:
        assert np.allclose(convex.above_hull(parts, formation), own, atol=1e-8)
    finally:
        convex._MANY_ELEMENTS = before


def test_a_system_of_seven_elements():
    symbols = ("Al", "Ca", "K", "Mg", "Na", "O", "Si")
    rows = [*((s, 0.0) for s in symbols), ("MgO", -3.0), ("Na2O", -1.4), ("AlCaKMgNaOSi", -0.5)]
    parts = compositions(formula for formula, _ in rows)
    formation = np.array([energy for _, energy in rows])
    above = convex.above_hull(parts, formation)
    # the best mixture has two atoms of MgO, five atoms of elements
    assert above[-1] == pytest.approx(-0.5 + 3.0 * 2 / 7, abs=1e-9)
    assert (above[:-1] == 0).all()


# -- tables ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    small_set(folder / "set")
    run(folder / "set", folder / "run")
    return make_tables(folder / "run").path


def by_pymatgen(table, column):
    """Energies of formation and above the hull, eV/atom."""
    entries = [
        PDEntry(composition, energy * composition.num_atoms)
        for composition, energy in zip(
            map(Composition, table["formula"]), table[column], strict=True
        )
    ]
    diagram = PhaseDiagram(entries)
    return (
        [diagram.get_form_energy_per_atom(entry) for entry in entries],
        [diagram.get_e_above_hull(entry) for entry in entries],
    )


def test_tables_are_those_of_pymatgen(made):
    table = pd.read_parquet(made / "crystals.parquet")
    few = table[["id", "formula"]].copy()
    for name, column in (("dft", "energy"), ("model", "energy_model")):
        few[f"formation_{name}"], few[f"above_hull_{name}"] = by_pymatgen(table, column)
    for column in few.columns.drop(["id", "formula"]):
        assert np.allclose(table[column], few[column], atol=1e-7), column
    for error, quantity in (("error_formation", "formation"), ("error_above_hull", "above_hull")):
        found = 1000 * (few[f"{quantity}_model"] - few[f"{quantity}_dft"])
        assert np.allclose(table[error], found, atol=1e-4), error
    stability = pd.read_csv(made / "stability.csv").set_index("threshold")
    for threshold in (0.0, 25.0):
        wanted = classify(few["above_hull_dft"], few["above_hull_model"], threshold)
        for name, value in stability_metrics(wanted).items():
            assert stability.loc[threshold, name] == pytest.approx(value, nan_ok=True)
    order = pd.read_csv(made / "polymorphs.csv")
    wanted = polymorph_order(few)
    assert list(order["ground_state_model"]) == list(wanted["ground_state_model"])
    assert np.allclose(order["mean_error_meV"], wanted["mean_error_meV"])


def test_underprediction_counts_no_ground_states_of_elements(made):
    table = pd.read_parquet(made / "crystals.parquet")
    summary = pd.read_csv(made / "underprediction.csv")
    ground = (table["chemistry"] == "element") & (table["above_hull_dft"] < 1e-9)
    assert ground.sum() == 4
    (row,) = summary.query("error == 'error_above_hull' and by == 'all'").to_dict("records")
    errors = table["error_above_hull"][~ground].to_numpy()
    for name, value in error_summary(errors, SUMMED).items():
        assert row[name] == pytest.approx(value)
    classes = summary.query("error == 'error_above_hull' and by == 'n_wyckoff_class'")
    assert set(classes["class"]) == {"0", "1"}
    assert classes["n"].sum() == len(errors)


def test_near_hull_windows_contain_each_other(made):
    near = pd.read_csv(made / "near_hull.csv").query("error == 'error_above_hull'")
    assert list(near["window"]) == [25.0, 50.0, 100.0, np.inf]
    assert (near["n"].diff().dropna() >= 0).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_large_summaries_are_what_the_bootstrap_tends_to(seed):
    errors = np.random.default_rng(seed).gamma(2.0, 10.0, LARGE) - 25
    fast, slow = error_summary(errors, SUMMED, large_interval), error_summary(errors, SUMMED)
    for name in ("mean_signed_error", "mae", "share_underpredicted"):
        assert fast[name] == pytest.approx(slow[name])
        width = slow[f"{name}_high"] - slow[f"{name}_low"]
        for end in ("low", "high"):
            assert abs(fast[f"{name}_{end}"] - slow[f"{name}_{end}"]) < 0.1 * width


# -- synthetic data -------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [reference, soft])
def test_the_pair_potential_is_conservative(make):
    fd = pytest.importorskip("ase.calculators.fd", reason="ASE has it from 3.24 on")
    calculate_numerical_forces = fd.calculate_numerical_forces
    calculate_numerical_stress = fd.calculate_numerical_stress

    atoms = bulk("MgO", "rocksalt", 3.9, cubic=True)
    atoms.rattle(0.1, seed=1)
    atoms.calc = make()
    assert np.allclose(atoms.get_forces(), calculate_numerical_forces(atoms, 1e-4), atol=1e-5)
    stress = calculate_numerical_stress(atoms, 1e-5)
    assert np.allclose(atoms.get_stress(), stress, atol=1e-6)
    moved = atoms.copy()
    moved.calc = make()
    moved.positions += 5.0
    moved.wrap()
    assert moved.get_potential_energy() == pytest.approx(atoms.get_potential_energy())


def test_synthetic_data_are_the_same_again(tmp_path):
    first = write_synthetic(tmp_path / "a", 90)
    second = write_synthetic(tmp_path / "b", 90)
    assert first.crystals >= 85
    assert [part.sha256 for part in first.parts] == [part.sha256 for part in second.parts]
    other = write_synthetic(tmp_path / "c", 90, seed=1)
    assert [part.sha256 for part in first.parts] != [part.sha256 for part in other.parts]


def test_synthetic_bonds_are_not_too_short():
    from ase.neighborlist import neighbor_list

    for k in range(100, 140):
        atoms = _atoms(synthetic_record(k))
        radii = element_data()[0][atoms.numbers]
        first, second, distances = neighbor_list("ijd", atoms, 2 * radii)
        assert (distances / (radii[first] + radii[second])).min() > 0.84
