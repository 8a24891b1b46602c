"""Relaxation over data sets: one by one with ASE, all together with TorchSim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from scale_sets import PAIR, crystals, record, results, run, rutile, write_set

from symscape.bulk.hull_tables import make_tables
from symscape.bulk.pair import soft
from symscape.bulk.run_settings import RunSettings, identify
from symscape.bulk.torchsim import relax_together, torch_sim_version
from symscape.errors import ScaleError
from symscape.models.registry import resolve
from symscape.models.spec import ModelSpec
from symscape.science.hull.procedure import RelaxSettings
from symscape.science.hull.relax import relax_with

MODELS = Path(__file__).with_name("scale_models.py")
HOW = RelaxSettings(force_eV_A=0.02, max_steps=300)
CHOSEN = ("Al-fcc", "Cu-fcc", "Mg-fcc", "O-fcc", "MgO-B1", "AlCu-B2", "AlMg2-C4-0.29")


def chosen():
    return {name: atoms for name, atoms in crystals() if name in CHOSEN}


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory):
    """A run that relaxes freely, with ASE."""
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("relaxed")
    path = write_set(folder / "set", [record(n, a) for n, a in chosen().items()])
    run(path, folder / "run", settings=RunSettings("free", "ase", HOW))
    return folder / "run"


def test_relaxations_are_those_of_single_crystals(relaxed):
    found = results(relaxed).set_index("id")
    for name in ("MgO-B1", "AlMg2-C4-0.29"):
        wanted = relax_with(chosen()[name], soft(), HOW)
        row = found.loc[name]
        assert row["relaxed_failed"] == ""
        assert row["relaxed_energy_fixed"] == pytest.approx(wanted.energy_fixed, abs=1e-9)
        assert row["relaxed_energy_free"] == pytest.approx(wanted.energy_free, abs=1e-6)
        assert row["relaxed_space_group"] == wanted.space_group == row["space_group"]
        assert row["relaxed_energy_start"] == pytest.approx(row["energy_model"])


def test_tables_of_relaxed_crystals(relaxed):
    made = make_tables(relaxed)
    table = pd.read_parquet(made.path / "crystals.parquet")
    for geometry in ("fixed", "free"):
        assert (table[f"above_hull_model_{geometry}"] >= 0).all()
        energy = table[f"relaxed_energy_{geometry}"]
        # the elements are hulls of their own
        pure = table["chemistry"] == "element"
        assert np.allclose(table.loc[pure, f"above_hull_model_{geometry}"], 0)
        assert (energy <= table["energy_model"] + 1e-6).all() or geometry == "free"
    summary = pd.read_csv(made.path / "relaxation.csv")
    (row,) = summary[summary["by"] == "all"].to_dict("records")
    assert row["n"] == len(CHOSEN)
    assert row["failed"] == 0
    stable = pd.read_csv(made.path / "stability.csv")
    assert set(stable["geometry"]) == {"single point", "fixed", "free"}
    errors = pd.read_csv(made.path / "underprediction.csv")["error"]
    assert {"error_above_hull_fixed", "error_above_hull_free"} <= set(errors)


def test_fixed_relaxations_end_there(tmp_path):
    pytest.importorskip("pyarrow")
    path = write_set(tmp_path / "set", [record("Al", bulk("Al", "fcc", 4.2))])
    run(path, tmp_path / "run", settings=RunSettings("fixed", "ase", HOW))
    (row,) = results(tmp_path / "run").to_dict("records")
    assert row["relaxed_energy_fixed"] < row["energy_model"]
    assert np.isnan(row["relaxed_energy_free"])
    assert row["relaxed_space_group_free"] == 0


def test_a_crystal_that_can_not_be_relaxed_costs_no_other(tmp_path):
    pytest.importorskip("pyarrow")
    records = [
        record("Al", bulk("Al", "fcc", 4.2)),
        record("O", bulk("O", "fcc", 2.6)),
        record("AlO2", rutile("Al", "O", 4.2, 0.3)),
    ]
    path = write_set(tmp_path / "set", records)
    spec = ModelSpec(f"{MODELS}:Picky")
    run(path, tmp_path / "run", spec, settings=RunSettings("fixed", "ase", HOW))
    found = results(tmp_path / "run").set_index("id")
    assert "six atoms" in found.loc["AlO2", "relaxed_failed"]
    assert list(found["relaxed_failed"] == "") == [True, True, False]
    made = make_tables(tmp_path / "run")
    assert (made.crystals, made.n_left_out) == (2, 1)


def test_the_optimizer_belongs_to_the_identity():
    ase = identify(ModelSpec(PAIR), RunSettings("fixed", "ase"))
    assert ase.optimizer.startswith("ase ")
    # an ASE calculator gains nothing from batches
    assert identify(ModelSpec(PAIR), RunSettings("fixed", "auto")) == ase
    assert identify(ModelSpec(PAIR), RunSettings("none")).optimizer == ""
    if torch_sim_version() is None:
        with pytest.raises(ScaleError, match=r"torch-sim.*not installed"):
            identify(ModelSpec(PAIR), RunSettings("fixed", "torch-sim"))


# -- TorchSim -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def together():
    """The same crystals, relaxed together."""
    if torch_sim_version() is None:
        pytest.skip("torch-sim of a known version is not installed")
    return relax_together(list(chosen().values()), resolve(PAIR), HOW, free=True)


def test_torchsim_agrees_with_ase(together):
    for (name, atoms), found in zip(chosen().items(), together, strict=True):
        wanted = relax_with(atoms, soft(), HOW)
        assert found.converged_fixed, name
        assert found.energy_start == pytest.approx(wanted.energy_start, abs=1e-10)
        assert found.energy_fixed == pytest.approx(wanted.energy_fixed, abs=1e-3), name
        assert found.volume_change == pytest.approx(wanted.volume_change, abs=0.01), name
        assert found.space_group == wanted.space_group
        # where the symmetry breaks, there are several minima to end in
        if found.kept_symmetry and wanted.kept_symmetry:
            assert found.energy_free == pytest.approx(wanted.energy_free, abs=2e-3), name


def test_torchsim_does_not_mind_the_company(together):
    images = list(chosen().values())
    alone = relax_together(images[4:6], resolve(PAIR), HOW, free=True)
    for one, other in zip(alone, together[4:6], strict=True):
        assert one.energy_fixed == pytest.approx(other.energy_fixed, abs=1e-9)
        assert one.steps == other.steps


def test_torchsim_keeps_the_symmetry(together):
    # rutile has a free coordinate, which moves; nothing else may
    k = list(chosen()).index("AlMg2-C4-0.29")
    assert together[k].space_group == 136
    assert together[k].energy_fixed < together[k].energy_start


def test_torchsim_lets_a_failure_cost_no_other():
    if torch_sim_version() is None:
        pytest.skip("torch-sim of a known version is not installed")
    images = [bulk("Al", "fcc", 4.2), rutile("Al", "O", 4.2, 0.3), bulk("Cu", "fcc", 3.8)]
    found = relax_together(images, resolve(f"{MODELS}:Picky"), HOW, free=False)
    assert [bool(one.failed) for one in found] == [False, True, False]
    assert "six atoms" in found[1].failed
    assert found[0].converged_fixed
    assert found[2].converged_fixed
