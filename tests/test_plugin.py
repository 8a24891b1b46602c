"""The plugin as pytest runs it, with cheap calculators in the place of networks."""

from __future__ import annotations

from fnmatch import fnmatch
from importlib.util import find_spec

import numpy as np
import pytest
from plugin_project import SUITE, results, run, run_apart
from plugin_project import imported as imported
from plugin_project import suite as suite
from toys import toy_slice


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
            "soft-AlCu-Cmcm-Al_y-Cu_y: relative energies failed",
            "*FAIL*softening scale*0.5*0.85 .. 1.15*",
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
    # both in processes of their own, as a second run is
    run_apart(suite, "--mlip", "cheap:soft,cheap:nan").assert_outcomes(failed=2)
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
        (["--mlip", "cheap:exact,cheap:soft", "--checkpoint", "x"], "*say whose weights*"),
        (["--mlip", "cheap:exact,cheap:soft", "--mlip-name", "x"], "*one --mlip*"),
        pytest.param(
            ["--mlip", "sevenn", "--checkpoint", "absent.pth"],
            "*absent.pth*",
            marks=pytest.mark.skipif(find_spec("sevenn") is None, reason="needs sevenn"),
        ),
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
    assert "softening scale 0.5 (0.85 .. 1.15)" in line


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


def test_forces_and_energies_of_a_point_are_asked_for_once(suite):
    """Energies come with the forces that the run will compare; without them they are cheaper."""
    (suite.path / "test_forces.py").write_text(SUITE.replace("energies", "forces"))
    counted = []
    for chosen in (["test_landscape.py"], ["test_landscape.py", "test_forces.py"]):
        log = suite.path / "calls.log"
        log.write_text("")
        cache = suite.path / f"cache{len(chosen)}"
        run(suite, *chosen, "--mlip", "cheap:counting", "--cache-dir", str(cache))
        counted.append(len(log.read_text()))
    assert counted[0] == counted[1] > 0
