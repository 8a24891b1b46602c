"""The plugin as pytest runs it, with cheap calculators in the place of networks."""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatch

import numpy as np
import pytest
from inprocess import import_lazy_modules, without_figures
from toys import toy_slice

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

SUITE = """
import pytest


@pytest.mark.landscape("energies")
def test_energies(landscape, verdict):
    verdict(landscape.judge())
"""


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


def test_an_exact_model_passes_and_leaves_a_report(suite):
    outcome = run(suite, "--mlip", "cheap:exact", "-v")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines(["*test_energies?exact-AlCu-Cmcm-Al_y-Cu_y? PASSED*"])
    # after pytest's own lines
    assert outcome.outlines[-2] == "exact: The landscape is within tolerance."
    assert outcome.outlines[-1].startswith("exact: 1 passed, 0 failed, 0 error; report: reports/")
    (case,) = results(suite, "exact")["cases"]
    assert case["status"] == "passed"
    assert case["metrics"]["windows"]["500"]["mae"] < 0.01
    folder = suite.path / "reports" / "exact"
    for name in ("index.html", "summary.md", "results.json", "tables"):
        assert (folder / name).exists()


def test_a_soft_model_fails_with_one_screen_that_says_where(suite):
    outcome = run(suite, "--mlip", "cheap:soft")
    outcome.assert_outcomes(failed=1)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "soft-AlCu-Cmcm-Al_y-Cu_y: energies failed",
            "*FAIL*softening_scale*0.5*0.85 .. 1.15*",
            "*worst point: Al_y = *",
            "*closest pair *angstrom*",
        ]
    )
    assert "Traceback" not in outcome.stdout.str()


def test_tolerances_decide(suite):
    (suite.path / "wide.toml").write_text(
        "[energies]\nmae = 1e6\nmax_error = 1e6\nmean_signed_error = 1e6\n"
        "softening_scale = [0, 2]\nspearman = [-1, 1]\n"
    )
    run(suite, "--mlip", "cheap:soft", "--tolerances", "wide.toml").assert_outcomes(passed=1)


def test_several_models_and_selection_by_name(suite):
    both = run(suite, "--mlip", "cheap:exact,cheap:soft", "--mlip", "cheap:exact")
    both.assert_outcomes(passed=1, failed=1)
    one = run(suite, "--mlip", "cheap:exact,cheap:soft", "-k", "exact-AlCu-Cmcm-Al_y-Cu_y")
    one.assert_outcomes(passed=1, deselected=1)


def test_two_processes_evaluate_each_case_once_and_write_one_report(suite):
    pytest.importorskip("xdist")
    arguments = ("--mlip", "cheap:counting,cheap:soft", "-n", "2")
    run_apart(suite, *arguments).assert_outcomes(passed=1, failed=1)
    assert len((suite.path / "calls.log").read_text()) == 25
    assert {p.name for p in (suite.path / "reports").iterdir()} == {"counting", "soft"}
    assert len(results(suite, "counting")["cases"]) == 1
    assert list((suite.path / "reports" / "counting" / "figures").glob("*.png"))


def test_figures_on_demand(suite, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "symscape.page.report.write_figures",
        lambda folder, view, *, relief=False, **_: asked.append(relief) or {},
    )
    questions = SUITE.replace("energies", "forces")
    (suite.path / "test_forces.py").write_text(questions)
    run(suite, "--mlip", "cheap:exact").assert_outcomes(passed=2)
    kept = [case["detail"].get("arrows") for case in results(suite, "exact")["cases"]]
    assert kept == [None, None]
    run(suite, "--mlip", "cheap:exact", "--figures", "relief,forces").assert_outcomes(passed=2)
    arrows = {c["question"]: c["detail"].get("arrows") for c in results(suite, "exact")["cases"]}
    assert arrows["energies"] is None
    # the model is what the reference was made with
    dft, own = (np.array(arrows["forces"][side], dtype=float) for side in ("reference", "model"))
    known = np.isfinite(own)
    assert known.any()
    assert dft.shape == own.shape == (5, 5, 2)
    np.testing.assert_allclose(own[known], dft[known], atol=0.02)
    (suite.path / "pytest.ini").write_text("[pytest]\nsymscape_figures = relief\n")
    run(suite, "--mlip", "cheap:exact")
    assert asked == [False, True, True]


def test_a_second_run_evaluates_nothing(suite):
    for _ in range(2):
        run(suite, "--mlip", "cheap:counting").assert_outcomes(passed=1)
    assert len((suite.path / "calls.log").read_text()) == 25
    assert "cache" not in results(suite, "counting")["versions"]
    run(suite, "--mlip", "cheap:counting", "--no-cache").assert_outcomes(passed=1)
    assert results(suite, "counting")["versions"]["cache"] == "off"
    assert len((suite.path / "calls.log").read_text()) == 50


