"""Whose a stated correction is, what MP2020 makes of a crystal, and which one counts."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.entries.compatibility import MaterialsProject2020Compatibility
from pymatgen.entries.computed_entries import (
    ComputedStructureEntry,
    ConstantEnergyAdjustment,
    ManualEnergyAdjustment,
)

from symscape.dataset.corrections import Choice, Maker, Stated, settle, together
from symscape.dataset.importing import import_files
from symscape.dataset.options import ImportOptions
from symscape.dataset.read import load_dataset
from symscape.science.hull.conventions import mp2020_bounds


def rock_salt(metal, anion, a=4.3):
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(a), [metal, anion], [[0] * 3, [0.5] * 3]
    )


def entry(structure, adjustments=(), hubbard=None, run_type="GGA", **document):
    """An entry's dictionary as pymatgen writes it."""
    parameters = {"run_type": run_type, "is_hubbard": bool(hubbard), "hubbards": hubbard or {}}
    made = ComputedStructureEntry(
        structure,
        -6.0 * len(structure),
        energy_adjustments=list(adjustments),
        parameters=parameters,
        entry_id=structure.composition.reduced_formula,
    )
    return {**made.as_dict(), **document}


def imported(tmp_path, documents, **options):
    path = tmp_path / "entries.json"
    path.write_text(json.dumps(documents))
    summary = import_files([path], tmp_path / "made", ImportOptions(replace=True, **options))
    return load_dataset(tmp_path / "made"), summary


def mp2020(document):
    """The published scheme's own answer, eV/atom."""
    own = ComputedStructureEntry.from_dict(document | {"energy_adjustments": []})
    found = MaterialsProject2020Compatibility(check_potcar=False).get_adjustments(own)
    return sum(adjustment.value for adjustment in found) / len(own.structure)


def mixing(value):
    return ConstantEnergyAdjustment(
        value,
        name="MP GGA(+U)/r2SCAN mixing adjustment",
        cls={"@class": "MaterialsProjectDFTMixingScheme"},
    )


CRYSTALS = [
    (rock_salt("Mg", "O"), {}),
    (rock_salt("Fe", "O"), {"Fe": 5.3, "O": 0}),
    (rock_salt("Na", "Cl", 5.6), {}),
    (rock_salt("Mn", "S", 5.2), {}),
]


@pytest.mark.parametrize(("structure", "hubbard"), CRYSTALS)
@pytest.mark.parametrize("nothing", [[], [ManualEnergyAdjustment(0)]])
def test_what_nobody_looked_at_is_computed(structure, hubbard, nothing, tmp_path):
    document = entry(structure, nothing, hubbard, "GGA+U" if hubbard else "GGA")
    table, summary = imported(tmp_path, [document])
    assert table["correction"].iloc[0] == pytest.approx(mp2020(document), abs=1e-12)
    assert mp2020(document) < -0.1
    assert table["correction_origin"].iloc[0] == "computed"
    assert summary.notices == ()


