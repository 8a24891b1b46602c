"""Whole runs that must not be green: the gate when something could not be judged."""

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


def test_gaps_are_worse_than_a_baseline_without(suite):
    run(suite, "--mlip", "cheap:exact")
    baseline = keep(suite, "exact", "whole")
    found = run(suite, "--mlip", "cheap:gappy", "--baseline", str(baseline))
    assert found.ret == 1
    found.stdout.fnmatch_lines(["*1 worse*", "*worse*energies*"])
    assert "✓" not in (suite.path / "reports" / "gappy" / "summary.md").read_text()


@pytest.mark.parametrize("model", ["raising", "ending"])
def test_a_known_failure_excuses_no_error(suite, model):
    found = run(suite, "--mlip", f"cheap:{model}", "--tolerances", declare_known(suite))
    assert found.ret == 1
    (case,) = results(suite, model)["cases"]
    assert case["status"] == "error"


def test_a_torn_reference_is_no_known_failure(suite):
    (path,) = suite.path.glob("references/*/*.json")
    path.write_text(path.read_text()[:200])
    found = run(suite, "--mlip", "cheap:exact", "--tolerances", declare_known(suite))
    assert found.ret != 0
    assert "xfailed" not in found.stdout.str()


def test_what_the_baseline_judged_is_missed_unless_the_user_left_it_out(suite):
    suite.makepyfile(
        test_more="import pytest\n@pytest.mark.landscape('minima')\n"
        "def test_minima(landscape, verdict):\n    verdict(landscape.judge())\n"
    )
    run(suite, "--mlip", "cheap:exact")
    baseline = str(keep(suite, "exact", "both"))
    options = ("--mlip", "cheap:exact", "--baseline", baseline)
    assert run(suite, *options).ret == 0
    # left out by name
    assert run(suite, *options, "-k", "energies").ret == 0
    # not collected
    found = run(suite, *options, "test_landscape.py")
    assert found.ret == 1
    found.stdout.fnmatch_lines(["*gone*minima*AlCu-Cmcm-Al_y-Cu_y*", "*--allow-gone*"])
    assert run(suite, *options, "test_landscape.py", "--allow-gone").ret == 0


def test_a_run_that_judged_nothing_is_not_green_and_leaves_no_old_report(suite):
    run(suite, "--mlip", "cheap:exact")
    folder = suite.path / "reports" / "exact"
    before = (folder / "results.json").read_text()
    (suite.path / "conftest.py").write_text(
        "import pytest\ndef pytest_runtest_setup(item):\n    pytest.skip('no machine today')\n"
    )
    found = run(suite, "--mlip", "cheap:exact")
    assert found.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    found.stdout.fnmatch_lines(["nothing was judged: 1 of 1 cases were skipped*no machine today"])
    assert "has not finished" in (folder / "summary.md").read_text()
    assert "has not finished" in (folder / "index.html").read_text()
    assert not (folder / "results.json").exists()
    assert (folder / "results.previous.json").read_text() == before


def test_a_crashed_worker_leaves_its_case_in_the_report(suite):
    pytest.importorskip("xdist")
    found = run(suite, "--mlip", "cheap:exact,cheap:crashing", "-n", "2", apart=True)
    assert found.ret != 0
    (case,) = results(suite, "crashing")["cases"]
    assert case["status"] == "error"
    assert "crashed" in case["detail"]["message"]
    assert results(suite, "exact")["cases"][0]["status"] == "passed"


@pytest.mark.parametrize("model", ["raising", "ending"])
def test_a_marker_of_the_users_excuses_no_error(suite, model):
    path = suite.path / "test_landscape.py"
    marker = "@pytest.mark.xfail\n@pytest.mark.landscape"
    path.write_text(path.read_text().replace("@pytest.mark.landscape", marker))
    found = run(suite, "--mlip", f"cheap:{model}")
    assert found.ret == 1
    found.stdout.fnmatch_lines(["1 cases could not be evaluated, *no marker of a test*"])


def test_a_test_that_passes_without_a_verdict_has_judged_nothing(suite):
    path = suite.path / "test_landscape.py"
    path.write_text(path.read_text().replace("verdict(landscape.judge())", "landscape.judge()"))
    found = run(suite, "--mlip", "cheap:exact")
    assert found.ret == 1
    (case,) = results(suite, "exact")["cases"]
    assert case["status"] == "error"
    assert "without a verdict" in case["detail"]["message"]


def test_a_case_whose_worker_crashed_is_worse_than_the_baseline(suite):
    pytest.importorskip("xdist")
    run(suite, "--mlip", "cheap:exact")
    baseline = keep(suite, "exact", "whole")
    found = run(
        suite, "--mlip", "cheap:crashing", "-n", "1", "--baseline", str(baseline), apart=True
    )
    assert found.ret == 1
    found.stdout.fnmatch_lines(["*1 worse, 0 better, 0 new, 0 gone*"])


def test_a_case_is_in_the_report_though_no_worker_is_left(suite):
    pytest.importorskip("xdist")
    options = ("-n", "1", "--max-worker-restart", "0")
    found = run(suite, "--mlip", "cheap:crashing", *options, apart=True)
    assert found.ret != 0
    (case,) = results(suite, "crashing")["cases"]
    assert (case["status"], "crashed" in case["detail"]["message"]) == ("error", True)
