"""Equations of state as the suite asks for them, with closed-form curves in place of a model."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path

import pytest
from curve_models import write_part

import symscape.page.report
from symscape.questions.occasions import curve_subjects
from symscape.questions.subjects import ElementalPrototype, ElementGroup
from symscape.references.equations import load_equations
from symscape.results.files import load_results

ROOT = Path(__file__).parents[1]
ELEMENTS = frozenset(("O", "Al", "Ti", "Cu", "Zr", "Ce", "Hf"))
CALCULATORS = f"""
import sys
sys.path.append({str(ROOT / "tests")!r})
from curve_models import Curves


def exact():
    return Curves()


def soft():
    return Curves(stretch=1.05, scale=0.5)


def partial():
    return Curves(without=frozenset({{40}}))
"""


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Import what pytester would otherwise import anew, and drop, in each run in this process."""
    for name in (
        "filelock",
        "jinja2",
        "pandas",
        "sqlite3",
        "symscape.science.equation_of_state.model_curves",
        "symscape.models.cache",
        "symscape.models.evaluate",
        "symscape.page.report",
        "symscape.suite.collect",
        "symscape.verdict.gate",
        "symscape.page.github",
        "symscape.suite.progress_lines",
        "symscape.suite.record",
        "symscape.verdict.explain",
    ):
        import_module(name)


@pytest.fixture
def suite(pytester, toy_file, monkeypatch):
    """A project with one slice, the equations of state, cheap calculators and the benchmark."""
    references = pytester.mkdir("references")
    (references / "AlCu-Cmcm").mkdir()
    shutil.copy(toy_file, references / "AlCu-Cmcm")
    write_part(references, ELEMENTS)
    shutil.copy(ROOT / "benchmarks" / "test_equations_of_state.py", pytester.path)
    pytester.makepyfile(cheap=CALCULATORS)
    pytester.syspathinsert()
    # figures take longer than everything else together; a test of their own draws them
    monkeypatch.setattr(symscape.page.report, "write_curves", lambda folder, view: {})
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    return pytester


def run(suite, *arguments):
    return suite.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def results(suite, model):
    return load_results(suite.path / "reports" / model / "results.json")


def test_cases_are_groups_and_prototypes():
    equations = load_equations([ROOT / "references"])
    groups = curve_subjects(ElementGroup, equations)
    assert ElementGroup("group-4", ("Ti", "Zr", "Hf")) in groups
    assert len(groups) == 18
    assert curve_subjects(ElementalPrototype, equations)[0] == ElementalPrototype("SC")
    assert curve_subjects(ElementGroup, None) == []


def test_the_suite_asks_and_reports(suite):
    outcome = run(suite, "--mlip", "cheap:exact,cheap:soft", "-k", "Zr or BCC")
    outcome.assert_outcomes(passed=2, failed=2, deselected=12)
    outcome.stdout.fnmatch_lines(["*soft-group-4-Ti-Zr-Hf: equations of state failed"])
    prototype, group = results(suite, "soft").cases
    assert group.metrics["volume_bias"] == pytest.approx(5, abs=0.01)
    assert group.metrics["n_crystals"] == 30
    assert prototype.metrics["softening_scale"] == pytest.approx(0.5, abs=1e-3)
    assert not prototype.notes.missing_crystals
    prototype, group = results(suite, "exact").cases
    assert group.metrics["epsilon"] < 1e-3
    assert prototype.metrics["mae"] < 0.1
    # lanthanides, actinides and oxygen as its own oxide are listed, not judged
    reasons = {entry.reason for entry in prototype.detail.not_judged}
    assert reasons == {"f electrons are treated in other ways in the training data"}


def test_one_element_that_fails_fails_its_group_alone(suite):
    outcome = run(suite, "--mlip", "cheap:partial", "-k", "Zr or group-11")
    outcome.assert_outcomes(passed=1, failed=1, deselected=6)
    failed = next(c for c in results(suite, "partial").cases if not c.passed)
    assert failed.material == "group-4"
    assert len(failed.notes.missing_crystals) == 10
    # what is left is right
    assert [check.metric for check in failed.checks if not check.passed] == ["failed_crystals"]


def test_a_second_run_judges_nothing_anew(suite):
    arguments = ("--mlip", "cheap:soft", "-k", "Zr")
    run(suite, *arguments).assert_outcomes(failed=1, deselected=7)
    first = results(suite, "soft").cases[0]
    run(suite, *arguments).assert_outcomes(failed=1, deselected=7)
    assert results(suite, "soft").cases[0].metrics == first.metrics


def test_a_baseline_judges_curves_too(suite):
    run(suite, "--mlip", "cheap:soft", "-k", "Zr").assert_outcomes(failed=1, deselected=7)
    again = ("--mlip", "cheap:soft", "-k", "Zr", "--baseline", "reports")
    run(suite, *again).assert_outcomes(passed=1, deselected=7)


@pytest.mark.parametrize(
    ("material", "cases"), [("group-4", 1), ("BCC", 1), ("group-4,BCC", 2), ("AlCu-Cmcm", 0)]
)
def test_materials_choose_groups_and_prototypes(suite, material, cases):
    outcome = run(suite, "--mlip", "cheap:exact", "--collect-only", "-q", "--material", material)
    found = [line for line in outcome.outlines if "::test_" in line and "NOTSET" not in line]
    assert len(found) == cases


def test_an_unknown_group_is_one_sentence(suite):
    outcome = run(suite, "--mlip", "cheap:exact", "--collect-only", "--material", "group-44")
    outcome.stderr.fnmatch_lines(["*'group-44' is not in the references*"])


def test_an_edited_energy_is_one_sentence(suite):
    path = suite.path / "references" / "equations-of-state" / "elements.csv"
    path.write_text(path.read_text().replace("Ti,BCC,1,17", "Ti,BCC,1,16"))
    outcome = run(suite, "--mlip", "cheap:exact")
    assert outcome.ret != 0
    outcome.stdout.fnmatch_lines(["*the table is not the one whose checksum about.json holds*"])
    assert "Traceback" not in outcome.stdout.str()


def test_collecting_imports_nothing_slow(suite):
    code = """
import sys
import pytest
outcome = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "--mlip", "cheap:exact"])
assert outcome == 0, outcome
slow = {"pandas", "pymatgen", "matplotlib", "torch", "scipy.stats", "scipy.optimize"}
assert not slow & set(sys.modules), slow & set(sys.modules)
"""
    path = suite.makepyfile(collect=code)
    assert suite.run(sys.executable, path).ret == 0
