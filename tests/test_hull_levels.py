"""+U on one side only: no correction makes such energies alike, so these crystals are left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp.sets import MPRelaxSet
from scale_sets import PAIR, crystals, record, run, write_set

from symscape.bulk.compare import compare_run, notice_of_u, reasons_against
from symscape.bulk.hull_tables import make_tables
from symscape.bulk.manifest import SCHEMA, DatasetStamp, Done, Made, ModelStamp, RunManifest
from symscape.bulk.results_file import RESULTS
from symscape.errors import HullError, ResultsFileError
from symscape.leaderboard.collect import load_board
from symscape.models.card import ModelCard
from symscape.models.hubbard import CORRELATED, has_hubbard_u, trained_with_u
from symscape.models.registry import load_cards
from symscape.models.spec import ModelSpec
from symscape.results.files import load_results
from symscape.science.hull.analysis import compare
from symscape.science.hull.conventions import Basis, Energies
from symscape.science.hull.levels import reasons_of_u

ELEMENTS = st.sampled_from(["O", "F", "N", "Cl", "P", "Li", "Y", "Ti", "Cu", *sorted(CORRELATED)])


@pytest.mark.filterwarnings("ignore::UserWarning")  # of what no calculation is made with
@settings(deadline=None, max_examples=40)
@given(st.sets(ELEMENTS, min_size=1, max_size=4))
def test_which_compounds_have_u_is_what_pymatgens_inputs_have(drawn):
    symbols = sorted(drawn)
    places = [[k / len(symbols), 0.0, 0.0] for k in range(len(symbols))]
    structure = Structure(Lattice.cubic(4.0 * len(symbols)), symbols, places)
    assert has_hubbard_u(drawn) == any(MPRelaxSet(structure).incar.get("LDAUU", []))


def test_what_a_card_says_of_u():
    cards = load_cards()
    assert trained_with_u(cards["7net-0"]) is True
    without = [n for n, c in cards.items() if c.training_sets[-1:] == ("MatPES-PBE",)]
    without += [n for n, c in cards.items() if c.level_of_theory == "r2SCAN"]
    assert len(without) > 6
    assert {name: trained_with_u(cards[name]) for name in without} == dict.fromkeys(without, False)
    assert trained_with_u(ModelCard("own", "ase")) is None
    assert trained_with_u(ModelCard("own", "ase", level_of_theory="PBE+U")) is True


def iron_set():
    """Fe-Li-O as the Materials Project has it: oxides of iron with U, the rest without."""
    table = pd.DataFrame(
        {
            "formula": ["Fe", "Li", "O", "FeO", "Li2O", "LiFeO2", "FeLi"],
            "system": ["Fe", "Li", "O", "Fe-O", "Li-O", "Fe-Li-O", "Fe-Li"],
            "level_of_theory": ["PBE", "PBE", "PBE", "PBE+U", "PBE", "PBE+U", "PBE"],
            "energy": [-8.4, -1.9, -4.9, -5.8, -4.9, -5.9, -5.0],
            "correction": [0.0, 0.0, 0.0, -1.47, -0.23, -0.91, 0.0],
            "failed": "",
            "correction_failed": "",
            "n_wyckoff": 0,
            "n_lattice": 1,
        }
    )
    return table.assign(id=table["formula"], energy_model=table["energy"])


def manifest(with_u, level="PBE"):
    return RunManifest(
        SCHEMA,
        DatasetStamp("", 7, 7),
        ModelStamp("", "m", "uncorrected"),
        Done("none", 0.01),
        1,
        1,
        Made("", "ase", None, level, with_u=with_u),
    )


def test_a_model_without_u_is_compared_where_dft_has_none():
    table = iron_set()
    table.loc[table["id"] == "FeLi", "energy_model"] += 0.01
    own = manifest(with_u=False)
    reasons = reasons_against(table, own, (), Basis.SHARED)
    assert list(table["id"][reasons != ""]) == ["FeO", "LiFeO2"]
    assert set(reasons[reasons != ""]) == {"DFT's energy has +U, the model was trained without"}
    made = compare_run(table[reasons == ""], own)
    # what is left needs no scheme: energies as they are
    done = made.attrs["settings"]["corrections"]
    assert done == "both sides as they are, neither with corrections"
    made = made.set_index("id")
    assert made["error_formation"]["FeLi"] == pytest.approx(10.0)
    assert made["formation_dft"]["Li2O"] == pytest.approx(-4.9 + (2 * 1.9 + 4.9) / 3)
    assert notice_of_u(table, own, Basis.SHARED) == (
        "on 2 of 7 crystals DFT's energies have +U and the model's do not; m is compared on the "
        "others, within hulls of their own (left_out.csv)."
    )
    raw = reasons_against(table, own, (), Basis.RAW)
    assert (raw == "").all()
    assert "are no errors of m" in notice_of_u(table, own, Basis.RAW)


def test_a_model_with_u_gets_the_same_correction_as_dft():
    table, own = iron_set(), manifest(with_u=True)
    assert (reasons_against(table, own, (), Basis.SHARED) == "").all()
    assert notice_of_u(table, own, Basis.SHARED) == ""
    made = compare_run(table, own)
    done = made.attrs["settings"]["corrections"]
    assert done == "MP2020 corrections added to the reference and the model"
    np.testing.assert_allclose(made["error_above_hull"], 0.0, atol=1e-9)


def test_oxides_without_u_are_nothing_to_a_model_that_learnt_them_with_u():
    table = iron_set().assign(level_of_theory="PBE")
    reasons = reasons_against(table, manifest(with_u=True), (), Basis.SHARED)
    assert list(table["id"][reasons != ""]) == ["FeO", "LiFeO2"]
    assert "with it on Fe here" in reasons[3]
    assert (reasons_against(table, manifest(with_u=False), (), Basis.SHARED) == "").all()


def test_where_nothing_is_known_of_the_model_it_is_said():
    table, own = iron_set(), manifest(with_u=None, level="unknown")
    assert (reasons_against(table, own, (), Basis.SHARED) == "").all()
    assert "nothing says whether m was trained with +U" in notice_of_u(table, own, Basis.SHARED)
    assert notice_of_u(table[table["level_of_theory"] == "PBE"], own, Basis.SHARED) == ""


LEVELS = st.lists(st.sampled_from(["PBE", "PBE+U", "unknown"]), min_size=7, max_size=7)


@settings(deadline=None, max_examples=30)
@given(LEVELS, st.sampled_from([True, False, None]))
def test_energies_with_u_never_meet_a_model_without(levels, with_u):
    """Whatever the levels are, a comparison with +U on one side only is refused."""
    table = iron_set().assign(level_of_theory=levels)
    energies = Energies(table["energy"].to_numpy(), "uncorrected", name="m", with_u=with_u)
    oxides = table["formula"].isin(["FeO", "LiFeO2"])
    differ = {
        True: oxides & (table["level_of_theory"] == "PBE"),
        False: table["level_of_theory"] == "PBE+U",
        None: oxides & False,
    }[with_u]
    assert list(reasons_of_u(table, with_u) != "") == list(differ)
    if differ.any():
        with pytest.raises(HullError, match="m can't be compared on"):
            compare(table, energies)
    else:
        compare(table, energies)
    compare(table, energies, basis=Basis.RAW)


def test_a_leaderboard_does_not_put_a_part_of_a_set_beside_the_whole(tmp_path):
    """Two models of which one was trained without U, on a set in which some oxides have it."""
    records = [
        record(name, atoms, level="PBE+U" if name.startswith("AlO") else "PBE", correction=0.0)
        for name, atoms in crystals()
    ]
    dataset = write_set(tmp_path / "set", records)
    without = sum(record.level_of_theory == "PBE" for record in records)
    for name, level, n in (("with", "PBE+U", len(records)), ("without", "PBE", without)):
        folder = tmp_path / "runs" / name
        run(dataset, folder, ModelSpec(PAIR, mlip_name=name, level_of_theory=level))
        made = make_tables(folder)
        assert (made.crystals, made.n_left_out) == (n, len(records) - n)
        assert bool(made.notices) == (name == "without")
        (hull,) = [c for c in load_results(folder / RESULTS).cases if c.question == "hull"]
        assert hull.metrics["n_crystals"] == n
        assert hull.detail.settings.n_left_out == len(records) - n
    with pytest.raises(ResultsFileError, match="another version of the reference crystals"):
        load_board([tmp_path / "runs"])
