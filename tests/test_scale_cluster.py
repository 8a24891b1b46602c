"""Runs on real worker processes: the same results, and what is left when processes are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from scale_models import FOLDER
from scale_sets import PAIR, results, run, small_set

from symscape.bulk.hull_run import run_dataset
from symscape.bulk.scheduler import FATAL
from symscape.bulk.status import run_status
from symscape.errors import ScaleError
from symscape.models.spec import ModelSpec

dask = pytest.importorskip("dask", reason="dask.distributed is not installed")
pytest.importorskip("distributed", reason="dask.distributed is not installed")
MODELS = Path(__file__).with_name("scale_models.py")
REFERENCE = ModelSpec("symscape.bulk.pair:reference")
SIZES = {"chunk_atoms": 16, "block_atoms": 8}
#: starting processes takes a while on a busy machine, seconds
PATIENCE = 120


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return small_set(tmp_path_factory.mktemp("sets") / "small")


def energies(folder):
    return results(folder)["energy_model"]


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_results_do_not_depend_on_the_workers(dataset, tmp_path, jobs):
    run(dataset, tmp_path / "here", chunk_atoms=100)
    summary = run_dataset(dataset, ModelSpec(PAIR), tmp_path / "there", jobs=jobs, **SIZES)
    assert summary.chunks > 4
    pd.testing.assert_frame_equal(
        results(tmp_path / "here"), results(tmp_path / "there"), check_exact=True
    )


def test_a_killed_worker_costs_nothing(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    spec = ModelSpec(f"{MODELS}:DiesOnce")
    run_dataset(dataset, spec, tmp_path / "run", jobs=2, **SIZES)
    # it did die, with SIGKILL and in the middle of a chunk
    assert (tmp_path / "died").is_file()
    run(dataset, tmp_path / "here", REFERENCE)
    assert energies(tmp_path / "run").equals(energies(tmp_path / "here"))
    assert run_status(tmp_path / "run").failed == 0


def test_a_crystal_that_kills_every_worker_is_left_out(dataset, tmp_path):
    said = []
    spec = ModelSpec(f"{MODELS}:AlwaysDies")
    few = {"chunk_atoms": 4, "block_atoms": 4}
    run_dataset(dataset, spec, tmp_path / "run", jobs=2, **few, say=said.append)
    found = results(tmp_path / "run").set_index("id")
    assert list(found.index[found["failed"] != ""]) == ["MgO-B2"]
    assert found.loc["MgO-B2", "failed"] == FATAL
    assert len(said) == 1
    assert "'MgO-B2' ended its worker processes" in said[0]
    run(dataset, tmp_path / "here", REFERENCE)
    wanted = results(tmp_path / "here").set_index("id")["energy_model"]
    assert found["energy_model"].dropna().equals(wanted.drop("MgO-B2"))


def start(*arguments, **options):
    return subprocess.Popen([sys.executable, *map(str, arguments)], **options)


def test_a_killed_run_goes_on_and_leaves_no_processes(dataset, tmp_path):
    folder = tmp_path / "run"
    code = (
        "from symscape.bulk.hull_run import run_dataset\n"
        "from symscape.models.spec import ModelSpec\n"
        "if __name__ == '__main__':\n"
        f"    run_dataset({str(dataset)!r}, ModelSpec('{MODELS}:Slow'), {str(folder)!r}, jobs=2, "
        f"chunk_atoms=16, block_atoms=8)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    process = start(script)
    try:
        wait_for(lambda: folder.is_dir() and len(list(folder.glob("chunks/*.parquet"))) >= 2)
        family = psutil.Process(process.pid).children(recursive=True)
        assert run_status(folder).running
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_for(lambda: not any(map(alive, family)))
    status = run_status(folder)
    assert not status.running
    assert not status.damaged
    assert 0 < status.crystals < 38
    summary = run(dataset, folder, ModelSpec(f"{MODELS}:Slow"), chunk_atoms=16)
    assert summary.known == status.crystals
    run(dataset, tmp_path / "here", REFERENCE)
    assert energies(folder).equals(energies(tmp_path / "here"))


def alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_an_existing_cluster_whose_scheduler_is_killed(dataset, tmp_path):
    folder, file = tmp_path / "run", tmp_path / "scheduler.json"
    spec = ModelSpec(f"{MODELS}:Slow")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}

    def cluster():
        scheduler = start(
            "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
            "--no-dashboard", "--scheduler-file", file, env=environment, **quiet,
        )  # fmt: skip
        wait_for(file.is_file)
        worker = start(
            "-m", "distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", "1",
            "--no-dashboard", "--local-directory", tmp_path, "--death-timeout", "5",
            env=environment, **quiet,
        )  # fmt: skip
        return scheduler, worker

    first = cluster()

    def kill(done, total, known):
        if done > known:
            first[0].send_signal(signal.SIGKILL)
            first[0].wait()

    try:
        # the client goes on trying for as long
        with (
            dask.config.set({"distributed.comm.timeouts.connect": "5s"}),
            pytest.raises(ScaleError, match="the scheduler of the cluster is gone"),
        ):
            run_dataset(dataset, spec, folder, address=str(file), **SIZES, progress=kill)
    finally:
        end(*first)
    status = run_status(folder)
    assert 0 < status.crystals < 38
    assert not status.damaged
    file.unlink()
    second = cluster()
    try:
        summary = run_dataset(dataset, spec, folder, address=str(file), **SIZES)
    finally:
        end(*second)
    assert summary.known == status.crystals
    run(dataset, tmp_path / "here", REFERENCE)
    assert energies(folder).equals(energies(tmp_path / "here"))


def end(*processes):
    for process in processes:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.wait()


def test_no_cluster_at_an_address_is_one_sentence(dataset, tmp_path):
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        for address in ("tcp://127.0.0.1:9", str(tmp_path / "none.json")):
            with pytest.raises(ScaleError, match="no dask scheduler at"):
                run_dataset(dataset, REFERENCE, tmp_path / "run", address=address)
