"""A project with one slice and models that answer, fail or end the process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

# runs in process forget what they import, and this extension can be imported only once
import gudhi.cubical_complex  # noqa: F401
import pytest
from inprocess import without_figures
from toys import store, toy_document

ROOT = Path(__file__).parents[1]
CALCULATORS = """
import os

from ase.calculators.emt import EMT


class Gappy(EMT):
    def calculate(self, atoms, *args, **kwargs):
        if atoms.get_scaled_positions()[0, 1] > 0.37:
            raise RuntimeError("too far")
        super().calculate(atoms, *args, **kwargs)


class Fatal(BaseException):
    pass


class Ending(EMT):
    def calculate(self, *args, **kwargs):
        raise Fatal("not an Exception")


class Crashing(EMT):
    def calculate(self, *args, **kwargs):
        os._exit(11)


def exact():
    return EMT()


def gappy():
    return Gappy()


def ending():
    return Ending()


def crashing():
    return Crashing()


def raising():
    raise RuntimeError("no weights")
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """A project with one slice and the question of the energies."""
    store(pytester.mkdir("references"), toy_document())
    shutil.copy(ROOT / "benchmarks" / "test_landscape.py", pytester.path / "test_landscape.py")
    pytester.makepyfile(cheap=CALCULATORS)
    pytester.syspathinsert()
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path}:{ROOT / 'src'}")
    without_figures(monkeypatch)
    return pytester


def run(suite, *options, apart=False):
    make = suite.runpytest_subprocess if apart else suite.runpytest_inprocess
    return make("-p", "no:cacheprovider", "--no-cache", *options)


def results(suite, model):
    return json.loads((suite.path / "reports" / model / "results.json").read_text())


def keep(suite, model, name):
    """Keep a run's results as a baseline."""
    path = suite.path / f"{name}.json"
    shutil.copy(suite.path / "reports" / model / "results.json", path)
    return path


def declare_known(suite):
    path = suite.path / "mine.toml"
    path.write_text(
        'extends = "default"\n[[known_failure]]\nmaterial = "*"\nreason = "r"\n'
        "expires = 2999-01-01\n"
    )
    return str(path)
