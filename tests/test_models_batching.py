"""Batch sizes: as asked for, by atoms, or tuned and remembered."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.ase import ASEModel
from symscape.models.base import EnergyModel, Prediction
from symscape.models.batching import (
    AtomBudget,
    BatchMemory,
    FixedCount,
    MemoryBudget,
    QuickBudget,
    TunedBudget,
    sizer_for,
)
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
    assert model.sizes[0] == 24
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


class Device(Timed):
    """A model on a device that takes memory by a law of its own, and that watches it."""

    def __init__(self, capacity, fixed, per_atom, power=1.0):
        super().__init__(None, device="cpu")
        self.capacity, self.fixed, self.per_atom, self.power = capacity, fixed, per_atom, power
        self.peak = 0
        self.seen = []

    def begin(self):
        self.peak = 0

    def used(self):
        return self.peak

    def free(self):
        return self.capacity

    def _predict_batch(self, batch, forces, stresses):
        n = len(batch.numbers)
        taken = int(self.fixed + self.per_atom * n**self.power)
        if taken > self.capacity:
            raise MemoryError
        self.peak = max(self.peak, taken)
        self.seen += batch.positions.reshape(-1, 6).sum(axis=1).tolist()
        return super()._predict_batch(batch, forces, stresses)


def on_device(model, start=64):
    """Return an evaluator whose batches are chosen by the model's memory."""
    asked = Evaluator(model)
    asked._sizers[False] = MemoryBudget(start, model, None, "key")
    return asked


MANY = many(2000)
SUMS = sorted(MANY.positions.reshape(-1, 6).sum(axis=1).tolist())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 10_000), st.floats(0, 0.2), st.floats(0.02, 30))
def test_three_batches_find_what_fits_into_memory(per_atom, fixed, fill):
    # what 64 atoms take, as a part of the device, and what is taken whatever the batch
    capacity = int(64 * per_atom * (1 + fill))
    model = Device(capacity, fixed * capacity * fill / (1 + fill), per_atom)
    asked = on_device(model)
    said = asked.evaluate(MANY)
    best = (model.capacity - model.fixed) / per_atom
    assert said.failures == {}
    assert sorted(model.seen) == SUMS
    assert max(model.sizes) <= best
    assert asked.sizer(False).settled
    assert asked.sizer(False).budget >= 0.4 * best
    # no ladder: the probe, what it allows, one correction
    assert sum(size < 0.4 * min(best, 4000) for size in model.sizes[:-1]) <= 2


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(1.0, 2.5), st.integers(200, 4000))
def test_out_of_memory_loses_nothing_and_computes_nothing_twice(power, largest):
    """Memory that grows faster than the number of atoms is more than the probe foretold."""
    model = Device(int(10 * largest**power), 0, 10, power)
    asked = on_device(model)
    said = asked.evaluate(MANY)
    assert said.failures == {}
    assert sorted(model.seen) == SUMS
    # where the first large batch is the last and fits, nothing says how much more would
    sizer = asked.sizer(False)
    assert not sizer.settled or largest / 8 < sizer.budget <= largest + 1
    assert max(model.sizes) <= largest + 1


def test_where_memory_can_not_be_seen_the_first_size_stays():
    model = Device(10**9, 0, 1)
    model.used = lambda: 0
    asked = on_device(model)
    asked.evaluate(MANY[:300])
    assert set(model.sizes[:-1]) == {64}
    assert not asked.sizer(False).settled


def test_what_fits_is_remembered(tmp_path):
    model, memory = Device(10**5, 0, 10), BatchMemory(tmp_path)
    first = MemoryBudget(64, model, memory, "key")
    asked = Evaluator(model)
    asked._sizers[False] = first
    asked.evaluate(MANY)
    again = MemoryBudget(64, model, memory, "key")
    assert again.settled
    assert again.budget == first.budget == 6000


def test_too_few_structures_to_tell_settle_nothing(monkeypatch, tmp_path):
    clock(monkeypatch, lambda n: 1.0)
    model = Timed()
    asked = Evaluator(model, EnergyCache(tmp_path))
    asked.evaluate(many(8))
    assert not asked.sizer(False).settled
    assert not BatchMemory(tmp_path).path.exists()


def test_a_gpu_is_tuned_and_a_cpu_is_not(tmp_path):
    assert isinstance(sizer_for(Timed(batch_size=None, device="cuda"), False, None), MemoryBudget)
    assert isinstance(sizer_for(Timed(device="cuda"), False, None), MemoryBudget)
    assert isinstance(sizer_for(Timed(), False, None), TunedBudget)
    assert type(sizer_for(Timed(batch_size=None), False, None)) is AtomBudget
    assert isinstance(sizer_for(Timed(batch_size=7, device="cuda"), False, None), FixedCount)


@given(
    per_atom=st.floats(1e-6, 1e-1),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=60),
)
def test_structures_asked_one_by_one_are_batched_only_while_nobody_notices(per_atom, sizes):
    sizer, waiting = QuickBudget(6), np.array(sorted(sizes))
    taken = []
    while len(waiting):
        count = sizer.take(waiting)
        assert count >= 1
        atoms, waiting = int(waiting[:count].sum()), waiting[count:]
        sizer.note(atoms, atoms * per_atom)
        taken.append((count, atoms * per_atom))
    # what is lost by an interruption: a structure, or a few thousandths of a second
    assert all(count == 1 or seconds < 0.005 for count, seconds in taken[1:])


def test_cheap_structures_asked_one_by_one_come_in_few_calls():
    sizer, calls, left = QuickBudget(6), 0, np.full(1000, 6)
    while len(left):
        count = sizer.take(left)
        sizer.note(6 * count, 1e-6 * count)
        left, calls = left[count:], calls + 1
    assert calls < 15


def test_a_calculator_is_asked_one_by_one_wherever_it_computes():
    for device in ("cpu", "cuda"):
        assert isinstance(
            sizer_for(ASEModel(ModelCard("emt", "ase"), device), False, None), QuickBudget
        )
    assert isinstance(
        sizer_for(ASEModel(ModelCard("emt", "ase"), batch_size=7), False, None), FixedCount
    )


def test_unreadable_memory_is_no_reason_to_stop(tmp_path):
    memory = BatchMemory(tmp_path)
    memory.path.write_text("{not json")
    assert memory.get("x") is None
    memory.put("x", 12)
    assert memory.get("x") == 12
    for spoilt in ('{"x": -3}', '{"x": "many"}', '{"x": true}', '{"x": 1.5}', "[3]", "[" * 9999):
        memory.path.write_text(spoilt)
        assert memory.get("x") is None
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
