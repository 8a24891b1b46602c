"""Full disks and bad crystals: what a run over a data set makes of them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ase.build import bulk
from scale_sets import PAIR, crystals, record, results, run, rutile, small_set, write_set

from symscape.bulk import chunk_store
from symscape.bulk.chunk_store import finished_chunks
from symscape.bulk.hull_tables import make_tables
from symscape.bulk.plan import check_dataset
from symscape.bulk.status import run_status
from symscape.dataset.read import load_dataset
from symscape.errors import DatasetError, HullError, ScaleError
from symscape.models.spec import ModelSpec
from symscape.science.hull.conventions import mp2020_corrections

MODELS = Path(__file__).with_name("scale_models.py")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return small_set(tmp_path_factory.mktemp("sets") / "small")


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(dataset, folder)
    return folder


def spoil(path, column, name, value):
    """Write a value into a data set behind the back of what checks it."""
    manifest = json.loads((path / "dataset.json").read_text())
    for part in manifest["parts"]:
        file = path / part["file"]
        table = pq.read_table(file)
        rows = table.to_pylist()
        for row in rows:
            if row["id"] == name:
                row[column] = value
        pq.write_table(type(table).from_pylist(rows, schema=table.schema), file)
        part["sha256"] = chunk_store.checksum(file)
    (path / "dataset.json").write_text(json.dumps(manifest))


# -- full disks -----------------------------------------------------------------------------------


def test_a_full_disk_is_one_sentence_and_the_run_goes_on(dataset, whole, tmp_path, monkeypatch):
    real, written = os.fsync, []

    def full(handle):
        written.append(handle)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ScaleError, match=r"No space left on device.*goes on"):
        run(dataset, tmp_path / "run")
    # the manifest and a chunk went before, and nothing half is left
    assert len(list((tmp_path / "run" / "chunks").iterdir())) == 1
    monkeypatch.undo()
    assert run(dataset, tmp_path / "run").chunks == 3
    pd.testing.assert_frame_equal(results(tmp_path / "run"), results(whole), check_exact=True)


def test_a_full_disk_while_tables_are_written(whole, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(ScaleError, match="No space left on device"):
        make_tables(whole)


def test_a_small_file_system_fills_up(dataset, whole, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        made = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no command to mount a file system with")
    if made.returncode:
        pytest.skip(f"a file system can't be mounted here: {made.stderr.strip()}")
    try:
        with pytest.raises(ScaleError, match="No space left on device"):
            run(dataset, disk / "run", chunk_atoms=8)
        kept = finished_chunks(disk / "run")
        assert kept.files
        assert not kept.damaged
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        summary = run(dataset, disk / "run", chunk_atoms=8)
        assert 0 < summary.known < summary.crystals
        pd.testing.assert_frame_equal(results(disk / "run"), results(whole), check_exact=True)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# -- bad crystals ---------------------------------------------------------------------------------


def test_a_structure_that_the_model_rejects_costs_no_other(dataset, tmp_path):
    run(dataset, tmp_path / "run", ModelSpec(f"{MODELS}:Picky"))
    found = results(tmp_path / "run").set_index("id")
    raised = found.index.str.contains("C4") & found.index.str.contains("O")
    assert raised.sum() == 6
    assert (found["failed"][raised] == "ValueError: six atoms are too many for me").all()
    nan = found["failed"] == "the model returned NaN or infinity"
    assert set(found.index[nan]) == {"AlCu-B1", "AlCu-B2", "AlCu-B3"}
    kept = ~(raised | nan)
    assert (found["energy_model"].notna() == kept).all()
    # Picky is the reference for whatever it takes
    wanted = load_dataset(dataset).set_index("id")["energy"]
    assert np.allclose(found["energy_model"][kept], wanted[kept], rtol=1e-12)
    made = make_tables(tmp_path / "run")
    out = pd.read_csv(made.path / "left_out.csv").set_index("id")
    assert set(out.index) == set(found.index[~kept])
    assert run_status(tmp_path / "run").failed == len(out) == made.n_left_out


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
def test_entries_with_nan_are_left_out(tmp_path):
    path = small_set(tmp_path / "set")
    spoil(path, "energy", "AlCu-B1", np.nan)
    spoil(path, "scaled_positions", "AlCu-B2", [np.nan, 0, 0, 0.5, 0.5, 0.5])
    spoil(path, "cell", "AlCu-B3", [np.inf] + [0.0] * 8)
    run(path, tmp_path / "run")
    found = results(tmp_path / "run").set_index("id")
    for name in ("AlCu-B2", "AlCu-B3"):
        assert "no finite number" in found.loc[name, "failed"]
        assert found.loc[name, "space_group"] == 0
    made = make_tables(tmp_path / "run")
    out = pd.read_csv(made.path / "left_out.csv").set_index("id")["reason"]
    assert out["AlCu-B1"] == "DFT's energy is no number"
    assert set(out.index) == {"AlCu-B1", "AlCu-B2", "AlCu-B3"}
    table = pd.read_parquet(made.path / "crystals.parquet")
    assert np.isfinite(table["error_above_hull"]).all()


def test_duplicate_ids_are_refused(tmp_path):
    path = small_set(tmp_path / "set")
    spoil(path, "id", "AlCu-B1", "AlCu-B2")
    with pytest.raises(HullError, match="'AlCu-B2' is listed twice"):
        run(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_element_without_a_crystal_is_named_before_the_run(tmp_path):
    records = [record(n, a) for n, a in crystals() if not n.startswith("O-")]
    path = write_set(tmp_path / "set", records)
    with pytest.raises(HullError, match=r"element O has no reference energy.*--leave-out O"):
        run(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    run(path, tmp_path / "run", left_out=("O",))
    with pytest.raises(HullError, match="the element O has no reference energy"):
        make_tables(tmp_path / "run")
    made = make_tables(tmp_path / "run", left_out=("O",))
    table = pd.read_parquet(made.path / "crystals.parquet")
    assert not table["system"].str.contains("O").any()
    assert made.crystals + made.n_left_out == len(records)


def test_an_element_at_whose_crystals_the_model_fails_is_named(tmp_path):
    records = [
        record("Al", bulk("Al")),
        record("O", rutile("O", "O", 4.0, 0.3)),
        record("AlO", bulk("AlO", "rocksalt", 4.5)),
    ]
    path = write_set(tmp_path / "set", records)
    run(path, tmp_path / "run", ModelSpec(f"{MODELS}:Picky"))
    with pytest.raises(HullError, match=r"element O has no reference energy of DFT and Picky"):
        make_tables(tmp_path / "run")


def test_an_element_that_is_none_is_named(whole):
    with pytest.raises(HullError, match="--leave-out is 'Xx'"):
        make_tables(whole, left_out=("Xx",))


def test_an_empty_chemical_system_is_named(whole):
    with pytest.raises(HullError, match="the chemical system Al-Cu-Mg is empty"):
        make_tables(whole, system="Al-Mg-Cu")


def test_a_data_set_without_crystals_is_refused(dataset, tmp_path):
    manifest = json.loads((dataset / "dataset.json").read_text())
    manifest |= {"crystals": 0, "atoms": 0, "parts": []}
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "dataset.json").write_text(json.dumps(manifest))
    with pytest.raises(HullError, match="no crystals"):
        check_dataset(tmp_path / "empty")
    with pytest.raises(DatasetError, match="no data set"):
        check_dataset(tmp_path)


# -- corrections ----------------------------------------------------------------------------------


def test_corrections_that_the_source_does_not_state_are_pymatgens(tmp_path):
    chosen = {n: a for n, a in crystals() if "Cu" not in n}
    records = [
        record(n, a, correction=1.25 if n == "MgO-B1" else np.nan) for n, a in chosen.items()
    ]
    records.append(record("u", bulk("AlO", "rocksalt", 4.4), level="PBE+U"))
    path = write_set(tmp_path / "set", records)
    run(path, tmp_path / "run", ModelSpec(PAIR, energy_convention="MP2020"))
    found = results(tmp_path / "run").set_index("id")
    # stated for the cell of two atoms
    assert found.loc["MgO-B1", "correction"] == 1.25 / 2
    for name in ("MgO-B2", "AlO2-C4-0.29", "AlMg-B1", "O-fcc"):
        (wanted,) = mp2020_corrections([chosen[name]])
        assert found.loc[name, "correction"] == wanted
    assert found.loc["MgO-B2", "correction"] < -0.3
    assert "states no correction of its PBE+U energy" in found.loc["u", "correction_failed"]
    made = make_tables(tmp_path / "run")
    table = pd.read_parquet(made.path / "crystals.parquet").set_index("id")
    assert "u" not in table.index
    added = table["energy"] - load_dataset(path).set_index("id")["energy"].reindex(table.index)
    assert np.allclose(added, found["correction"].reindex(table.index), atol=1e-12)
    settings = json.loads((made.path / "summary.json").read_text())["settings"]
    assert settings["corrections"] == "MP2020 corrections added to the reference"


def test_uncorrected_models_need_no_corrections(whole):
    assert results(whole)["correction"].isna().all()
    made = make_tables(whole)
    settings = json.loads((made.path / "summary.json").read_text())["settings"]
    assert settings["corrections"] == "both sides as they are, neither with corrections"
