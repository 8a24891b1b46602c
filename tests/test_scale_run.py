"""Runs over data sets in one process: what is kept, what is refused, what is computed again."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from scale_sets import PAIR, crystals, record, results, run, small_set, write_set
from typer.testing import CliRunner

from symscape.bulk.chunk import evaluate_chunk, work
from symscape.bulk.hull_run import run_dataset
from symscape.bulk.hull_tables import make_tables
from symscape.bulk.manifest import read_manifest
from symscape.bulk.measure import nothing, peak_memory_GB, seconds_for, stages, symmetry_only
from symscape.bulk.pair import soft
from symscape.bulk.plan import iterate_work
from symscape.bulk.run_settings import Identity, RunSettings, identify
from symscape.bulk.status import run_status
from symscape.cli import app
from symscape.dataset.folder import dataset_info
from symscape.dataset.read import load_dataset
from symscape.errors import ModelError, ScaleError
from symscape.models.registry import resolve
from symscape.models.spec import ModelSpec, read_options

SPEC = ModelSpec(PAIR)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return small_set(tmp_path_factory.mktemp("sets") / "small")


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(dataset, folder)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    """A finished run that a test may spoil."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


# -- results --------------------------------------------------------------------------------------


def test_energies_are_those_of_the_calculator(whole):
    found = results(whole).set_index("id")["energy_model"]
    for name, atoms in crystals():
        atoms.calc = soft()
        # coordinates become fractional and Cartesian again on the way
        wanted = atoms.get_potential_energy() / len(atoms)
        assert found[name] == pytest.approx(wanted, rel=1e-12)


def test_rows_are_the_data_sets_own_in_order(dataset, whole):
    found = results(whole)
    assert list(found["id"]) == list(load_dataset(dataset)["id"])
    assert list(found["row"]) == list(range(len(found)))


@pytest.mark.parametrize("chunk_atoms", [1, 100_000])
def test_results_do_not_depend_on_the_chunks(dataset, whole, tmp_path, chunk_atoms):
    run(dataset, tmp_path / "run", chunk_atoms=chunk_atoms)
    pd.testing.assert_frame_equal(results(tmp_path / "run"), results(whole), check_exact=True)


@settings(deadline=None, max_examples=12, derandomize=True)
@given(st.integers(1, 200), st.integers(1, 200), st.sets(st.integers(0, 20)))
def test_every_crystal_is_in_one_chunk(dataset, block_atoms, chunk_atoms, finished):
    everything = list(iterate_work(dataset, chunk_atoms, block_atoms))
    rows = np.concatenate([block.rows for chunk in everything for block in chunk.blocks])
    assert list(rows) == list(range(dataset_info(dataset).crystals))
    assert [chunk.number for chunk in everything] == list(range(len(everything)))
    for chunk in everything:
        assert len(chunk.blocks) == 1 or chunk.atoms <= chunk_atoms
    left = list(iterate_work(dataset, chunk_atoms, block_atoms, finished))
    assert [c.number for c in left] == [c.number for c in everything if c.number not in finished]


def test_blocks_do_not_depend_on_the_chunks(dataset):
    def cuts(chunk_atoms):
        chunks = iterate_work(dataset, chunk_atoms, block_atoms=12)
        return [tuple(block.ids) for chunk in chunks for block in chunk.blocks]

    assert cuts(1) == cuts(50) == cuts(10_000)


def test_halves_hold_the_same_crystals(dataset):
    (chunk,) = iterate_work(dataset, 10_000, block_atoms=40)
    pieces = [chunk]
    while any(piece.crystals > 1 for piece in pieces):
        pieces = [
            half for piece in pieces for half in (piece.halves() if piece.crystals > 1 else [piece])
        ]
    assert [p.blocks[0].ids[0] for p in pieces] == [i for b in chunk.blocks for i in b.ids]


def test_evaluation_is_a_function_of_the_chunk(dataset):
    chunk = next(iterate_work(dataset, 20))
    first = evaluate_chunk(chunk, resolve(SPEC), RunSettings())
    second = evaluate_chunk(chunk, resolve(SPEC), RunSettings())
    pd.testing.assert_frame_equal(first, second, check_exact=True)


# -- going on -------------------------------------------------------------------------------------


