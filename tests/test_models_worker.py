"""A time limit for each structure."""

from __future__ import annotations

import textwrap
import time

import numpy as np
import pytest
from batched_models import Whole, true_energies, volumes
from model_structures import varied

from symscape.errors import ModelError
from symscape.models.cache import EnergyCache
from symscape.models.evaluate import Evaluator, evaluate
from symscape.models.registry import resolve

METALS = ("Al", "Cu", "Ag", "Ni", "Pd", "Pt")

CALCULATOR = """
import os, time
from ase.calculators.emt import EMT

class Moody(EMT):
    def calculate(self, atoms, properties, changes):
        mood = round(float(atoms.cell.volume), 6)
        if mood in {hangs}:
            time.sleep(600)
        if mood in {dies}:
            os._exit(9)
        if mood in {raises}:
            raise ValueError("no mood for this")
        super().calculate(atoms, properties, changes)

def make():
    return Moody()

make.fingerprint = "moody"
"""


@pytest.fixture
def structures():
    return varied(12, METALS)


def moody(tmp_path, structures, hangs=(), dies=(), raises=(), batch_size=None):
    volumes = [round(float(abs(np.linalg.det(c))), 6) for c in structures.cells]
    body = textwrap.dedent(CALCULATOR).format(
        hangs=[volumes[i] for i in hangs],
        dies=[volumes[i] for i in dies],
        raises=[volumes[i] for i in raises],
    )
    path = tmp_path / "moody.py"
    path.write_text(body)
    return resolve(f"{path}:make", mlip_name="moody", batch_size=batch_size)


def test_what_hangs_dies_or_raises_spoils_only_itself(tmp_path, structures):
    model = moody(tmp_path, structures, hangs=[4], dies=[7], raises=[9], batch_size=3)
    cache = EnergyCache(tmp_path / "cache")
    begin = time.monotonic()
    asked = Evaluator(model, cache, point_timeout=1.0)
    said = asked.evaluate(structures, forces=True)
    assert time.monotonic() - begin < 60
    assert said.failures == {
        4: "the model took longer than 1 s",
        7: "the process that ran the model died (exit code 9)",
        9: "ValueError: no mood for this",
    }
    good = np.setdiff1d(np.arange(12), [4, 7, 9])
    expected = resolve("ase.calculators.emt:EMT").predict(structures[good], forces=True)
    assert said.energies[good] == pytest.approx(expected.energies)
    assert said.forces[np.isfinite(said.forces)].reshape(-1, 3) == pytest.approx(expected.forces)
    assert len(cache.get(model.fingerprint, list(_keys(structures)))) == 9
    asked.close()


def _keys(structures):
    from symscape.models.cache import structure_keys

    return structure_keys(structures)


def test_the_process_is_kept_from_one_evaluation_to_the_next(tmp_path, structures):
    asked = Evaluator(moody(tmp_path, structures), point_timeout=30.0)
    asked.evaluate(structures[:2])
    process = asked._worker._process
    asked.evaluate(structures[2:4])
    assert asked._worker._process is process
    asked.close()
    assert not process.is_alive()


def test_weights_that_cannot_be_loaded_are_an_error_here(tmp_path):
    pytest.importorskip("chgnet")
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no weights")
    model = resolve("chgnet", checkpoint=broken, device="cpu")
    with pytest.raises(ModelError, match=r"can't load the weights .*broken\.pth"):
        Evaluator(model, point_timeout=60.0).evaluate(varied(1))


@pytest.mark.filterwarnings("ignore")
def test_a_real_model_gives_the_same_in_its_own_process():
    pytest.importorskip("chgnet")
    structures = varied(3)
    here = evaluate(resolve("chgnet", device="cpu"), structures, stresses=True)
    asked = Evaluator(resolve("chgnet", device="cpu"), point_timeout=60.0)
    there = asked.evaluate(structures, stresses=True)
    asked.close()
    assert there.energies == pytest.approx(here.energies, abs=1e-5)
    assert there.stresses == pytest.approx(here.stresses, abs=1e-5)


def test_interrupt_stops_the_process(tmp_path, structures):
    asked = Evaluator(moody(tmp_path, structures), point_timeout=30.0)
    asked.evaluate(structures[:1])
    worker = asked._worker
    process = worker._process

    def interrupt(*_):
        raise KeyboardInterrupt

    connection = worker._connection

    class Interrupted:
        def send(self, question):
            connection.send(question)

        poll = interrupt

        def close(self):
            connection.close()

    worker._connection = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        asked.evaluate(structures[1:2])
    assert not process.is_alive()
    # and the next question gets its own answer
    said = asked.evaluate(structures[3:4])
    expected = resolve("ase.calculators.emt:EMT").energies(structures[3:4])
    assert said.energies == pytest.approx(expected)
    asked.close()


@pytest.mark.parametrize("hangs", [(5,), (0, 7)])
def test_the_structure_of_a_batch_that_hangs_is_named(structures, hangs):
    """The whole batch hangs with it: a network computes all of them at once."""
    known = volumes(structures)
    model = Whole(hangs=[known[i] for i in hangs], batch_size=4)
    asked = Evaluator(model, point_timeout=0.5)
    said = asked.evaluate(structures)
    asked.close()
    assert said.failures == dict.fromkeys(hangs, "the model took longer than 0.5 s")
    good = np.setdiff1d(np.arange(len(structures)), hangs)
    assert np.array_equal(said.energies[good], true_energies(structures)[good])