def test_a_second_run_judges_nothing_unless_something_was_missing(suite):
    with (suite.path / "cheap.py").open("a") as file:
        file.write("\nimport pathlib\nnan.fingerprint = 'nan'\n")
        file.write("if pathlib.Path('gone').exists():\n    Soft.calculate = None\n")
        file.write("    Broken.calculate = EMT.calculate\n")
    run(suite, "--mlip", "cheap:soft,cheap:nan").assert_outcomes(failed=2)
    (soft,), (nan,) = (results(suite, name)["cases"] for name in ("soft", "nan"))
    (suite.path / "gone").touch()
    run_apart(suite, "--mlip", "cheap:soft,cheap:nan").assert_outcomes(failed=1, passed=1)
    (soft_again,), (nan_again,) = (results(suite, name)["cases"] for name in ("soft", "nan"))
    assert {**soft_again, "seconds": 0.0} == {**soft, "seconds": 0.0}
    assert nan["detail"]["failed_points"]
    assert not nan_again["detail"]["failed_points"]


def test_ini_values_stand_in_for_options(suite):
    suite.makeini(
        "[pytest]\nsymscape_mlip = cheap:soft\nsymscape_tolerances = loose\n"
        "symscape_report_dir = out\n"
    )
    run(suite).assert_outcomes(failed=1)
    assert (suite.path / "out" / "soft" / "index.html").exists()
    run(suite, "--mlip", "cheap:exact").assert_outcomes(passed=1)


def test_points_without_an_energy_fail_the_case_and_are_named(suite):
    outcome = run(suite, "--mlip", "cheap:nan")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*the model gave no energy at * points:"])
    (case,) = results(suite, "nan")["cases"]
    assert case["detail"]["failed_points"]


def test_a_structure_on_which_a_model_hangs_spoils_only_itself(suite):
    (suite.path / "slow.py").write_text(
        "import time\nfrom ase.calculators.emt import EMT\n\n"
        "class Hanging(EMT):\n"
        "    def calculate(self, atoms, *args, **kwargs):\n"
        "        if {where}:\n"
        "            time.sleep(3600)\n"
        "        super().calculate(atoms, *args, **kwargs)\n\n"
        "def hanging():\n    return Hanging()\n".replace(
            "{where}", "abs(atoms.positions[0, 1] - SPOT) < 1e-4"
        ).replace("SPOT", repr(float(toy_spot())))
    )
    outcome = run_apart(suite, "--mlip", "slow:hanging", "--point-timeout", "5")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    (case,) = results(suite, "hanging")["cases"]
    assert 1 <= len(case["detail"]["failed_points"]) <= 5


def toy_spot():
    """Height of the first atom on the last row of the grid."""
    return toy_slice().structures().arrays(24)[1][0, 1]


def test_a_model_that_always_raises_spoils_only_its_own_cases(suite):
    outcome = run(suite, "--mlip", "cheap:raising,cheap:exact")
    outcome.assert_outcomes(passed=1, failed=1)
    outcome.stdout.fnmatch_lines(["*this network has no weights*"])


def test_a_spoiled_reference_is_one_sentence_and_the_rest_goes_on(suite):
    other = suite.path / "references" / "AlCu-Pnma" / "Al_y-Cu_y.json"
    other.parent.mkdir()
    other.write_text("{")
    outcome = run(suite, "--mlip", "cheap:exact")
    outcome.assert_outcomes(passed=1, errors=1)
    outcome.stdout.fnmatch_lines(["*Al_y-Cu_y.json: not valid JSON*restore the file."])
    assert "Traceback" not in outcome.stdout.str()
    statuses = [case["status"] for case in results(suite, "exact")["cases"]]
    assert sorted(statuses) == ["error", "passed"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--mlip", "chgnett"], "*chgnett*did you mean*chgnet*"),
        (["--mlip", "cheap:absent"], "*absent*"),
        (["--mlip", "absent_module:make"], "*absent_module*"),
        (["--mlip", "cheap:exact", "--material", "AlCo"], "*did you mean AlCu-Cmcm?"),
        (["--mlip", "cheap:exact", "--tolerances", "tight"], "*neither a profile*"),
        (["--mlip", "cheap:exact", "--references", "absent"], "*no such folder of references*"),
        (["--mlip", "cheap:exact", "--batch-size", "0"], "*positive whole number*"),
        (["--mlip", "cheap:exact", "--batch-size", "some"], "*positive whole number*"),
        (["--mlip", "cheap:exact", "--point-timeout", "-1"], "*positive number*"),
        (["--mlip", "cheap:exact", "--dtype", "float16"], "*float32 or float64*"),
        (["--mlip", "cheap:exact", "--model-option", "head"], "*KEY=VALUE*"),
        (["--mlip", "cheap:exact", "--baseline", "absent"], "*neither a results file*"),
        (["--mlip", "cheap:exact", "--baseline-margin", "-1"], "*number from 0 up*"),
        (["--mlip", "cheap:exact,cheap:soft", "--checkpoint", "x"], "*one --mlip FAMILY*"),
        (["--mlip", "cheap:exact,cheap:soft", "--mlip-name", "x"], "*one --mlip*"),
        (["--mlip", "sevenn", "--checkpoint", "absent.pth"], "*absent.pth*"),
    ],
)
def test_bad_options_are_usage_errors_of_one_sentence(suite, arguments, sentence):
    outcome = run(suite, *arguments)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    text = outcome.stdout.str() + outcome.stderr.str()
    assert [line for line in text.splitlines() if fnmatch(line, sentence)], text
    assert "Traceback" not in text
    assert "_pytest" not in text


