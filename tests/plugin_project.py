"""A project with calculators and a suite, for the tests of the pytest plugin."""

from __future__ import annotations

import json

import pytest
from benchmark_text import benchmark
from inprocess import import_lazy_modules, without_figures

CALCULATORS = """
import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT


def exact():
    return EMT()


class Soft(EMT):
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["energy"] *= 0.5


def soft():
    return Soft()


class Broken(EMT):
    def calculate(self, atoms, *args, **kwargs):
        super().calculate(atoms, *args, **kwargs)
        if abs(atoms.get_scaled_positions()[0, 1] - {where}) < 1e-3:
            self.results["energy"] = np.nan


def nan():
    return Broken()


class Raising(EMT):
    def calculate(self, atoms, *args, **kwargs):
        raise RuntimeError("this network has no weights")


def raising():
    return Raising()


def counting():
    return Counting()


class Counting(EMT):
    def calculate(self, atoms, *args, **kwargs):
        with open({log!r}, "a") as file:
            file.write("x")
        super().calculate(atoms, *args, **kwargs)


for factory in (exact, soft, counting):
    factory.fingerprint = factory.__name__
"""


SUITE = benchmark("energies")


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory, toy_reference):
    """Import what pytester would otherwise import anew, and drop, in each run in this process."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_figures(monkeypatch)
        import_lazy_modules(tmp_path_factory.mktemp("lazy"), toy_reference)


@pytest.fixture
def suite(pytester, toy_file, monkeypatch):
    """A project with one small reference, cheap calculators and the benchmark."""
    material = pytester.mkdir("references") / "AlCu-Cmcm"
    material.mkdir()
    (material / toy_file.name).write_bytes(toy_file.read_bytes())
    log = pytester.path / "calls.log"
    log.write_text("")
    calculators = CALCULATORS.replace("{where}", "0.36").replace("{log!r}", repr(str(log)))
    pytester.makepyfile(cheap=calculators)
    pytester.makepyfile(test_landscape=SUITE)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    pytester.syspathinsert()
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "user-cache"))
    without_figures(monkeypatch)  # runs in a process of their own draw them
    return pytester


def run(suite, *arguments):
    """Run pytest in this process, which has imported what is slow to import already."""
    return suite.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def run_apart(suite, *arguments):
    """Run pytest in a process of its own."""
    return suite.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def results(suite, model):
    return json.loads((suite.path / "reports" / model / "results.json").read_text())
