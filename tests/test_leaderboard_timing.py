"""What a structure costs: how it is measured, kept and shown."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import leaderboard_runs as make
import numpy as np
import pytest
from leaderboard_boards import A, B, board
from typer.testing import CliRunner

import symscape
from symscape.cli import app
from symscape.errors import ResultsFileError, SymscapeError
from symscape.leaderboard.cost import cost_of
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.timing import (
    BATCHED,
    FILE,
    Conditions,
    Timing,
    Timings,
    load_timings,
    save_timings,
    time_model,
)
from symscape.models.base import EnergyModel, Prediction
from symscape.models.card import ModelCard

REFERENCES = Path(__file__).parents[1] / "references"
HERE = Conditions("Linux x86_64 a processor, 2 cores", "cpu", 1, "PbTiO3-P4mm-Ti_z-O_z", 5)


class Sleeper(EnergyModel):
    """Needs 4 ms for a batch and 0.1 ms more for each structure in it; counts what it is asked."""

    default_batch_size = BATCHED

    def __init__(self, card, device="cpu", batch_size=None):
        super().__init__(card, device, batch_size)
        self.batches = []

    @property
    def fingerprint(self):
        return "sleeper"

    @property
    def implements(self):
        return frozenset({"energy"})

    def _predict_batch(self, batch, forces, stresses):
        self.batches.append(len(batch))
        time.sleep(4e-3 + 1e-4 * len(batch))
        return Prediction(np.zeros(len(batch)))


class Broken(Sleeper):
    """Fails at everything."""

    def _predict_batch(self, batch, forces, stresses):
        raise RuntimeError("out of order")


@pytest.fixture(scope="module")
def reference():
    return symscape.load_reference("PbTiO3-P4mm", REFERENCES)


def timings(**seconds):
    models = {
        name: Timing(batched, alone, "2026-01-02") for name, (batched, alone) in seconds.items()
    }
    return Timings(HERE, models)


def test_a_structure_is_timed_among_others_and_alone(reference):
    model = Sleeper(ModelCard("sleeper", "ase"))
    found = time_model(model, reference)
    timing = found.models["sleeper"]
    # sleeping takes no less than it should
    assert timing.seconds >= (4e-3 + 1e-4 * BATCHED) / BATCHED * 0.99
    assert timing.seconds_alone >= 4.1e-3 * 0.99
    assert timing.gain > 5
    # nothing is taken from a cache: each round asks for everything again
    assert model.batches.count(1) % 16 == 0
    assert found.conditions.slice == reference.id
    assert found.conditions.n_atoms == 5


def test_the_time_of_a_failure_is_none(reference):
    with pytest.raises(SymscapeError, match=r"broken: fails on a structure .*out of order"):
        time_model(Broken(ModelCard("broken", "ase")), reference)


def test_times_of_the_same_conditions_are_kept_together(tmp_path):
    save_timings(tmp_path, timings(b=(0.01, 0.03)))
    together = save_timings(tmp_path, timings(a=(0.02, 0.03)))
    assert load_timings(tmp_path) == together
    assert list(together.models) == ["a", "b"]


@pytest.mark.parametrize("change", [{"threads": 8}, {"machine": "other"}, {"slice": "CaSi"}])
def test_times_of_other_conditions_are_not_mixed(tmp_path, change):
    save_timings(tmp_path, timings(a=(0.01, 0.03)))
    other = replace(timings(b=(0.02, 0.03)), conditions=replace(HERE, **change))
    with pytest.raises(SymscapeError, match="other conditions"):
        save_timings(tmp_path, other)
    assert list(load_timings(tmp_path).models) == ["a"]


def test_a_damaged_file_is_named(tmp_path):
    assert load_timings(tmp_path) is None
    (tmp_path / FILE).write_text('{"schema": "symscape-timings/1", "conditions": {}}')
    with pytest.raises(ResultsFileError, match=FILE):
        load_timings(tmp_path)


def test_a_board_shows_measured_times_and_no_others():
    # a run that says its own time is not put beside what the keeper measured
    own = make.run("own", (A, B))
    own = replace(own, versions={**own.versions, "cache": "off"})
    made = replace(
        board(make.run("a", (A, B)), make.run("b", (A, B)), own),
        timings=timings(a=(0.01, 0.03), b=(0.02, 0.03)),
    )
    ranking = rank_board(made)
    seconds = {s.name: s.seconds_per_point for s in ranking.standings}
    assert (seconds["a"], seconds["b"]) == (0.01, 0.02)
    assert np.isnan(seconds["own"])
    cost = cost_of(ranking.standings, made.timings)
    assert cost.of == "seconds"
    assert "a processor, 2 cores" in cost.note
    assert "1.5 to 3.0 times as long" in cost.note
    assert "1 without a time are left out" in cost.note


def test_the_command_measures_and_keeps(tmp_path, monkeypatch):
    monkeypatch.setattr(symscape, "model", lambda name, device: Sleeper(ModelCard(name, "ase")))
    done = CliRunner().invoke(app, ["models", "time", "one", "two", "--board", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "one: " in done.stdout
    assert sorted(load_timings(tmp_path).models) == ["one", "two"]