def test_a_failure_is_printed_once_and_the_last_lines_say_who_failed(suite, monkeypatch):
    monkeypatch.setenv("CI", "true")
    outcome = run(suite, "--mlip", "cheap:soft")
    assert outcome.ret == 1
    text = outcome.stdout.str()
    assert text.count("worst point:") == 1
    assert outcome.outlines[-3].startswith("Exit code 1: the model failed")
    assert outcome.outlines[-1].endswith("index.html")
    (line,) = [line for line in outcome.outlines if line.startswith("FAILED")]
    assert "softening_scale 0.5 (0.85 .. 1.15)" in line


def test_energies_are_asked_first(suite):
    suite.makepyfile(
        test_a_first="""
import pytest


@pytest.mark.landscape("smoothness")
def test_smoothness(landscape):
    pass


def test_other():
    pass
"""
    )
    outcome = run(suite, "--mlip", "cheap:exact", "-v")
    ran = [line for line in outcome.outlines if "PASSED" in line]
    names = [next(n for n in ("energies", "other", "smoothness") if n in line) for line in ran]
    assert names == ["energies", "other", "smoothness"]


def test_a_project_without_references_is_told_so(suite, monkeypatch):
    import shutil

    # an installation without references of its own
    monkeypatch.setattr("symscape.places.suite_folder", lambda: None)
    shutil.rmtree(suite.path / "references")
    outcome = run(suite)
    assert outcome.ret != 0
    outcome.stdout.fnmatch_lines(["*references: there is no such folder of references."])
    assert "Traceback" not in outcome.stdout.str()
    assert "_pytest" not in outcome.stdout.str()


def test_sessions_without_our_cases_pay_nothing(suite):
    suite.makepyfile(
        test_other="import sys\n\ndef test_light():\n"
        "    assert not {'torch', 'pymatgen', 'matplotlib', 'scipy', 'gudhi'} & set(sys.modules)\n"
    )
    run_apart(suite, "test_other.py").assert_outcomes(passed=1)
    assert not (suite.path / "reports").exists()


def test_collecting_imports_neither_torch_nor_pymatgen(suite):
    suite.makeconftest(
        "import sys\n\ndef pytest_collection_finish():\n"
        "    assert not {'torch', 'pymatgen', 'matplotlib', 'chgnet'} & set(sys.modules)\n"
    )
    outcome = run_apart(suite, "--collect-only", "-q", "--mlip", "cheap:exact")
    assert outcome.ret == 0
    outcome.stdout.fnmatch_lines(["*exact-AlCu-Cmcm-Al_y-Cu_y*"])
    assert sys.version_info >= (3, 11)


def test_an_interrupted_run_keeps_what_was_evaluated(suite):
    (suite.path / "stop.py").write_text(
        "from cheap import Counting\nimport cheap\n\n"
        "class Stopping(Counting):\n"
        "    def calculate(self, *args, **kwargs):\n"
        "        super().calculate(*args, **kwargs)\n"
        "        if len(open(cheap.__dict__['LOG']).read()) == 13:\n"
        "            raise KeyboardInterrupt\n\n"
        "def counting():\n    return Stopping()\n"
        "counting.fingerprint = 'counting'\n"
    )
    with (suite.path / "cheap.py").open("a") as file:
        file.write(f"\nLOG = {str(suite.path / 'calls.log')!r}\n")
    first = run_apart(suite, "--mlip", "stop:counting", "--batch-size", "4")
    assert first.ret == pytest.ExitCode.INTERRUPTED
    run_apart(suite, "--mlip", "stop:counting", "--batch-size", "4").assert_outcomes(passed=1)
    # the interrupted batch is asked again, what came before is not
    assert len((suite.path / "calls.log").read_text()) <= 25 + 4


