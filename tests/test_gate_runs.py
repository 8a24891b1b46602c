"""Whole runs that must not be green: the gate when something could not be judged."""

from __future__ import annotations

import pytest
from benchmark_text import benchmark
from gate_project import declare_known, keep, results, run
from gate_project import suite as suite

from symscape.results.files import load_results


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


# -- nothing, or not all, was judged --------------------------------------------------------------

SKIP = "import pytest\ndef pytest_runtest_setup(item):\n    {}\n"
NOTHING = {
    "skipped": (SKIP.format("pytest.skip('no machine today')"), ()),
    "left out by name": ("", ("-k", "nothing_of_the_kind")),
    "left out by mark": ("", ("-m", "quick and not quick")),
    "deselected": ("", ("--deselect", "test_landscape.py")),
    "no crystals to ask about": ("", ("test_hulls.py",)),
    "no such material among them": ("", ("--material", "AlCu-Cmcm", "test_hulls.py")),
}
HULLS = """
import pytest


@pytest.mark.crystals("hull")
def test_hull(crystals, verdict):
    verdict(crystals.judge())
"""


@pytest.mark.parametrize("why", NOTHING)
def test_a_run_that_judged_nothing_is_never_green(suite, why):
    """And no tick of the run before is left, where there was something to ask."""
    run(suite, "--mlip", "cheap:exact")
    folder = suite.path / "reports" / "exact"
    assert (folder / "summary.md").read_text().startswith("## ✓")
    conftest, options = NOTHING[why]
    (suite.path / "conftest.py").write_text(conftest)
    if "test_hulls.py" in options:
        suite.makepyfile(test_hulls=HULLS)
    found = run(suite, "--mlip", "cheap:exact", *options)
    assert found.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    found.stdout.fnmatch_lines(["nothing was judged: *"])
    assert "✓" not in (folder / "summary.md").read_text()
    assert not (folder / "results.json").exists()


@pytest.mark.parametrize("baseline", [False, True])
def test_a_model_of_which_nothing_was_judged_is_red_beside_another(suite, baseline):
    options = ["--mlip", "cheap:exact,cheap:gappy"]
    if baseline:
        run(suite, "--mlip", "cheap:exact")
        options += ["--baseline", str(keep(suite, "exact", "whole"))]
    skip = SKIP.format("'gappy' in item.name and pytest.skip('no machine today')")
    (suite.path / "conftest.py").write_text(skip)
    found = run(suite, *options)
    assert found.ret == 1
    found.stdout.fnmatch_lines(["nothing of gappy was judged: 1 of 1 cases *no machine today"])


@pytest.mark.parametrize("code", [0, 3])
def test_a_session_that_somebody_ends_lacks_the_cases_that_had_no_turn(suite, code):
    """As ``pytest.exit`` does, with whatever code."""
    end = SKIP.format(f"'gappy' in item.name and pytest.exit('enough', {code})")
    (suite.path / "conftest.py").write_text(end)
    suite.makepyfile(test_more=benchmark("minima"))
    found = run(suite, "--mlip", "cheap:exact,cheap:gappy")
    assert found.ret == (code or 1)
    written = results(suite, "exact")
    assert [case["question"] for case in written["cases"]] == ["energies"]
    assert written["lacking"] == ["AlCu-Cmcm-Al_y-Cu_y: minima"]
    summary = (suite.path / "reports" / "exact" / "summary.md").read_text()
    assert summary.startswith("## !")
    assert "1 case without an answer" in summary
    if not code:
        found.stdout.fnmatch_lines(["* of 4 cases were not run, AlCu-Cmcm-Al_y-Cu_y: *"])


# -- asked twice, failed beside the verdict --------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_two_tests_that_ask_the_same_are_one_red_case_that_names_both(suite, options):
    if options:
        pytest.importorskip("xdist")
    suite.makepyfile(test_again=benchmark("energies"))
    found = run(suite, "--mlip", "cheap:exact,cheap:gappy", *options, apart=bool(options))
    assert found.ret == 1
    assert "INTERNALERROR" not in found.stdout.str()
    for model in ("exact", "gappy"):
        (case,) = results(suite, model)["cases"]
        assert case["status"] == "error"
        message = case["detail"]["message"]
        assert "2 tests ask this" in message
        assert "test_again.py::test_energies[" in message
        assert "test_landscape.py::test_energies[" in message
        assert load_results(suite.path / "reports" / model / "results.json").cases


def test_a_case_asked_again_and_again_by_a_parametrized_test_is_red(suite):
    path = suite.path / "test_landscape.py"
    text = path.read_text().replace("(landscape, verdict)", "(landscape, verdict, seed)")
    again = "@pytest.mark.parametrize('seed', [1, 2, 3])\n@pytest.mark.landscape"
    path.write_text(text.replace("@pytest.mark.landscape", again))
    assert run(suite, "--mlip", "cheap:exact").ret == 1
    (case,) = results(suite, "exact")["cases"]
    assert "3 tests ask this" in case["detail"]["message"]


def test_two_potentials_of_one_name_are_refused(suite):
    """One of them would not be judged, and nobody would say so."""
    suite.makepyfile(other="from cheap import exact")
    found = run(suite, "--mlip", "cheap:gappy,cheap:exact,other:exact")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    said = "ERROR: Two models are called exact, cheap:exact and other:exact: *"
    found.stderr.fnmatch_lines([said])


def test_a_module_that_skips_when_it_is_imported_is_one_sentence(suite):
    suite.makepyfile(shy="import pytest\npytest.importorskip('no_such_package')")
    found = run(suite, "--mlip", "cheap:exact,shy:make")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["ERROR: the model raised pytest's Skipped: *no_such_package*"])


AFTER = {
    "a check of the user's": "assert landscape is None",
    "a failure of pytest's": "pytest.fail('too slow')",
    "an expected failure": "pytest.xfail('too slow')",
    "an exit of Python's": "raise SystemExit(0)",
}


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("what", AFTER)
def test_a_test_that_fails_beside_its_verdict_leaves_no_passed_case(suite, what, where):
    """Though the case is declared a known failure: a plugin that watches the time fails so too."""
    path = suite.path / "test_landscape.py"
    ask = "verdict(landscape.judge())"
    both = (AFTER[what], ask) if where == "before" else (ask, AFTER[what])
    path.write_text(path.read_text().replace(ask, "; ".join(both)))
    for options in ((), ("--tolerances", declare_known(suite))):
        assert run(suite, "--mlip", "cheap:exact", *options).ret == 1
        (case,) = results(suite, "exact")["cases"]
        assert case["status"] == "error"


def test_the_last_attempt_counts_where_a_plugin_tries_again(suite):
    """As pytest-rerunfailures does: the report of an attempt that is not the last is a rerun."""
    (suite.path / "conftest.py").write_text(
        "import pytest\nfrom _pytest.runner import runtestprotocol\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    for attempt in range(2):\n"
        "        for report in runtestprotocol(item, nextitem=nextitem, log=False):\n"
        "            if attempt == 0 and report.when == 'call':\n"
        "                report.outcome = 'rerun'\n"
        "            item.ihook.pytest_runtest_logreport(report=report)\n"
        "        item._initrequest()\n"
        "    return True\n"
    )
    assert run(suite, "--mlip", "cheap:exact").ret == 0
    (case,) = results(suite, "exact")["cases"]
    assert case["status"] == "passed"
