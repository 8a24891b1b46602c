"""Several batches at the same time: the same batches, the same answers, nothing lost."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_structures import varied

from symscape.models import threads
from symscape.models.base import ALL_QUANTITIES, EnergyModel, Prediction
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator
from symscape.models.threads import busy_cores, describe_threads, executor, lanes

STRUCTURES = varied(23)


class Simple(EnergyModel):
    """Its energy is a simple function of a structure; it counts who asks it at the same time."""

    default_batch_size = 1
    implements = ALL_QUANTITIES
    fingerprint = "simple"
    thread_safe = True

    def __init__(self, meeting=None):
        super().__init__(ModelCard("simple", "test"), "cpu", 2)
        self.batches = set()
        self.fails = {}
        self.meeting = meeting
        self.asking = self.most_asking = 0
        self._lock = threading.Lock()

    def _predict_batch(self, batch, forces, stresses):
        with self._lock:
            self.asking += 1
            self.most_asking = max(self.most_asking, self.asking)
            self.batches.add(tuple(batch.positions.sum(axis=1)))
        try:
            if self.meeting is not None:
                self.meeting.wait(timeout=20)
            energies = np.array([atoms.positions.sum() + len(atoms) for atoms in batch])
            for k, energy in enumerate(energies):
                how = self.fails.get(round(float(energy), 6))
                if how == "nan":
                    energies[k] = np.nan
                elif how == "raises":
                    raise ValueError("not this one")
                elif how == "memory" and len(batch) > 1:
                    raise MemoryError
            return Prediction(energies)
        finally:
            with self._lock:
                self.asking -= 1


TRUE = Simple().energies(STRUCTURES)


@pytest.fixture
def three_cores(monkeypatch):
    """A machine of three cores, where nobody has said anything about threads."""
    for name in ("OMP_NUM_THREADS", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "_torch", lambda: None)
    monkeypatch.setattr(threads, "cores", lambda: 3)


def test_as_many_batches_are_under_way_as_there_are_cores(three_cores):
    # each batch waits until two others are under way with it: 24 structures are four times three
    model = Simple(threading.Barrier(3))
    structures = varied(18)
    found = Evaluator(model).evaluate(structures)
    assert not found.failures
    assert model.most_asking == 3
    np.testing.assert_array_equal(found.energies, Simple().energies(structures))


def test_a_model_that_does_not_allow_it_is_asked_one_batch_after_the_other(three_cores):
    model = Simple()
    model.thread_safe = False
    Evaluator(model).evaluate(STRUCTURES)
    assert model.most_asking == 1
    assert describe_threads(1, thread_safe=True) == "3 batches at once"
    assert "batches at once" not in describe_threads(1, thread_safe=False)


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(st.integers(0, 22), st.sampled_from(["nan", "raises", "memory"]), max_size=6),
    st.integers(1, 4),
)
def test_failures_reach_no_other_structure_however_many_batches_are_under_way(fails, count):
    model = Simple()
    model.fails = {round(float(TRUE[k]), 6): how for k, how in fails.items()}
    evaluator = Evaluator(model)
    evaluator._lanes = lambda: count
    found = evaluator.evaluate(STRUCTURES)
    lost = {k for k, how in fails.items() if how != "memory"}
    assert set(found.failures) == lost
    kept = np.array([k not in lost for k in range(len(STRUCTURES))])
    np.testing.assert_array_equal(found.energies[kept], TRUE[kept])
    assert np.isnan(found.energies[~kept]).all()


@given(st.integers(1, 4))
@settings(deadline=None)
def test_batches_do_not_depend_on_how_many_are_under_way(count):
    model, one = Simple(), Simple()
    evaluator = Evaluator(model)
    evaluator._lanes = lambda: count
    evaluator.evaluate(STRUCTURES)
    alone = Evaluator(one)
    alone._lanes = lambda: 1
    alone.evaluate(STRUCTURES)
    assert model.batches == one.batches


def test_what_ends_the_program_ends_it(three_cores):
    def interrupted():
        raise KeyboardInterrupt

    with executor(1) as pool, pytest.raises(KeyboardInterrupt):
        pool.submit(interrupted)
    with executor(2) as pool:
        assert isinstance(pool.submit(interrupted).exception(), KeyboardInterrupt)


def test_workers_and_the_user_limit_the_batches_under_way(three_cores, monkeypatch):
    assert lanes() == 3
    assert lanes(workers=2) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert lanes() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert lanes() == threads.MOST_LANES


def test_threads_of_torch_are_shared_and_put_back(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with executor(2) as pool:
            assert list(pool.map(lambda _: torch.get_num_threads(), range(2))) == [2, 2]
        assert torch.get_num_threads() == 4
        torch.set_num_threads(1)
        assert lanes() == 1
    finally:
        torch.set_num_threads(before)


def test_busy_cores_are_counted_from_what_the_kernel_says(tmp_path):
    assert busy_cores(0.0, str(tmp_path / "none")) is None
    path = tmp_path / "stat"
    path.write_text("intr 5 0 0 0 0 0 0 0\n")
    assert busy_cores(0.0, str(path)) is None
    # nothing changes in this file
    path.write_text("cpu  100 1 50 4000 7 0 3 2 0 0\ncpu0 50 0 25 2000 3 0 1 1 0 0\n")
    assert busy_cores(0.01, str(path)) == 0.0


def test_a_busy_core_is_seen():
    if busy_cores(0.0) is None:
        pytest.skip("the system does not say how busy its cores are")
    ends = threading.Event()

    def spin():
        while not ends.is_set():
            sum(range(1000))

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        assert busy_cores(0.3) > 0.5
    finally:
        ends.set()
        thread.join()


@pytest.mark.parametrize(("name", "package"), [("chgnet", "chgnet"), ("7net-0", "sevenn")])
def test_numbers_are_the_same_bit_by_bit(name, package):
    pytest.importorskip(package)
    from symscape.models.registry import resolve

    model = resolve(name)
    model.load()
    structures = varied(12)
    found = []
    for count in (1, 3):
        evaluator = Evaluator(model)
        evaluator._lanes = lambda count=count: count
        found.append(evaluator.evaluate(structures, forces=True, stresses=True))
    one, three = found
    np.testing.assert_array_equal(one.energies, three.energies)
    np.testing.assert_array_equal(one.forces, three.forces)
    np.testing.assert_array_equal(one.stresses, three.stresses)