def test_a_second_run_computes_nothing(dataset, folder):
    files = {f: f.stat().st_mtime_ns for f in (folder / "chunks").iterdir()}
    again = run(dataset, folder, chunk_atoms=None)
    assert len(files) == 4
    assert again.chunks == 0
    assert again.known == again.crystals
    assert files == {f: f.stat().st_mtime_ns for f in (folder / "chunks").iterdir()}


def test_a_run_that_stops_goes_on(dataset, whole, tmp_path):
    def stop(done, total, known):
        if done > total / 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "run", progress=stop)
    status = run_status(tmp_path / "run")
    assert status.rows()["state"] == "stopped"
    with pytest.raises(ScaleError, match=f"only {status.crystals} of 38 crystals are done"):
        make_tables(tmp_path / "run")
    summary = run(dataset, tmp_path / "run")
    assert 0 < summary.known == status.crystals < summary.crystals
    pd.testing.assert_frame_equal(results(tmp_path / "run"), results(whole), check_exact=True)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap"])
def test_a_damaged_chunk_is_computed_again_and_that_is_said(dataset, whole, folder, damage):
    victim, other = sorted((folder / "chunks").iterdir())[1:3]
    data = bytearray(victim.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    elif damage == "cut":
        data = data[:-9]
    elif damage == "empty":
        data = bytearray()
    else:
        data = bytearray(other.read_bytes())
    victim.write_bytes(data)
    assert run_status(folder).damaged == (1,)
    with pytest.raises(ScaleError, match=r"only .* are done"):
        make_tables(folder)
    said = []
    summary = run(dataset, folder, say=said.append)
    assert summary.again == (1,)
    assert summary.chunks == 1
    (line,) = said
    assert "chunk 1" in line
    assert "computed again" in line
    pd.testing.assert_frame_equal(results(folder), results(whole), check_exact=True)
    assert not run_status(folder).damaged


def test_a_chunk_of_another_run_does_not_count(dataset, folder, tmp_path):
    run(dataset, tmp_path / "b", ModelSpec("symscape.bulk.pair:reference"))
    foreign = sorted((tmp_path / "b" / "chunks").iterdir())[0]
    sorted((folder / "chunks").iterdir())[0].unlink()
    (folder / "chunks" / foreign.name).write_bytes(foreign.read_bytes())
    assert run(dataset, folder).again == (0,)


def test_a_half_written_chunk_is_nothing(dataset, folder):
    left = folder / "chunks" / "chunk-00099.0123456789abcdef.parquet.partial"
    left.write_bytes(b"PAR1")
    assert run(dataset, folder).chunks == 0
    assert not left.exists()


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spec": ModelSpec("symscape.bulk.pair:reference")}, "another model"),
        ({"settings": RunSettings(symprec_A=0.1)}, "other settings.*symprec_A: 0.01 there, 0.1"),
        ({"settings": RunSettings(relax="fixed")}, "other settings.*relax: none there, fixed now"),
        ({"chunk_atoms": 31}, "other chunks"),
    ],
)
def test_a_folder_of_other_settings_is_refused(dataset, folder, change, words):
    with pytest.raises(ScaleError, match=words):
        run(dataset, folder, **{"chunk_atoms": None, **change})


def test_a_folder_of_another_data_set_is_refused(folder, tmp_path):
    other = write_set(tmp_path / "other", [record("Al", bulk("Al"))])
    with pytest.raises(ScaleError, match="another data set"):
        run(other, folder)
    with pytest.raises(ScaleError, match="not the data set"):
        make_tables(folder, dataset=other)


def test_a_folder_with_something_else_is_left_alone(dataset, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ScaleError, match="no run's folder"):
        run(dataset, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_manifest_is_read_as_it_was_written(folder):
    manifest = read_manifest(folder)
    document = json.loads((folder / "run.json").read_text())
    assert manifest.document() == document
    # chunks of earlier versions carry this digest
    decisive = {k: v for k, v in document.items() if k not in ("schema", "made")}
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    assert manifest.digest == digest


def test_two_runs_do_not_share_a_folder(dataset, folder):
    with FileLock(folder / ".lock"), pytest.raises(ScaleError, match="another run works"):
        run(dataset, folder)


WITHOUT_MODEL = (
    '{"schema": "symscape-hull-run/1", "dataset": {"digest": "", "crystals": 1, "atoms": 1}}'
)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "x/9"}', '{"schema": 3}', WITHOUT_MODEL]
)
def test_a_damaged_manifest_is_one_sentence(folder, text):
    (folder / "run.json").write_text(text)
    with pytest.raises(ScaleError, match=r"run\.json"):
        run_status(folder)


