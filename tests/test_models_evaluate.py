"""Evaluation: what is asked once, what survives a failure, an interrupt, a lack of memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from batched_models import Whole, true_energies, volumes
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import varied

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import ALL_QUANTITIES, EnergyModel, Prediction
from symscape.models.cache import EnergyCache
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator, evaluate


class Recorder(EnergyModel):
    """Its energy is a simple function of a structure; it remembers what it was asked for."""

    default_batch_size = 4
    implements = ALL_QUANTITIES
    fingerprint = "recorder"

    def __init__(self, batch_size=None, sabotage=None):
        super().__init__(ModelCard("recorder", "ase"), "cpu", batch_size)
        self.calls = []
        self.asked_forces = []
        self.loads = 0
        self.sabotage = sabotage or (lambda batch: None)

    def load(self):
        self.loads += 1

    def _predict_batch(self, batch, forces, stresses):
        self.calls.append([a.positions.sum() for a in batch])
        self.asked_forces.append(forces)
        bad = self.sabotage(batch)
        energies = expected(batch)
        if bad is not None:
            energies[bad] = np.nan
        return Prediction(
            energies,
            2.0 * batch.positions if forces else None,
            3.0 * batch.cells if stresses else None,
        )


def expected(structures):
    return np.array([a.positions.sum() + a.numbers.sum() for a in structures])


@pytest.fixture
def structures():
    return varied(23)


@pytest.fixture
def cache(tmp_path):
    return EnergyCache(tmp_path)


def test_answers_are_in_the_order_of_the_structures(structures):
    said = evaluate(Recorder(), structures, forces=True, stresses=True)
    assert said.energies == pytest.approx(expected(structures), rel=1e-15)
    assert np.array_equal(said.forces, 2 * structures.positions)
    assert np.array_equal(said.stresses, 3 * structures.cells)
    assert said.failures == {}
    assert said.n_cached == 0


def test_nothing_that_was_not_asked_for(structures):
    model = Recorder()
    said = evaluate(model, structures)
    assert said.forces is None
    assert said.stresses is None
    assert not any(model.asked_forces)


def test_no_structures_at_all(cache):
    model = Recorder()
    said = evaluate(model, varied(1)[:0], cache=cache, forces=True)
    assert said.energies.shape == (0,)
    assert said.forces.shape == (0, 3)
    assert model.loads == 0


def test_second_time_the_model_is_not_even_loaded(structures, cache):
    first = evaluate(Recorder(), structures, cache=cache)
    model = Recorder()
    second = evaluate(model, structures, cache=cache)
    assert np.array_equal(first.energies, second.energies)
    assert second.n_cached == len(structures)
    assert model.loads == 0
    assert model.calls == []


def test_forces_that_are_not_cached_are_asked_for(structures, cache):
    evaluate(Recorder(), structures, cache=cache)
    model = Recorder()
    said = evaluate(model, structures, cache=cache, forces=True)
    assert said.n_cached == 0
    assert np.array_equal(said.forces, 2 * structures.positions)
    assert evaluate(Recorder(), structures, cache=cache, forces=True).n_cached == len(structures)


def test_identical_structures_are_asked_for_once(structures, cache):
    twice = structures[np.tile(np.arange(5), 3)]
    model = Recorder()
    said = evaluate(model, twice, cache=cache)
    assert sum(map(len, model.calls)) == 5
    assert said.n_cached == 10
    assert said.energies == pytest.approx(expected(twice), rel=1e-15)


def test_model_that_cannot_be_identified_is_never_cached(structures, cache):
    class Unknown(Recorder):
        cacheable = False

    for _ in range(2):
        assert evaluate(Unknown(), structures, cache=cache).n_cached == 0
    assert cache.info().entries == {}


@pytest.mark.parametrize("batch_size", [1, 4, 7, 100])
def test_batches_are_as_large_as_asked_for(structures, batch_size):
    model = Recorder(batch_size)
    evaluate(model, structures)
    full, rest = divmod(23, batch_size)
    assert [len(c) for c in model.calls] == [batch_size] * full + [rest] * bool(rest)


def test_default_batches_hold_fewer_of_the_larger_cells(structures):
    model = Recorder()
    evaluate(model, structures)
    sizes = [len(c) for c in model.calls]
    assert max(sizes) > 4 > min(sizes)


def test_nan_costs_only_its_own_structure(structures, cache):
    odd = expected(structures)[[3, 17]]

    def sabotage(batch):
        return np.isin(expected(batch), odd)

    said = evaluate(Recorder(5, sabotage), structures, cache=cache)
    assert set(said.failures) == {3, 17}
    assert set(np.flatnonzero(np.isnan(said.energies))) == {3, 17}
    assert "NaN" in said.failures[3]
    # failures are asked for again in the next run, the others are not
    again = Recorder(5)
    assert evaluate(again, structures, cache=cache).failures == {}
    assert sum(map(len, again.calls)) == 2


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sets(st.integers(0, 22), max_size=6),
    st.integers(1, 23),
    st.sampled_from([np.nan, np.inf, 0.1]),
    st.booleans(),
)
def test_nan_never_reaches_the_neighbours(bad, batch_size, spread, forces):
    """Whatever a NaN does to the rest of its batch: NaN too, infinity, or a wrong number."""
    structures = varied(23)
    known = volumes(structures)
    model = Whole(nan=[known[i] for i in bad], batch_size=batch_size, spread=spread)
    said = evaluate(model, structures, forces=forces)
    assert said.failures == dict.fromkeys(bad, "the model returned NaN or infinity")
    good = np.setdiff1d(np.arange(23), sorted(bad))
    assert np.array_equal(said.energies[good], true_energies(structures)[good])


def test_one_bad_structure_is_found_in_halves():
    structures = varied(64)
    model = Whole(nan=[volumes(structures)[37]], batch_size=64)
    assert set(evaluate(model, structures).failures) == {37}
    assert len(model.calls) == 1 + 2 * 6


def test_exception_costs_only_its_own_structure_and_is_told(structures):
    odd = expected(structures)[8]

    def sabotage(batch):
        if odd in expected(batch):
            raise ValueError("angle of 181 degrees\nsecond line")

    said = evaluate(Recorder(6, sabotage), structures, forces=True)
    assert said.failures == {8: "ValueError: angle of 181 degrees"}
    assert np.isnan(said.forces[structures.offsets[8] : structures.offsets[9]]).all()
    assert np.isfinite(np.delete(said.energies, 8)).all()


def test_failed_twin_fails_everywhere(structures):
    twins = structures[[0, 1, 0]]
    odd = expected(structures)[0]

    def sabotage(batch):
        return expected(batch) == odd

    assert set(evaluate(Recorder(sabotage=sabotage), twins).failures) == {0, 2}


def test_model_error_at_one_structure_is_quoted_as_it_is(structures):
    def sabotage(batch):
        raise ModelError("recorder was not trained on Xx.")

    said = evaluate(Recorder(sabotage=sabotage), structures[:2])
    assert said.failures == dict.fromkeys(range(2), "recorder was not trained on Xx.")


def test_model_that_cannot_be_loaded_is_an_error(structures):
    class Missing(Recorder):
        def load(self):
            raise ModelError("no weights")

    with pytest.raises(ModelError, match="no weights"):
        evaluate(Missing(), structures)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")],
)
def test_out_of_memory_halves_the_batch_and_goes_on(structures, error):
    def sabotage(batch):
        if len(batch) > 3:
            raise error

    model = Recorder(16, sabotage)
    asked = Evaluator(model)
    said = asked.evaluate(structures)
    assert said.failures == {}
    assert [len(c) for c in model.calls[:4]] == [16, 8, 4, 2]
    # the lesson is remembered for the next slice
    model.calls.clear()
    asked.evaluate(structures)
    assert max(map(len, model.calls)) <= 3


def test_one_structure_that_never_fits_is_a_failure(structures):
    large = int(np.argmax(structures.n_atoms))

    def sabotage(batch):
        if any(len(a) == structures.n_atoms[large] for a in batch):
            raise MemoryError

    said = evaluate(Recorder(sabotage=sabotage), structures)
    assert said.failures[large] == "out of memory"
    assert set(said.failures) == set(
        np.flatnonzero(structures.n_atoms == structures.n_atoms[large])
    )


def test_interrupted_run_keeps_what_is_done_and_goes_on(structures, cache):
    def sabotage(batch):
        if len(model.calls) == 4:
            raise KeyboardInterrupt

    model = Recorder(5, sabotage)
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, structures, cache=cache)
    again = Recorder(5)
    said = evaluate(again, structures, cache=cache)
    assert said.n_cached == 15
    assert sum(map(len, again.calls)) == 8
    assert said.energies == pytest.approx(expected(structures), rel=1e-15)


def test_progress_ends_at_all_of_them(structures, cache):
    seen = []
    evaluate(Recorder(5), structures[:10], cache=cache)
    twice = structures[[*range(23), 22]]
    evaluate(Recorder(5), twice, cache=cache, progress=lambda *x: seen.append(x))
    assert seen[0] == (11, 24)
    assert seen[-1] == (24, 24)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_answering_from_the_cache_imports_no_torch(tmp_path):
    pytest.importorskip("chgnet")
    structures = varied(3)
    np.savez(
        tmp_path / "s.npz",
        numbers=structures.numbers,
        positions=structures.positions,
        cells=structures.cells,
        offsets=structures.offsets,
    )
    code = f"""