def test_junit_carries_the_metrics(suite):
    run(suite, "--mlip", "cheap:exact", "--junitxml", "junit.xml")
    text = (suite.path / "junit.xml").read_text()
    assert 'name="energies.mae"' in text
    assert len(text) < 3000


def test_a_baseline_fails_only_what_got_worse(suite):
    run(suite, "--mlip", "cheap:soft").assert_outcomes(failed=1)
    again = run(suite, "--mlip", "cheap:soft", "--baseline", "reports", "--report-dir", "second")
    again.assert_outcomes(passed=1)
    again.stdout.fnmatch_lines(["*0 worse, 0 better, 0 new, 0 gone, 1 same*"])
    arguments = ("--mlip", "cheap:exact", "--baseline", "reports/soft/results.json")
    run(suite, *arguments).stdout.fnmatch_lines(["*better *energies*exact-AlCu-Cmcm-Al_y-Cu_y*"])
    worse = run(suite, "--mlip", "cheap:soft", "--baseline", "reports/exact/results.json")
    worse.assert_outcomes(failed=1)
    worse.stdout.fnmatch_lines(["*worse than the baseline*", "*1 worse*"])


def test_proposed_tolerances_let_the_run_pass_and_are_never_overwritten(suite):
    run(suite, "--mlip", "cheap:soft", "--update-tolerances", "mine.toml").assert_outcomes(failed=1)
    again = run(suite, "--mlip", "cheap:soft", "--tolerances", "mine.toml")
    again.assert_outcomes(passed=1)
    refused = run(suite, "--mlip", "cheap:soft", "--update-tolerances", "mine.toml")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*mine.toml: the file exists*"])


def test_known_failures_are_expected_strictly_and_expire(suite):
    (suite.path / "known.toml").write_text(
        "[[known_failure]]\nmodel = 'soft'\nreason = 'too soft'\nexpires = 2999-01-01\n"
        "[[known_failure]]\nmodel = 'exact'\nreason = 'mistaken'\nexpires = 2999-01-01\n"
    )
    outcome = run(suite, "--mlip", "cheap:soft,cheap:exact", "--tolerances", "known.toml", "-rx")
    outcome.assert_outcomes(xfailed=1, failed=1)
    outcome.stdout.fnmatch_lines(["*XPASS(strict)*mistaken*", "XFAIL *too soft (until 2999-01-01)"])
    (suite.path / "over.toml").write_text(
        "[[known_failure]]\nmodel = 'soft'\nreason = 'too soft'\nexpires = 2020-01-01\n"
    )
    over = run(suite, "--mlip", "cheap:soft", "--tolerances", "over.toml")
    over.assert_outcomes(failed=1)
    over.stdout.fnmatch_lines(["*known failure until 2020-01-01, which is over: too soft"])


def test_known_failures_are_annotated_once_they_fail_the_run(suite, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    table = "[[known_failure]]\nmodel = '{}'\nreason = '{}'\nexpires = {}\n"
    (suite.path / "known.toml").write_text(
        table.format("soft", "too soft", "2999-01-01")
        + table.format("counting", "mended", "2020-01-01")
        + table.format("exact", "mistaken", "2999-01-01")
    )
    models = "cheap:soft,cheap:exact,cheap:counting"
    outcome = run(suite, "--mlip", models, "--tolerances", "known.toml")
    outcome.assert_outcomes(xfailed=1, failed=1, passed=1)
    (line,) = (x for x in outcome.outlines if x.startswith("::error"))
    assert line == (
        "::error title=exact-AlCu-Cmcm-Al_y-Cu_y::energies: passed, but is declared a known "
        "failure: mistaken"
    )
    (suite.path / "over.toml").write_text(
        table.format("soft", "100 % wrong", "2020-01-01") + table.format("exact", "x", "2020-01-01")
    )
    over = run(suite, "--mlip", "cheap:soft,cheap:exact", "--tolerances", "over.toml")
    over.assert_outcomes(failed=1, passed=1)
    (line,) = (x for x in over.outlines if x.startswith("::error"))
    assert line.startswith("::error title=soft-AlCu-Cmcm-Al_y-Cu_y::energies: ")
    assert "softening_scale 0.5" in line
    assert line.endswith("; was a known failure until 2020-01-01: 100 %25 wrong")


def test_in_github_actions_failures_are_annotated_and_the_summary_is_appended(suite, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "job.md"))
    outcome = run_apart(suite, "--mlip", "cheap:soft")
    outcome.stdout.fnmatch_lines(["::error title=soft-AlCu-Cmcm-Al_y-Cu_y::energies: *tolerance*"])
    assert "soft" in (suite.path / "job.md").read_text()
