"""Formation energies, hulls, errors and verdicts on stability, against other ways to get them."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.spacegroup import crystal as ase_crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.phase_diagram import PatchedPhaseDiagram, PDEntry, PhaseDiagram
from pymatgen.core import Composition
from scipy.optimize import linprog

from symscape.crystal.crystal import Crystal
from symscape.errors import HullError
from symscape.science.hull.analysis import compare
from symscape.science.hull.conventions import Energies
from symscape.science.hull.phases import (
    element_references,
    energies_above_hull,
    formation_energies,
    select_system,
)
from symscape.science.hull.polymorphs import polymorph_order
from symscape.science.hull.stability import classify
from symscape.science.hull.statistics import (
    bootstrap_interval,
    error_summary,
    summary_by,
    summary_near_hull,
    with_classes,
)
from symscape.science.hull.table import (
    chemistry,
    crystal_table,
    site_symmetry_orders,
    symmetry_of,
)

RELAXED = settings(deadline=None, max_examples=15)
ELEMENTS = ("Al", "Ca", "Mg", "Si")
energies = st.floats(-5, 5).map(lambda x: round(x, 4))


def make_table(rows):
    """Rows of (formula, energy per atom), named by their place."""
    table = pd.DataFrame(rows, columns=["formula", "energy"])
    table.insert(0, "id", [f"c{k}" for k in range(len(table))])
    table["system"] = [
        "-".join(sorted(e.symbol for e in Composition(f).elements)) for f in table["formula"]
    ]
    return table


@st.composite
def tables(draw):
    """Elements and random compounds of up to three of them."""
    rows = [(element, draw(energies)) for element in ELEMENTS]
    for _ in range(draw(st.integers(0, 12))):
        chosen = draw(st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=3, unique=True))
        counts = [draw(st.integers(1, 3)) for _ in chosen]
        formula = "".join(f"{e}{n}" for e, n in zip(chosen, counts, strict=True))
        rows.append((Composition(formula).reduced_formula, draw(energies)))
    return make_table(rows)


def lowest_mixture(table, k):
    """Energy of the best mixture of phases with the composition of crystal ``k``, eV/atom."""
    fractions = np.array(
        [[Composition(f).get_atomic_fraction(e) for e in ELEMENTS] for f in table["formula"]]
    )
    found = linprog(table["energy"], A_eq=fractions.T, b_eq=fractions[k], bounds=(0, None))
    assert found.success
    return found.fun


@RELAXED
@given(tables())
def test_energies_above_hull_are_those_over_the_best_mixture(table):
    above = energies_above_hull(table)
    best = [lowest_mixture(table, k) for k in range(len(table))]
    assert above.to_numpy() == pytest.approx(table["energy"] - best, abs=1e-7)


@RELAXED
@given(tables())
def test_energies_are_those_of_pymatgen(table):
    entries = [
        PDEntry(Composition(f), e * Composition(f).num_atoms)
        for f, e in zip(table["formula"], table["energy"], strict=True)
    ]
    diagram = PhaseDiagram(entries)
    assert energies_above_hull(table).to_numpy() == pytest.approx(
        [diagram.get_e_above_hull(entry) for entry in entries], abs=1e-7
    )
    assert formation_energies(table).to_numpy() == pytest.approx(
        [diagram.get_form_energy_per_atom(entry) for entry in entries], abs=1e-9
    )


@RELAXED
@given(tables(), st.lists(energies, min_size=4, max_size=4))
def test_a_constant_for_each_element_changes_nothing_but_total_energies(table, shifts):
    fractions = np.array(
        [[Composition(f).get_atomic_fraction(e) for e in ELEMENTS] for f in table["formula"]]
    )
    shifted = table["energy"].to_numpy() + fractions @ np.array(shifts)
    made = compare(table, Energies(shifted, "uncorrected"))
    for error in ("error_total", "error_formation", "error_above_hull"):
        assert made[error].to_numpy() == pytest.approx(np.zeros(len(table)), abs=1e-5)
    assert made["above_dft_hull_model"].to_numpy() == pytest.approx(
        made["above_hull_dft"], abs=1e-8
    )


def test_a_binary_hull_by_hand():
    table = make_table([("Mg", -1.0), ("Si", -5.0), ("Mg2Si", -2.6), ("MgSi", -3.05)])
    references = element_references(table)
    assert references == {"Mg": -1.0, "Si": -5.0}
    # Mg2Si: (-1 * 2 - 5) / 3; MgSi: -3
    expected = [0, 0, -2.6 + 7 / 3, -0.05]
    assert formation_energies(table).to_numpy() == pytest.approx(expected)
    # MgSi lies on the line from Mg2Si to Si at x = 1/2: 3/4 of Mg2Si's formation energy
    line = 0.75 * (-2.6 + 7 / 3)
    assert energies_above_hull(table).to_numpy() == pytest.approx([0, 0, 0, -0.05 - line])
    model = table["energy"].to_numpy() - [0, 0, 0, 0.4]
    made = compare(table, Energies(model, "uncorrected"))
    assert made["above_hull_model"].iloc[2] > 0  # MgSi now takes it apart
    below = made["above_dft_hull_model"].iloc[3]
    assert below == pytest.approx(-0.45 - line)
    assert made["error_formation"].iloc[3] == pytest.approx(-400)
    assert made["error_above_hull"].iloc[3] == pytest.approx(-1000 * (-0.05 - line))


def test_many_systems_at_once_are_those_one_by_one_and_pymatgens_patches():
    symbols = ["Li", "Na", "K", "Rb", "Cs", "Be", "Mg", "Ca", "Sr", "Ba"]
    rows = [(symbol, -1.0) for symbol in symbols]
    rows += [(f"{a}{b}", -1.5 - 0.01 * k) for k, (a, b) in enumerate(pairwise(symbols))]
    rows += [(f"{a}Cl", -3.0) for a in symbols] + [(f"{a}F", -4.0) for a in symbols]
    rows += [("Cl", -2.0), ("F", -2.0), ("NaMgF3", -3.0), ("Na2Cl", -2.4)]
    table = make_table(rows)
    above = energies_above_hull(table)
    one_by_one = [
        energies_above_hull(select_system(table, system))[k]
        for k, system in enumerate(table["system"])
    ]
    assert above.to_numpy() == pytest.approx(one_by_one, abs=1e-9)
    compositions = [Composition(formula) for formula in table["formula"]]
    entries = [
        PDEntry(composition, energy * composition.num_atoms)
        for composition, energy in zip(compositions, table["energy"], strict=True)
    ]
    patched = PatchedPhaseDiagram(entries)
    assert above.to_numpy() == pytest.approx(
        [patched.get_e_above_hull(entry) for entry in entries], abs=1e-9
    )
    assert (above > 0.01).any()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("Mg", -1.0), ("Mg2Si", -2.0)], "the element Si has no reference energy, which 'c1'"),
        ([("Mg", np.nan), ("Si", -2.0)], "energy of the crystal 'c0' is no number"),
        ([("Mg", np.inf), ("Si", -2.0)], "energy of the crystal 'c0' is no number"),
        ([], "there are no crystals"),
    ],
)
def test_tables_that_give_no_hull_are_refused(rows, says):
    for function in (formation_energies, energies_above_hull):
        with pytest.raises(HullError, match=says) as caught:
            function(make_table(rows))
        assert "\n" not in str(caught.value)


def test_duplicates_empty_systems_and_missing_columns_are_refused():
    table = make_table([("Mg", -1.0), ("Si", -5.0)])
    with pytest.raises(HullError, match="the crystal 'c0' is listed twice"):
        energies_above_hull(pd.concat([table, table]))
    with pytest.raises(HullError, match="the chemical system Mg-Si is empty"):
        select_system(table, "Mg-Si")
    with pytest.raises(HullError, match="has no column 'energy'"):
        formation_energies(table.drop(columns="energy"))
    with pytest.raises(HullError, match="energy_model of the crystal 'c1' is no number"):
        compare(table, Energies(np.array([-1.0, np.nan]), "uncorrected"))
    with pytest.raises(HullError, match="there are no crystals"):
        crystal_table([])


# -- errors and classes ---------------------------------------------------------------------------


def test_errors_are_summarized_as_by_hand():
    errors = np.array([-10.0, -30.0, 20.0, 0.0])
    found = error_summary(errors)
    assert found["n"] == 4
    assert found["mean_error_meV"] == -5
    assert found["mean_absolute_error_meV"] == 15
    assert found["share_too_low"] == 0.5
    assert found["mean_absolute_error_meV_low"] <= 15 <= found["mean_absolute_error_meV_high"]
    assert error_summary(errors) == found  # the same numbers every time
    assert np.isnan(error_summary(np.array([]))["mean_absolute_error_meV"])
    assert np.isnan(error_summary(np.array([3.0]))["mean_absolute_error_meV_low"])


def test_bootstrap_intervals_are_those_of_the_normal_mean():
    values = np.random.default_rng(1).normal(5, 10, size=2000)
    low, high = bootstrap_interval(values)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


@pytest.mark.parametrize("n", [2, 7, 84, 1500])
def test_bootstrap_intervals_are_scipys(n):
    from scipy.stats import bootstrap

    draw = np.random.default_rng(n)
    for values in (draw.normal(3, 50, n), (np.arange(n) % 3 > 0).astype(float) + np.eye(1, n)[0]):
        found = bootstrap(
            (values,),
            np.mean,
            n_resamples=2000,
            method="percentile",
            random_state=np.random.default_rng(0),
        )
        assert bootstrap_interval(values) == pytest.approx(found.confidence_interval, rel=1e-12)


def test_classes_and_windows():
    table = pd.DataFrame(
        {
            "n_wyckoff": [0, 1, 2, 3, 4, 9],
            "n_lattice": [1, 2, 3, 4, 6, 1],
            "error_above_hull": [-10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
            "above_hull_dft": [0.0, 0.025, 0.03, 0.05, 0.1, 0.3],
        }
    )
    table.attrs["settings"] = {"model": "x"}
    classed = with_classes(table)
    assert list(classed["n_wyckoff_class"]) == ["0", "1", "2", "3-4", "3-4", "5+"]
    assert list(classed["n_lattice_class"]) == ["1", "2", "3", "4+", "4+", "1"]
    by = summary_by(classed, "n_wyckoff_class")
    assert dict(zip(by["n_wyckoff_class"], by["n"], strict=True)) == {
        "0": 1, "1": 1, "2": 1, "3-4": 2, "5+": 1,
    }  # fmt: skip
    assert by.attrs["settings"]["model"] == "x"
    assert by.attrs["settings"]["resamples"]
    near = summary_near_hull(table)
    assert list(near["n"]) == [2, 4, 5, 6]
    assert near["mean_error_meV"].iloc[0] == 5


def test_stability_as_by_hand():
    dft = np.array([0.0, 0.0, 0.010, 0.030, 0.200])
    model = np.array([0.0, 0.040, 0.0, 0.020, 0.100])
    at_zero = classify(dft, model)
    assert (at_zero.both, at_zero.model_only) == (1, 1)
    assert (at_zero.dft_only, at_zero.neither) == (1, 2)
    assert at_zero.precision == at_zero.recall == at_zero.harmonic_mean == 0.5
    assert at_zero.model_only_share == pytest.approx(1 / 3)
    at_25 = classify(dft, model, 25)
    assert (at_25.both, at_25.model_only, at_25.dft_only) == (2, 1, 1)
    empty = classify(np.array([]), np.array([]))
    assert np.isnan(empty.harmonic_mean)
    assert np.isnan(empty.model_only_share)


@RELAXED
@given(st.lists(st.tuples(energies, energies), min_size=1), st.floats(0, 100))
def test_stability_counts_everybody_once(pairs, threshold):
    dft, model = np.abs(np.array(pairs)).T
    found = classify(dft, model, threshold)
    assert found.both + found.model_only + found.dft_only + found.neither == len(pairs)
    assert found.count == len(pairs)
    same = classify(dft, dft, threshold)
    assert same.model_only == same.dft_only == 0


def test_polymorphs_as_by_hand():
    table = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "formula": ["MgSi"] * 3 + ["Mg"] * 2,
            "formation_dft": [-0.10, -0.05, 0.0, 0.0, 0.002],
            "formation_model": [-0.08, -0.09, 0.02, 0.001, 0.0],
        }
    )
    found = polymorph_order(table).set_index("formula")
    assert found.loc["MgSi", "ground_state"] == "a"
    assert found.loc["MgSi", "ground_state_model"] == "b"
    assert found.loc["MgSi", "ground_state_missed"]
    assert (found.loc["MgSi", "pairs"], found.loc["MgSi", "wrong_pairs"]) == (3, 1)
    # b - a: 50 becomes -10; c - a: 100 stays 100; c - b: 50 becomes 110
    assert found.loc["MgSi", "mean_error_meV"] == pytest.approx((60 + 0 + 60) / 3)
    assert found.loc["MgSi", "max_error_meV"] == pytest.approx(60)
    # two meV/atom are no order
    assert not found.loc["Mg", "ground_state_missed"]
    assert found.loc["Mg", "pairs"] == 0


@given(st.lists(st.sampled_from(["Mg", "Si", "MgSi", "Mg2Si"]), max_size=8))
def test_compositions_of_one_crystal_have_no_order(formulas):
    table = make_table([(formula, float(k)) for k, formula in enumerate(formulas)])
    found = polymorph_order(table, dft="energy", model="energy")
    several = {formula: n for formula, n in Counter(formulas).items() if n > 1}
    assert dict(zip(found["formula"], found["n"], strict=True)) == several
    assert not found["ground_state_missed"].any()


# -- symmetry -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "sites", "cell", "expected"),
    [
        (225, [("Na", (0, 0, 0)), ("Cl", (0.5, 0.5, 0.5))], [5.6] * 3, (48, 1, 0)),
        (227, [("Si", (0, 0, 0))], [5.4] * 3, (24, 1, 0)),
        (186, [("Zn", (1 / 3, 2 / 3, 0)), ("S", (1 / 3, 2 / 3, 0.37))], [3.8, 3.8, 6.2], (6, 2, 1)),
        (62, [("Fe", (0.18, 0.25, 0.12)), ("B", (0.04, 0.25, 0.61))], [5.5, 3.0, 4.1], (2, 3, 4)),
        (14, [("As", (0.1, 0.2, 0.3))], [5.0, 6.0, 7.0, 90, 100, 90], (1, 4, 3)),
    ],
)
def test_highest_site_symmetries_are_those_of_the_tables(group, sites, cell, expected):
    """International Tables A: m-3m, -43m, 3m, .m. and 1 have 48, 24, 6, 2 and 1 operations."""
    angles = [] if len(cell) == 6 else [90, 90, 120 if group == 186 else 90]
    atoms = ase_crystal(
        [s for s, _ in sites], [x for _, x in sites], spacegroup=group, cellpar=[*cell, *angles]
    )
    row = symmetry_of(Crystal.from_structure(atoms))
    assert (row.site_symmetry_order, row.n_lattice, row.n_wyckoff) == expected
    assert row.space_group == group


def test_orders_times_multiplicities_are_the_operations():
    sites = [(0, 0, 0), (0.305, 0.305, 0)]
    atoms = ase_crystal(["Ti", "O"], sites, spacegroup=136, cellpar=[4.6, 4.6, 2.96, 90, 90, 90])
    rutile = Crystal.from_structure(atoms)
    assert site_symmetry_orders(rutile) == [8, 4]  # m.mm and m.2m
    assert symmetry_of(rutile).chemistry == "oxide"


def test_importing_symscape_imports_no_pandas():
    import subprocess

    code = "import symscape, symscape.plugin, sys; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        ("Cu3Si", "tetrelide"),  # equal electronegativities: the anion is further to the right
        ("CSe2", "chalcogenide"),
        ("HeNa2", "other"),
        ("HeO", "oxide"),
        ("XeF2", "halide"),
        ("TiH2", "other"),
    ],
)
def test_the_anion_names_the_compound(formula, kind):
    assert chemistry(formula) == kind