@pytest.mark.parametrize(
    ("made", "maker"),
    [
        ({"energy_adjustments": [], "correction": -1.5}, "unnamed"),
        ({"energy_adjustments": [ManualEnergyAdjustment(-1.5).as_dict()]}, "unnamed"),
        (
            {
                "energy_adjustments": [
                    ConstantEnergyAdjustment(
                        -1.5, cls={"@class": "MaterialsProjectCompatibility"}
                    ).as_dict()
                ]
            },
            "legacy",
        ),
    ],
)
@pytest.mark.parametrize("choice", list(Choice))
def test_a_correction_of_another_maker_is_not_mp2020(made, maker, choice, tmp_path):
    document = entry(rock_salt("Mg", "O")) | made
    table, summary = imported(tmp_path, [document], corrections=choice)
    row = table.iloc[0]
    assert row["correction"] == pytest.approx(mp2020(entry(rock_salt("Mg", "O"))), abs=1e-12)
    assert row["correction_stated"] == pytest.approx(-1.5 / 8)
    assert row["correction_makers"] == maker
    (notice,) = summary.notices
    assert f"({maker})" in notice
    listed = (tmp_path / "made" / "notices.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in listed] == ["MgO"]


def test_a_mixing_adjustment_is_kept_apart_from_mp2020(tmp_path):
    plain = entry(rock_salt("Mg", "O"))
    own = ComputedStructureEntry.from_dict(plain)
    both = [*MaterialsProject2020Compatibility(check_potcar=False).get_adjustments(own), mixing(-9)]
    table, summary = imported(tmp_path, [entry(rock_salt("Mg", "O"), both)])
    row = table.iloc[0]
    assert row["correction"] == pytest.approx(mp2020(plain), abs=1e-12)
    assert row["correction_makers"] == "MP2020 + GGA/r2SCAN mixing"
    assert row["correction_stated"] == pytest.approx(mp2020(plain) - 9 / 8)
    assert summary.notices == ()


@pytest.mark.parametrize("choice", list(Choice))
def test_a_disagreement_is_listed_and_the_option_decides(choice, tmp_path):
    wrong = ConstantEnergyAdjustment(-8.0, cls={"@class": "MaterialsProject2020Compatibility"})
    table, summary = imported(tmp_path, [entry(rock_salt("Mg", "O"), [wrong])], corrections=choice)
    right = mp2020(entry(rock_salt("Mg", "O")))
    expected = -1.0 if choice is Choice.STATED else right
    assert table["correction"].iloc[0] == pytest.approx(expected)
    assert table["correction_origin"].iloc[0] == choice
    assert "-1.0000" in summary.notices[0]
    assert f"{right:+.4f}" in summary.notices[0]


@pytest.mark.parametrize(
    ("run_type", "hubbard"), [("R2SCAN", {}), ("GGA+U", {"Fe": 4.0}), ("GGA", {}), (None, {})]
)
def test_where_the_scheme_says_nothing_there_is_no_correction(run_type, hubbard, tmp_path):
    # FeO without U, or with another one than MP2020's, is outside of the scheme
    table, _ = imported(tmp_path, [entry(rock_salt("Fe", "O"), (), hubbard, run_type)])
    assert np.isnan(table["correction"].iloc[0])
    assert table["correction_origin"].iloc[0] == ""


def test_one_level_of_theory_alone_can_be_imported(tmp_path):
    documents = [entry(rock_salt("Mg", "O")), entry(rock_salt("Ca", "O"), run_type="R2SCAN")]
    table, summary = imported(tmp_path, documents, only=("PBE",))
    assert list(table["id"]) == ["MgO"]
    assert summary.rejected == {"other level": 1}
    assert summary.levels == {"PBE": 1}


def frame(structure, difference):
    """A frame of MPtrj, which states no functional."""
    total = -6.0 * len(structure)
    both = {"uncorrected_total_energy": total, "corrected_total_energy": total + difference}
    return {"structure": structure.as_dict(), "mp_id": "mp-1", **both}


def summary(structure, difference):
    """A summary document of the Materials Project."""
    both = {"uncorrected_energy_per_atom": -6.0, "energy_per_atom": -6.0 + difference}
    return {"structure": structure.as_dict(), "material_id": "mp-1", **both}


@pytest.mark.parametrize("kind", [frame, summary])
@pytest.mark.parametrize("level", ["unknown", "PBE"])
@pytest.mark.parametrize(
    ("metal", "other"), [("Mg", "O"), ("Na", "Cl"), ("Mg", "Al"), ("Na", "K"), ("Fe", "O")]
)
def test_two_equal_energies_are_a_correction_of_0_only_where_it_is_0(
    kind, level, metal, other, tmp_path
):
    structure = rock_salt(metal, other)
    table, found = imported(tmp_path, [kind(structure, 0.0)], level_of_theory=level)
    row = table.iloc[0]
    if other in ("Al", "K"):
        assert row["correction"] == mp2020(entry(structure)) == 0
        assert row["correction_origin"] == "stated"
        assert found.notices == ()
    elif level == "PBE" and metal != "Fe":  # whose U nobody states
        assert row["correction"] == pytest.approx(mp2020(entry(structure)), abs=1e-12)
        assert row["correction_origin"] == "computed"
        assert "the computed one is taken" in found.notices[0]
    else:
        assert np.isnan(row["correction"])
        assert "its correction is unknown" in found.notices[0]


@pytest.mark.parametrize("kind", [frame, summary])
def test_two_different_energies_are_taken_at_their_word(kind, tmp_path):
    table, found = imported(tmp_path, [kind(rock_salt("Fe", "O"), -1.2)])
    assert table["correction_origin"].iloc[0] == "stated"
    assert found.notices == ()


numbers = st.floats(-50, 50, allow_nan=False).filter(lambda x: abs(x) > 1e-6)
parts = st.lists(st.builds(Stated, st.sampled_from(Maker), numbers), max_size=5)


@given(parts, st.one_of(numbers, st.just(math.nan)), st.sampled_from(Choice))
def test_no_other_maker_ever_counts_as_mp2020(stated, computed, choice):
    found = settle(together(stated), computed, 2, choice)
    own = [part.value_eV for part in stated if part.maker == Maker.MP2020]
    if found.origin == "stated":
        assert own
        assert found.value_eV == pytest.approx(sum(own), abs=1e-9)
    elif found.origin == "computed":
        assert found.value_eV == computed
    else:
        assert math.isnan(found.value_eV)
        assert not own
        assert math.isnan(computed)
    others = [part.value_eV for part in stated if part.maker != Maker.MIXING]
    differ = bool(others) and abs(sum(others) - computed) > 2e-3 + 1e-9
    assert bool(found.disagreement) or not differ


@pytest.mark.parametrize("kind", [frame, summary])
@pytest.mark.parametrize("level", ["unknown", "PBE"])
@pytest.mark.parametrize("shift", [-7.0, 5.0])
def test_two_energies_that_mp2020_can_not_have_made_are_of_another_maker(
    kind, level, shift, tmp_path
):
    """A document of the mixed hull names no functional; its difference holds the mixing's too."""
    structure = rock_salt("Mg", "O")
    # a frame's energies are of the cell, a summary's of an atom
    difference = shift * (len(structure) if kind is frame else 1)
    table, found = imported(tmp_path, [kind(structure, difference)], level_of_theory=level)
    row = table.iloc[0]
    assert row["correction_makers"] == "unnamed"
    if level == "PBE":
        assert row["correction"] == pytest.approx(mp2020(entry(rock_salt("Mg", "O"))), abs=1e-12)
        assert "the computed one is taken" in found.notices[0]
    else:
        assert np.isnan(row["correction"])
        assert "its correction is unknown" in found.notices[0]


@settings(deadline=None, max_examples=20)
@given(
    st.sampled_from(["Mg", "Fe", "W", "Na", "Ti"]),
    st.sampled_from(["O", "F", "S", "Cl", "N", "Si", "H", "Te", "Al"]),
    st.booleans(),
)
def test_what_mp2020_adds_lies_within_its_bounds(metal, other, with_u):
    """Against the published scheme itself, with U where it has corrections for U."""
    structure = rock_salt(metal, other)
    u = {"Fe": 5.3, "W": 6.2}.get(metal) if other in "OF" else None
    if u and not with_u:
        return  # which the scheme refuses
    hubbard = {metal: u, other: 0} if u else {}
    made = mp2020(entry(structure, hubbard=hubbard, run_type="GGA+U" if u else "GGA"))
    low, high = mp2020_bounds([site.specie.symbol for site in structure])
    assert low - 1e-9 <= made * len(structure) <= high + 1e-9
