"""Hulls as the suite asks for them: cases, verdicts, reports, with EMT in place of DFT."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
from ase.calculators.emt import EMT
from hull_suite_models import CALCULATORS, ROOT, case, model, subjects
from hull_suite_models import _imported as _imported
from hull_suite_models import hulls as hulls
from hull_suite_models import library as library

from symscape.errors import HullError
from symscape.questions.contracts import CheckedCrystal, MetricResult
from symscape.questions.crystal_cases import judge_crystal_contracts
from symscape.questions.crystal_invariance import CRYSTAL_INVARIANCE
from symscape.questions.registry import QUESTIONS, metric_named
from symscape.questions.subjects import (
    AllCrystals,
    HullSystem,
    SymmetryClass,
    SystemCrystals,
)
from symscape.references.crystal_files import list_crystals
from symscape.references.crystals import load_crystals
from symscape.results.files import load_results
from symscape.science.contracts.result import ContractResult, skipped
from symscape.science.hull.stability import classify
from symscape.suite.roll import roll_of
from symscape.verdict.roll_call import CaseName
from symscape.verdict.tolerances import load_tolerances


def test_cases_are_listed_without_loading(library):
    entries = list_crystals([library])
    assert subjects("hull", entries) == [HullSystem("Al-Cu")]
    assert subjects("stability", entries) == [AllCrystals()]
    # CrB-type alone has two free coordinates: too few for a class
    assert subjects("underprediction", entries) == [
        SymmetryClass("n_lattice", "1"),
        SymmetryClass("n_wyckoff", "0"),
    ]
    assert all(subjects(q.name, []) == [] for q in QUESTIONS.values())
    loaded = load_crystals([library]).crystals
    assert [(e.id, e.n_lattice, e.n_wyckoff) for e in entries] == [
        (c.id, c.crystal.n_lattice, c.crystal.n_wyckoff) for c in loaded
    ]


@pytest.mark.parametrize(
    "question",
    ["hull", "stability", "underprediction", "relaxation", "crystal_invariance", "crystal_forces"],
)
def test_every_question_is_known_with_tolerances(question):
    assert QUESTIONS[question].about == "crystals"
    limits = {
        profile: load_tolerances(profile).case(question, material="", slice="", model="").limits
        for profile in ("strict", "default", "loose")
    }
    assert limits["default"]
    assert limits["strict"].keys() == limits["default"].keys() == limits["loose"].keys()
    for metric in limits["default"]:
        widths = [high - low for low, high in (limits[p][metric] for p in limits)]
        assert widths == sorted(widths)
        assert metric in QUESTIONS[question].units


SOFT = model("soft", scale=0.5)


def test_a_model_that_is_the_reference_passes_everything(hulls):
    own = model()
    for question, names in (
        ("hull", ("Al-Cu", "hull")),
        ("stability", ("crystals", "all")),
        ("underprediction", ("crystals", "n_wyckoff-0")),
    ):
        result = case(hulls, own, question, *names).judge()
        assert result.passed, result.checks
        assert set(result.metrics) <= set(QUESTIONS[question].units)
        assert result.notes.digest == hulls.library.digest
    hull = case(hulls, own, "hull").judge()
    assert hull.metrics["formation_mae"] == pytest.approx(0, abs=1e-3)
    assert hull.metrics["n_crystals"] == len(hull.detail.crystals) == 10
    assert hull.detail.settings.level_of_theory_reference == "EMT"


def test_a_soft_model_is_too_low_by_as_much(hulls):
    exact, soft = (case(hulls, own, "hull").judge() for own in (model(), SOFT))
    # formation energies and energies above hull are halved
    for before, after in zip(exact.detail.crystals, soft.detail.crystals, strict=True):
        assert after.formation_model == pytest.approx(before.formation_model / 2, abs=0.01)
        assert after.above_hull_model == pytest.approx(before.above_hull_model / 2, abs=0.01)
        assert after.error_above_hull == pytest.approx(-before.above_hull_dft / 2, abs=0.01)
    above = np.array([row.above_hull_dft for row in exact.detail.crystals])
    assert soft.metrics["above_hull_bias"] == pytest.approx(-above.mean() / 2, abs=1e-2)
    assert soft.metrics["max_above_hull_error"] == pytest.approx(above.max() / 2, abs=1e-2)
    assert not soft.passed
    # order and ground states do not change by scaling
    assert soft.metrics["wrong_order_share"] == soft.metrics["ground_states_missed"] == 0
    stability = case(hulls, SOFT, "stability", "crystals", "all").judge()
    expected = classify(above / 1000, above / 2000, 25)
    assert stability.metrics["false_stable"] == expected.model_only > 0
    assert len(stability.detail.false_stable) == expected.model_only
    assert stability.detail.threshold == 25


def test_underprediction_leaves_out_the_zero(hulls):
    result = case(hulls, SOFT, "underprediction", "crystals", "n_wyckoff-0").judge()
    rows = {row.id: row for row in result.detail.crystals}
    # EMT's aluminium is hcp
    assert {"Al-hcp", "Cu-fcc"}.isdisjoint(rows)
    assert {"Al-fcc", "Al-bcc", "Cu-diamond", "AlCu-CsCl"} <= rows.keys()
    assert all(row.n_wyckoff == 0 for row in rows.values())
    errors = [row.error_above_hull for row in result.detail.crystals]
    assert result.metrics["mean_signed_error"] == pytest.approx(np.mean(errors), abs=1e-3)
    assert result.metrics["mean_signed_error_low"] <= result.metrics["mean_signed_error"]
    assert result.status == "failed"


def test_all_systems_that_a_process_is_to_judge_are_relaxed_together(hulls):
    cases = roll_of(hulls.session.config).cases
    for k, (question, own, system) in enumerate(
        [
            ("relaxation", "a", "Al-Cu"),
            ("hull", "a", "Al-Ni"),
            ("relaxation", "b", "Al-Pt"),
            ("relaxation", "a", "Cu-Ni"),
        ]
    ):
        cases[str(k)] = CaseName(question, own, system, "hull")
    assert hulls._to_relax("a", "Cu-Ni") == ["Cu-Ni", "Al-Cu"]
    # a worker does not do the others' work
    hulls.session.config.workerinput = {}
    assert hulls._to_relax("a", "Cu-Ni") == ["Cu-Ni"]
    del hulls.session.config.workerinput
    cases.clear()


def test_relaxing_finds_what_is_unstable(hulls):
    result = case(hulls, model(), "relaxation").judge()
    found = {row.id: row for row in result.detail.relaxed}
    assert not found["Cu-diamond"].kept_symmetry
    assert found["Cu-diamond"].gained > 500
    assert found["Cu-fcc"].kept_symmetry
    assert abs(found["Cu-fcc"].volume_change) < 1e-3  # starts at its own minimum
    assert result.metrics["above_hull_mae_fixed"] == pytest.approx(0, abs=1)
    assert result.metrics["broken_share"] > 0
    assert result.metrics["not_converged"] == 0
    assert result.detail.settings.relaxation.seed == 0


class Oriented(EMT):
    """EMT on which something pulls along z, as fast as the crystal is long there."""

    def calculate(self, atoms=None, *args, **kwargs):
        super().calculate(atoms, *args, **kwargs)
        for name in ("energy", "free_energy"):
            self.results[name] += 1e-3 * len(atoms) * abs(atoms.cell[0, 2])


class Overdone(EMT):
    """EMT with forces that are 5 % too strong; energies and stress are right."""

    def calculate(self, atoms=None, *args, **kwargs):
        super().calculate(atoms, *args, **kwargs)
        self.results["forces"] = 1.05 * self.results["forces"]


def broken(calculator):
    own = model(calculator.__name__)
    own._calculator = calculator()
    return own


def test_contracts_are_asked_of_every_crystal(hulls):
    entries = list_crystals([hulls.session.settings.references[0]])
    asked = subjects("crystal_invariance", entries)
    assert asked == subjects("crystal_forces", entries)
    assert asked == [SystemCrystals(system) for system in ("Al", "Al-Cu", "Cu")]
    names = [(subject.material, subject.slice) for subject in asked]
    checked = []
    for system, name in names:
        result = case(hulls, model(), "crystal_invariance", system, name).judge()
        assert result.passed, result.checks
        asked = {*QUESTIONS["crystal_invariance"].units, "failed_crystals"}
        assert {check.metric for check in result.checks} == asked
        checked += result.detail.crystals_checked
        assert case(hulls, model(), "crystal_forces", system, name).judge().passed
    assert sorted(checked) == sorted(crystal.id for crystal in hulls.library.crystals)


def test_a_broken_model_fails_the_contract_it_breaks_on_crystals(hulls):
    tilted = case(hulls, broken(Oriented), "crystal_invariance", name="contracts").judge()
    failed = {check.metric for check in tilted.checks if not check.passed}
    assert "rotation" in failed
    assert "permutation" not in failed
    assert tilted.detail.worst_crystals["rotation"] in tilted.detail.crystals_checked
    strong = broken(Overdone)
    assert case(hulls, strong, "crystal_invariance", name="contracts").judge().passed
    result = case(hulls, strong, "crystal_forces", name="contracts").judge()
    assert [check.metric for check in result.checks if not check.passed] == ["force_gradient"]


def test_the_worst_crystal_counts_and_no_number_is_the_worst(hulls):
    def found(**values):
        return tuple(
            MetricResult(metric_named(k), ContractResult(v, "meV/atom")) for k, v in values.items()
        )

    silent = MetricResult(metric_named("supercell"), skipped("meV/atom", "nothing to double"))
    nan = float("nan")
    results = (
        CheckedCrystal("a", found(rotation=0.05, permutation=nan)),
        CheckedCrystal("b", (*found(rotation=0.2, permutation=0.0), silent)),
        CheckedCrystal("c", found(rotation=0.1, permutation=5.0)),
    )
    result = judge_crystal_contracts(
        CRYSTAL_INVARIANCE, SystemCrystals("Al-Cu"), results, hulls.session.tolerances, model="m"
    )
    assert result.metrics["rotation"] == 0.2
    assert np.isnan(result.metrics["permutation"])
    assert result.detail.worst_crystals == {"rotation": "b", "permutation": "a"}
    failed = [check.metric for check in result.checks if not check.passed]
    assert failed == ["rotation", "permutation"]


def test_crystals_without_energy_are_left_out_and_named(hulls):
    own = model("selective", without=lambda atoms: len(atoms) == 2 and set(atoms.numbers) == {29})
    result = case(hulls, own, "hull").judge()
    assert result.metrics["n_crystals"] == 9
    assert any("Cu-diamond" in warning for warning in result.warnings)
    # what is left may be judged well, but a gap is never within tolerance
    gaps = next(check for check in result.checks if check.metric == "failed_crystals")
    assert (result.status, gaps.value, gaps.passed) == ("failed", 1.0, False)
    assert result.notes.missing_crystals == ("Cu-diamond",)
    nothing = model("nothing", without=lambda atoms: True)
    with pytest.raises(HullError, match="nothing gave no energy for any crystal"):
        case(hulls, nothing, "hull").judge()
    no_element = model("no element", without=lambda atoms: set(atoms.numbers) == {13})
    with pytest.raises(HullError, match="the element Al has no reference energy"):
        case(hulls, no_element, "hull").judge()


def test_corrected_models_are_compared_with_corrected_energies(hulls):
    result = case(hulls, model("corrected", "MP2020"), "hull").judge()
    assert result.detail.settings.corrections == "MP2020 corrections added to the reference"
    # the scheme corrects no alloy of aluminium and copper
    assert result.metrics["formation_mae"] == pytest.approx(0, abs=1e-3)


@pytest.fixture
def suite(pytester, library, toy_file, monkeypatch):
    """A project with one slice, the crystals, cheap calculators and the benchmark."""
    references = pytester.mkdir("references")
    (references / "AlCu-Cmcm").mkdir()
    shutil.copy(toy_file, references / "AlCu-Cmcm")
    shutil.copytree(library / "crystals", references / "crystals")
    for name in ("test_hull.py", "test_underprediction.py"):
        shutil.copy(ROOT / "benchmarks" / name, pytester.path / name)
    pytester.makepyfile(cheap=CALCULATORS)
    pytester.syspathinsert()
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    return pytester


def run(suite, *arguments):
    return suite.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def test_the_suite_asks_and_reports(suite):
    outcome = run(suite, "--mlip", "cheap:exact,cheap:low", "-k", "not relaxation")
    outcome.assert_outcomes(passed=4, failed=4, deselected=2)
    outcome.stdout.fnmatch_lines(["*low-crystals-n_wyckoff-0: underprediction by symmetry failed"])
    results = load_results(suite.path / "reports" / "low" / "results.json")
    assert [c.question for c in results.cases] == [
        "hull", "stability", "underprediction", "underprediction",
    ]  # fmt: skip
    page = (suite.path / "reports" / "low" / "index.html").read_text()
    assert "Al-Cu" in page
    summary = (suite.path / "reports" / "low" / "summary.md").read_text()
    assert "Al-Cu" in summary


def test_materials_choose_systems(suite):
    arguments = ("--mlip", "cheap:exact", "--collect-only", "test_hull.py", "--material")
    outcome = run(suite, *arguments, "Al-Cu")
    outcome.stdout.fnmatch_lines(["*test_hull?exact-Al-Cu-hull?*"])
    outcome = run(suite, *arguments, "AlCu-Cmcm")
    outcome.stdout.no_fnmatch_line("*exact-Al-Cu-hull*")
    outcome = run(suite, *arguments, "Al-Ni")
    outcome.stderr.fnmatch_lines(["*'Al-Ni' is not in the references*"])


def test_a_damaged_file_is_one_sentence(suite):
    path = suite.path / "references" / "crystals" / "Al-Cu.json"
    document = json.loads(path.read_text())
    document["crystals"][0]["space_group_number"] = 1
    path.write_text(json.dumps(document))
    outcome = run(suite, "--mlip", "cheap:exact", "test_hull.py", "-k", "Al-Cu and not relax")
    text = outcome.stdout.str()
    assert "space_group_number is 1, but the structure has" in text
    assert "Traceback" not in text
    path.write_text("{")
    outcome = run(suite, "--mlip", "cheap:exact", "test_hull.py")
    assert outcome.ret != 0
    outcome.stdout.fnmatch_lines(["*Al-Cu.json: not valid JSON*"])


def test_a_baseline_judges_crystals_too(suite):
    run(suite, "--mlip", "cheap:low", "test_underprediction.py").assert_outcomes(failed=2)
    again = ("--mlip", "cheap:low", "--baseline", "reports", "test_underprediction.py")
    run(suite, *again).assert_outcomes(passed=2)


def test_collecting_imports_nothing_slow(suite):
    code = """
import sys
import pytest
outcome = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "--mlip", "cheap:exact"])
assert outcome == 0, outcome
slow = {"pandas", "pymatgen", "matplotlib", "torch", "scipy.stats"} & set(sys.modules)
assert not slow, slow
"""
    path = suite.makepyfile(collect=code)
    assert suite.run(sys.executable, path).ret == 0
