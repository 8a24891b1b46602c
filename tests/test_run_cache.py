"""Workers of a run without a cache compute nothing twice and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmark_text import benchmark
from plugin_project import imported as imported
from plugin_project import run_apart
from plugin_project import suite as suite

from symscape.suite import run_cache
from symscape.suite.curves import CurveSession
from symscape.suite.run_cache import share_folder, shared_folder

QUESTIONS = benchmark("energies", "minima")


@pytest.fixture
def twice(suite, monkeypatch):
    """Two questions about the same energies, a model that counts them, temporary files apart."""
    suite.makepyfile(test_landscape=QUESTIONS)
    source = Path(run_cache.__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(suite.path), str(source)]))
    monkeypatch.setenv("TMPDIR", str(suite.mkdir("temporary")))
    return suite


@pytest.mark.parametrize("workers", [1, 2])
def test_each_energy_is_computed_once_in_a_run_and_anew_in_the_next(twice, workers):
    arguments = ["-n", str(workers)] if workers > 1 else []
    if arguments:
        pytest.importorskip("xdist")
    for runs in (1, 2):
        outcome = run_apart(twice, "--mlip", "cheap:counting", "--no-cache", *arguments)
        outcome.assert_outcomes(passed=2)
        assert len((twice.path / "calls.log").read_text()) == 25 * runs
    assert not list((twice.path / "temporary").glob("symscape-*"))
    assert not list(twice.path.rglob("*.sqlite3"))


def config_with(no_cache):
    ends = []
    config = SimpleNamespace(
        getoption=lambda name: no_cache, stash=pytest.Stash(), add_cleanup=ends.append
    )
    return config, ends


def test_the_folder_is_one_and_ends_with_the_run():
    config, ends = config_with(True)
    inputs = [{}, {}]
    for given in inputs:
        share_folder(config, given)
    folders = {shared_folder(SimpleNamespace(workerinput=given)) for given in inputs}
    (folder,) = folders
    assert folder.is_dir()
    (end,) = ends
    end()
    assert not folder.exists()


def test_a_run_with_a_cache_and_a_process_alone_share_nothing():
    config, ends = config_with(False)
    given = {}
    share_folder(config, given)
    assert not given
    assert not ends
    assert shared_folder(SimpleNamespace(workerinput=given)) is None
    assert shared_folder(SimpleNamespace()) is None


@pytest.mark.parametrize("worker", [False, True])
def test_a_worker_asks_for_the_curves_of_its_case_alone(monkeypatch, worker):
    import numpy as np

    config = SimpleNamespace(workerinput={}) if worker else SimpleNamespace()
    curves = CurveSession(SimpleNamespace(config=config))
    monkeypatch.setattr(CurveSession, "stored", [0, 1, 2, 3])
    monkeypatch.setattr(curves, "_of_run", lambda model: np.array([True, True, True, False]))
    asked = []
    monkeypatch.setattr(curves, "_ask", lambda model, known, missing: asked.append(missing))
    model = SimpleNamespace(card=SimpleNamespace(name="m"))
    curves.fitted(model, np.array([False, True, False, False]))
    assert [found.tolist() for found in asked] == [[1] if worker else [0, 1, 2]]