import sys, numpy as np
from symscape.crystal.structures import Structures
from symscape.models.cache import EnergyCache
from symscape.models.evaluate import evaluate
from symscape.models.registry import resolve
structures = Structures(**np.load({str(tmp_path / "s.npz")!r}))
said = evaluate(resolve("chgnet"), structures, cache=EnergyCache({str(tmp_path)!r}))
assert not said.failures, said.failures
print(said.n_cached, "torch" in sys.modules, list(said.energies))
"""
    runs = [
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
        for _ in range(2)
    ]
    assert runs[0].stdout.startswith("0 True"), runs[0].stderr
    assert runs[1].stdout.startswith("3 False"), runs[1].stderr
    assert runs[0].stdout.split(" ", 2)[2] == runs[1].stdout.split(" ", 2)[2]


def test_structures_index_keeps_atoms_with_their_cells(structures):
    # evaluate reorders structures; this is what it relies on
    order = np.argsort(-structures.n_atoms, kind="stable")
    again = structures[order][np.argsort(order, kind="stable")]
    assert isinstance(again, Structures)
    assert np.array_equal(again.positions, structures.positions)


def test_loading_is_announced_once_and_only_where_the_model_is_asked(structures, tmp_path):
    said = []
    with EnergyCache(tmp_path) as cache:
        asked = Evaluator(Recorder(), cache, loading=lambda: said.append("loading"))
        asked.evaluate(structures)
        asked.evaluate(structures, forces=True)
        assert said == ["loading"]
        again = Evaluator(Recorder(), cache, loading=lambda: said.append("again"))
        again.evaluate(structures)
    assert said == ["loading"]
