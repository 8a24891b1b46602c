"""Batch sizes: as asked for, by atoms, or tuned and remembered."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from typer.testing import CliRunner

from symscape.cli import app
from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import EnergyModel, Prediction
from symscape.models.batching import AtomBudget, BatchMemory, FixedCount, TunedBudget, sizer_for
from symscape.models.cache import EnergyCache
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator, evaluate
from symscape.models.registry import resolve


class Timed(EnergyModel):
    """Says how long a batch of so many atoms takes, instead of taking it."""

    default_batch_size = 4
    implements = frozenset({"energy", "forces"})
    fingerprint = "timed"

    def __init__(self, batch_size="auto", memory=10**9, device="cpu"):
        super().__init__(ModelCard("timed", "ase"), device, batch_size)
        self.sizes = []
        self.memory = memory

    def _predict_batch(self, batch, forces, stresses):
        if len(batch.numbers) > self.memory:
            raise MemoryError
        self.sizes.append(len(batch.numbers))
        return Prediction(np.ones(len(batch)), forces=np.zeros((len(batch.numbers), 3)))


def many(n, size=1):
    rng = np.random.default_rng(0)
    images = []
    for _ in range(n):
        atoms = bulk("Si", "diamond", a=5.4) * (size, 1, 1)
        atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
        images.append(atoms)
    return Structures.from_atoms(images)


def clock(monkeypatch, seconds_for):
    """Let each model call take the time that a function of its number of atoms gives."""
    from symscape.models import answers as module

    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    predict = Timed._predict_batch

    def timed(self, batch, forces, stresses):
        answer = predict(self, batch, forces, stresses)
        now[0] += seconds_for(len(batch.numbers))
        return answer

    monkeypatch.setattr(Timed, "_predict_batch", timed)


def test_takes():
    assert FixedCount(3).take(np.array([9, 9])) == 2
    assert FixedCount(3).take(np.array([9, 9, 9, 9])) == 3
    assert AtomBudget(10).take(np.array([4, 4, 4])) == 2
    assert AtomBudget(12).take(np.array([4, 4, 4])) == 3
    assert AtomBudget(3).take(np.array([4, 4, 4])) == 1


def test_tuning_finds_where_larger_stops_being_faster(monkeypatch, tmp_path):
    # faster up to 48 atoms at once, slower beyond: a cache that overflows
    clock(monkeypatch, lambda n: n * (1.0 / min(n, 48) + 0.02 * max(0, n - 48)))
    model = Timed()
    asked = Evaluator(model, EnergyCache(tmp_path))
    asked.evaluate(many(300))
    assert asked.sizer(False).settled
    assert asked.sizer(False).budget == 48
    # the first batches were smaller, those after the decision are as large as the decision
    assert model.sizes[0] == 12
    assert model.sizes[-2] == 48


def test_tuning_is_remembered_for_this_model_and_kind_of_question(monkeypatch, tmp_path):
    clock(monkeypatch, lambda n: n * (1.0 / min(n, 24) + 0.05 * max(0, n - 24)))
    cache = EnergyCache(tmp_path)
    evaluate(Timed(), many(100), cache=cache)
    again = Timed()
    sizer = sizer_for(again, False, cache)
    assert sizer.settled
    assert sizer.budget == 24
    assert not sizer_for(again, True, cache).settled
    other = Timed()
    other.fingerprint = "another"
    assert not sizer_for(other, False, cache).settled


def test_tuning_stays_within_memory(monkeypatch):
    clock(monkeypatch, lambda n: 1.0)  # the larger the better
    model = Timed(memory=100)
    asked = Evaluator(model)
    said = asked.evaluate(many(400))
    assert said.failures == {}
    assert max(model.sizes) <= 100
    assert asked.sizer(False).settled
    assert asked.sizer(False).budget >= 48


def test_too_few_structures_to_tell_settle_nothing(monkeypatch, tmp_path):
    clock(monkeypatch, lambda n: 1.0)
    model = Timed()
    asked = Evaluator(model, EnergyCache(tmp_path))
    asked.evaluate(many(8))
    assert not asked.sizer(False).settled
    assert not BatchMemory(tmp_path).path.exists()


def test_a_gpu_is_tuned_and_a_cpu_is_not(tmp_path):
    assert isinstance(sizer_for(Timed(batch_size=None, device="cuda"), False, None), TunedBudget)
    assert type(sizer_for(Timed(batch_size=None), False, None)) is AtomBudget
    assert isinstance(sizer_for(Timed(batch_size=7, device="cuda"), False, None), FixedCount)


def test_unreadable_memory_is_no_reason_to_stop(tmp_path):
    memory = BatchMemory(tmp_path)
    memory.path.write_text("{not json")
    assert memory.get("x") is None
    memory.put("x", 12)
    assert memory.get("x") == 12
    memory.path.write_text('{"x": -3, "y": "many"}')
    assert memory.get("x") is None
    assert memory.get("y") is None
    blocked = BatchMemory(tmp_path / "batch-sizes.json")
    blocked.put("x", 1)
    assert blocked.get("x") is None


def test_clearing_the_cache_clears_it_too(tmp_path):
    BatchMemory(tmp_path).put("x", 12)
    CliRunner().invoke(app, ["cache", "clear", "--cache-dir", str(tmp_path)])
    assert BatchMemory(tmp_path).get("x") is None


def test_bad_batch_size():
    with pytest.raises(ModelError, match="must be a positive whole number or auto"):
        resolve("chgnet", batch_size="many")
