"""What a leaderboard reads of runs on data sets; and hulls by the mixing scheme's name."""

import re

import numpy as np
import pandas as pd
import pytest
from ase.build import make_supercell
from hypothesis import given, settings
from hypothesis import strategies as st
from scale_sets import PAIR, crystals, record, run, rutile, small_set, write_set
from typer.testing import CliRunner

from symscape.bulk.hull_tables import make_tables
from symscape.bulk.manifest import read_manifest
from symscape.bulk.results_file import RESULTS
from symscape.bulk.study_page import duplicates_of
from symscape.cli import app
from symscape.dataset.corrections import Maker, Stated
from symscape.errors import HullError
from symscape.leaderboard.collect import load_board
from symscape.leaderboard.ranking import rank_board
from symscape.models.spec import ModelSpec
from symscape.results.files import load_results
from symscape.science.hull.conventions import Basis
from symscape.science.hull.shifts import shifted_elements


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with the runs of two models on one data set."""
    folder = tmp_path_factory.mktemp("runs")
    dataset = small_set(folder / "set")
    for name, model in (("soft", PAIR), ("right", "symscape.bulk.pair:reference")):
        run(dataset, folder / "runs" / name, ModelSpec(model, mlip_name=name))
        make_tables(folder / "runs" / name)
    return folder / "runs"


def test_results_hold_what_the_tables_say(runs):
    found = load_results(runs / "soft" / RESULTS)
    table = pd.read_parquet(runs / "soft" / "tables" / "crystals.parquet")
    cases = {(case.question, case.slice): case for case in found.cases}
    hull = cases["hull", "all"].metrics
    assert hull["formation_mae"] == pytest.approx(table["error_formation"].abs().mean())
    assert hull["n_crystals"] == len(table)
    stable = 1000 * table[["above_hull_dft", "above_hull_model"]] <= 25
    wrong = (stable["above_hull_model"] & ~stable["above_hull_dft"]).sum()
    assert cases["stability", "all"].metrics["false_stable"] == wrong
    bias = cases["underprediction", "n_wyckoff-1"].metrics
    own = table[(table["n_wyckoff"] == 1)]["error_above_hull"]
    assert bias["mean_signed_error"] == pytest.approx(own.mean())
    assert bias["n_crystals"] == len(own)
    # the rows stay in Parquet
    assert (runs / "soft" / RESULTS).stat().st_size < 20_000


def test_a_leaderboard_ranks_runs_on_a_data_set(runs, tmp_path):
    board = load_board([runs])
    assert [entry.name for entry in board.entries] == ["right", "soft"]
    standings = rank_board(board)
    assert standings.standings[0].name == "right"
    done = CliRunner().invoke(
        app, ["leaderboard", "--believe", str(runs), "-o", str(tmp_path / "board")]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "board" / "index.html").is_file()


def test_crystals_without_energy_fail_every_case(runs, tmp_path):
    from symscape.bulk.results_file import save_run_results

    table = pd.read_parquet(runs / "soft" / "tables" / "crystals.parquet")
    assert len(table)
    (tmp_path / "run.json").write_text("{}")
    made = {
        name: pd.read_csv(runs / "soft" / "tables" / f"{name}.csv")
        for name in ("underprediction", "stability", "polymorphs")
    }
    compared = table.copy()
    compared.attrs["settings"] = {"corrections": "neither"}
    lost = [f"lost-{k}" for k in range(1, 31)]
    save_run_results(tmp_path, read_manifest(runs / "soft"), compared, made, lost)
    cases = load_results(tmp_path / RESULTS).cases
    assert cases
    assert {case.status for case in cases} == {"failed"}
    for case in cases:
        # all are counted, as many as a person reads are named
        (gaps,) = [check for check in case.checks if check.metric == "failed_crystals"]
        assert gaps.value == 30
        assert set(case.notes.missing_crystals) < set(lost)
        assert "no energy of lost-1" in case.warnings
        assert any("more crystals" in text for text in case.warnings)


# -- duplicates -----------------------------------------------------------------------------------


def test_a_structure_again_is_found_whatever_its_cell(tmp_path):
    """Supercells, other origins and other axes of a crystal are found, distorted ones are not."""
    known = dict(crystals())
    known["again-cell"] = make_supercell(known["AlO2-C4-0.29"], [[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    moved = known["AlMg-B3"].copy()
    moved.positions += [0.3, 0.7, 0.1]
    known["again-moved"] = moved
    known["other"] = rutile("Al", "O", 0.62 * (4.05 + 2.5), 0.295)
    records = []
    for name, atoms in known.items():
        records.append(record(name, atoms))
    dataset = write_set(tmp_path / "set", records)
    run(dataset, tmp_path / "run")
    make_tables(tmp_path / "run")
    pairs = {frozenset(pair) for pair in duplicates_of(tmp_path / "run").items()}
    assert frozenset(("again-cell", "AlO2-C4-0.29")) in pairs
    assert frozenset(("again-moved", "AlMg-B3")) in pairs
    assert len(pairs) == 2


# -- mixing ---------------------------------------------------------------------------------------


def mixed(tmp_path, shift):
    """PBE energies that a scheme moves onto the hull of r2SCAN's, which are lower by ``shift``."""
    records = []
    for k, (name, atoms) in enumerate(crystals()):
        if "Cu" in name or "Mg" in name:
            continue
        one = record(name, atoms)
        scan = k % 2 == 0
        stated = () if scan else (Stated(Maker.MIXING, shift * len(atoms)),)
        moved = one.energy_eV + (shift * len(atoms) if scan else 0.0)
        records.append(
            type(one)(
                **{
                    **vars(one), "energy_eV": moved, "stated": stated,
                    "level_of_theory": "r2SCAN" if scan else "PBE", "correction_eV": 0.0,
                }
            )
        )  # fmt: skip
    return write_set(tmp_path / "set", records)