def test_wrong_options_are_one_sentence(dataset, tmp_path):
    with pytest.raises(ScaleError, match="--relax is 'all'"):
        RunSettings(relax="all")
    with pytest.raises(ModelError, match="--convention is 'MP'"):
        ModelSpec(PAIR, energy_convention="MP")
    with pytest.raises(ScaleError, match="positive number"):
        run(dataset, tmp_path / "run", chunk_atoms=0)
    with pytest.raises(ScaleError, match="must not be negative"):
        run_dataset(dataset, SPEC, tmp_path / "run", jobs=-1)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ModelError, match="KEY=VALUE"):
        read_options(["modality"])
    assert read_options(["b=2", "a=true", "c=x"]) == (("a", True), ("b", 2), ("c", "x"))


# -- models ---------------------------------------------------------------------------------------


def test_a_worker_with_another_model_is_refused(dataset):
    chunk = next(iterate_work(dataset, 20))
    known = identify(SPEC, RunSettings())
    assert len(work(chunk, SPEC, RunSettings(), known)) == chunk.crystals
    with pytest.raises(ScaleError, match="another version of the model"):
        work(chunk, SPEC, RunSettings(), Identity("0" * 64, known.optimizer))


def test_a_calculator_that_nobody_vouches_for_is_known_by_its_source(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from ase.calculators.lj import LennardJones\ndef make(): return LennardJones()"
    )
    own = identify(ModelSpec(f"{file}:make"), RunSettings()).fingerprint
    code = (
        "from symscape.bulk.run_settings import *\n"
        f"print(identify(ModelSpec({f'{file}:make'!r}), RunSettings()).fingerprint)"
    )
    file.write_text(file.read_text() + "\n")
    command = [sys.executable, "-c", code]
    changed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    file.write_text(file.read_text()[:-1])
    same = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert same == own != changed


def test_paths_hold_in_another_folder(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text("")
    (tmp_path / "last.model").write_text("")
    monkeypatch.chdir(tmp_path)
    assert ModelSpec("own.py:make").absolute().name == f"{tmp_path.resolve()}/own.py:make"
    own = ModelSpec("mace", checkpoint="last.model").absolute()
    assert own.checkpoint == str((tmp_path / "last.model").resolve())
    for spec in (ModelSpec("7net-0"), ModelSpec(PAIR), ModelSpec("sevenn", checkpoint="7net-0")):
        assert spec.absolute() == spec


# -- progress and measurements --------------------------------------------------------------------


@pytest.mark.parametrize("function", [nothing, symmetry_only])
def test_measurements_go_through_all_crystals(dataset, function):
    # seconds_for counts them
    assert seconds_for(dataset, function, jobs=0, chunk_atoms=30) > 0
    assert 0.01 < peak_memory_GB() < 100


def test_steps_of_a_model_are_timed_on_whole_blocks(dataset):
    done, spent = stages(dataset, ModelSpec(PAIR), 5)
    assert 5 <= done <= dataset_info(dataset).crystals
    assert set(spent) == {"reading", "single points", "symmetry"}
    assert spent["single points"] > 0
    assert spent["symmetry"] > 0


# -- command line ---------------------------------------------------------------------------------


def test_command_line(dataset, tmp_path):
    folder = tmp_path / "run"
    call = CliRunner().invoke
    again = ["hull", "run", str(dataset), "--mlip", PAIR, "-o", str(folder), "-j", "0"]
    made = call(app, [*again, "--chunk-atoms", "40"])
    assert made.exit_code == 0, made.output
    assert "above hull MAE" in made.output
    shown = call(app, ["hull", "status", str(folder)])
    assert "finished" in shown.output
    assert "38 of 38, 100%" in shown.output
    assert call(app, ["hull", "tables", str(folder), "--system", "O-Mg"]).exit_code == 0
    assert (folder / "tables-Mg-O" / "crystals.parquet").is_file()
    assert "38 of them done before" in call(app, [*again, "--no-tables"]).output
