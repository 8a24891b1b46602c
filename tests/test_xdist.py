"""The same results with any number of processes, and in any order."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from benchmark_text import benchmark
from toys import store, toy_document

pytest.importorskip("xdist")

CALCULATORS = """
from ase.calculators.emt import EMT


class Soft(EMT):
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["energy"] *= 0.5


class Choosy(EMT):
    def calculate(self, atoms, *args, **kwargs):
        if atoms.get_scaled_positions()[0, 1] > 0.37:
            raise RuntimeError("too far")
        super().calculate(atoms, *args, **kwargs)


def exact():
    return EMT()


def soft():
    return Soft()


def choosy():
    return Choosy()


for factory in (exact, soft, choosy):
    factory.fingerprint = factory.__name__
"""

CONFTEST = """
import os

if "PYTEST_XDIST_WORKER" not in os.environ:  # drawing takes longer than all the rest
    import symscape.page.report

    symscape.page.report.write_figures = lambda folder, view, **_: {}


def pytest_collection_modifyitems(items):
    if os.environ.get("IN_REVERSE"):
        items.reverse()
"""

SUITE = benchmark("energies", "minima", "forces", "invariance")

MODELS = ("exact", "soft", "choosy")
MLIPS = ",".join(f"cheap:{name}" for name in MODELS)


@pytest.fixture
def project(pytester, monkeypatch):
    """Three models, two slices, four questions."""
    for material, points in (("AlCu-Cmcm", 3), ("CuAl-Cmcm", 4)):
        store(pytester.path / "references", toy_document(material, points=points))
    pytester.makepyfile(cheap=CALCULATORS, test_all=SUITE)
    pytester.makeconftest(CONFTEST)
    pytester.syspathinsert()
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    return pytester


def run(project: Any, name: str, *arguments: str) -> dict[str, Any]:
    """Run the suite with a cache of its own and return what it leaves behind."""
    folders = ("--report-dir", name, "--cache-dir", f"cache-{name}")
    options = ("-p", "no:cacheprovider", "--mlip", MLIPS, *folders)
    # in a process of its own, whatever this one has imported
    outcome = project.runpytest_subprocess(*options, *arguments)
    assert outcome.ret == 1, outcome.stdout.str()  # two of the models are bad ones
    return {model: left_behind(project.path / name / model) for model in MODELS}


def left_behind(folder: Path) -> dict[str, Any]:
    """Results without times, and the tables."""
    results = json.loads((folder / "results.json").read_text())
    tables = {path.name: path.read_text() for path in sorted((folder / "tables").iterdir())}
    return {"results": without_times(results), "tables": tables}


def without_times(results: dict[str, Any]) -> dict[str, Any]:
    """Results without what a clock put into them."""
    results = copy.deepcopy(results)
    for key in ("started", "wall_seconds"):
        del results[key]
    results["versions"].pop("cache", None)  # how the energies were kept, for whoever reads times
    # how many cores were idle, and among how many workers they were shared
    results["versions"].pop("threads", None)
    for case in results["cases"]:
        del case["seconds"]
    return results


def test_results_do_not_depend_on_processes_or_order(project, monkeypatch):
    expected = run(project, "one")
    assert len(expected["exact"]["results"]["cases"]) == 8
    statuses = {case["status"] for case in expected["choosy"]["results"]["cases"]}
    assert statuses & {"failed", "error"}
    assert run(project, "none", "-n", "0") == expected
    assert run(project, "two", "-n", "2") == expected
    assert run(project, "four", "-n", "4") == expected
    monkeypatch.setenv("IN_REVERSE", "1")
    assert run(project, "reversed") == expected


def test_results_do_not_depend_on_what_the_cache_knew(project):
    expected = run(project, "one")
    again = run(project, "two", "--cache-dir", "cache-one")
    without = run(project, "three", "--no-cache")
    assert again == expected
    assert without == expected