def test_a_mixture_is_refused_unless_its_scheme_is_named(tmp_path):
    dataset = mixed(tmp_path, -7.0)
    model = ModelSpec("symscape.bulk.pair:reference")
    with pytest.raises(HullError, match="share no hull"):
        run(dataset, tmp_path / "run", model)
    run(dataset, tmp_path / "run", model, basis=Basis.MIXING)
    with pytest.raises(HullError, match="share no hull"):
        make_tables(tmp_path / "run")
    made = make_tables(tmp_path / "run", basis=Basis.MIXING)
    assert made.path.name == "tables-mixing"
    # one constant an atom apart, which the scheme takes away: the model is DFT itself
    assert made.headline.formation == pytest.approx(0, abs=1e-6)
    runner = CliRunner()
    refused = runner.invoke(app, ["hull", "tables", str(tmp_path / "run")])
    assert isinstance(refused.exception, HullError)
    done = runner.invoke(app, ["hull", "tables", str(tmp_path / "run"), "--mixing"])
    assert done.exit_code == 0


def test_the_scheme_must_be_stated(runs):
    with pytest.raises(HullError, match="states an adjustment"):
        make_tables(runs / "soft", basis=Basis.MIXING)


# -- shifts ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([0.0, 900.0, -2000.0]), st.integers(0, 10**6))
def test_constants_of_elements_are_told_from_errors(shift, seed):
    random = np.random.default_rng(seed)
    formulas = ["MgO", "MgO2", "Mg3O", "Mg2O3", "Mg5O2"] * 5
    share = np.array([1 / 2, 2 / 3, 1 / 4, 3 / 5, 2 / 7] * 5)
    errors = shift * share + 30 * random.standard_normal(len(share))
    table = pd.DataFrame({"formula": formulas, "error_formation": errors})
    said = shifted_elements(table)
    assert bool(said) == (shift != 0)
    stated = re.search(r"\(O ([+-][\d.]+) eV", said)
    assert stated is None or float(stated[1]) == pytest.approx(shift / 1000, abs=0.1)
    assert bool(stated) == bool(said)


def test_few_compounds_tell_nothing():
    table = pd.DataFrame({"formula": ["MgO"] * 5, "error_formation": [900.0] * 5})
    assert shifted_elements(table) == ""
