"""Threads: one for small batches, the idle cores for large ones, what the user says above all."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_structures import varied

from symscape.models import threads
from symscape.models.base import EnergyModel, Prediction
from symscape.models.card import ModelCard
from symscape.models.threads import SINGLE, describe_threads, most_threads, share, threads_for


class Counts(EnergyModel):
    """Notes with how many threads it is asked."""

    implements = frozenset({"energy"})
    fingerprint = "counts"

    def __init__(self):
        super().__init__(ModelCard("counts", "test"), "cpu")
        self.seen = []

    def _predict_batch(self, batch, forces, stresses):
        import torch

        self.seen.append((len(batch.numbers), torch.get_num_threads()))
        return Prediction(np.zeros(len(batch)))


@pytest.fixture
def four_cores(monkeypatch):
    """An idle machine, where nobody has said anything about threads."""
    torch = pytest.importorskip("torch")
    for name in ("OMP_NUM_THREADS", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setattr(threads, "_load", lambda: 0.3)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield torch
    torch.set_num_threads(before)


@given(st.integers(1, 256), st.floats(0, 500), st.integers(1, 64))
def test_a_share_is_at_least_one_and_all_shares_fit(n_cores, busy, workers):
    own = share(n_cores, busy, workers)
    assert own >= 1
    assert own == 1 or own * workers + int(busy) <= n_cores
    assert share(n_cores, busy, 1) >= own
    assert share(n_cores, 0, workers) >= own
    assert share(n_cores, 0, 1) == n_cores


def test_small_batches_get_one_thread_and_large_ones_all(four_cores):
    model = Counts()
    structures = varied(40)
    for n in (1, 40):
        model.predict_batch(structures[:n])
    (few, one), (many, everything) = model.seen
    assert few <= SINGLE < many
    assert (one, everything) == (1, 4)
    assert four_cores.get_num_threads() == 4


def test_the_limit_of_the_user_is_kept_and_put_back(four_cores, monkeypatch):
    four_cores.set_num_threads(2)
    with threads_for(10**6):
        assert four_cores.get_num_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert most_threads() == 3
    assert describe_threads(8) == "3, 1 up to 24 atoms a batch"
    with threads_for(1):
        assert four_cores.get_num_threads() == 1
    assert four_cores.get_num_threads() == 2


def test_a_model_that_raises_leaves_the_number_as_it_was(four_cores, monkeypatch):
    model = Counts()
    monkeypatch.setattr(model, "_predict_batch", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.energies(varied(1))
    assert four_cores.get_num_threads() == 4


def test_workers_and_busy_cores_count(four_cores, monkeypatch):
    assert describe_threads(1) == "4, 1 up to 24 atoms a batch"
    assert describe_threads(2) == "2, 1 up to 24 atoms a batch"
    assert describe_threads(4) == "1"
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    assert most_threads() == 2
    monkeypatch.setattr(threads, "_load", lambda: 3.7)
    assert most_threads() == 1


def test_nothing_imports_torch():
    code = (
        "import sys\n"
        "from symscape.models.threads import describe_threads, threads_for\n"
        "with threads_for(5):\n"
        "    assert describe_threads(1)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
