"""Runs of the plugin that end red, interrupted or with something to say elsewhere."""

from __future__ import annotations

import sys

import pytest
from plugin_project import imported as imported
from plugin_project import run, run_apart
from plugin_project import suite as suite


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
        "::error title=exact-AlCu-Cmcm-Al_y-Cu_y::relative energies: passed, but is declared a "
        "known failure: mistaken"
    )
    (suite.path / "over.toml").write_text(
        table.format("soft", "100 % wrong", "2020-01-01") + table.format("exact", "x", "2020-01-01")
    )
    over = run(suite, "--mlip", "cheap:soft,cheap:exact", "--tolerances", "over.toml")
    over.assert_outcomes(failed=1, passed=1)
    (line,) = (x for x in over.outlines if x.startswith("::error"))
    assert line.startswith("::error title=soft-AlCu-Cmcm-Al_y-Cu_y::relative energies: ")
    assert "softening scale 0.5" in line
    assert line.endswith("; was a known failure until 2020-01-01: 100 %25 wrong")


def test_in_github_actions_failures_are_annotated_and_the_summary_is_appended(suite, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "job.md"))
    outcome = run_apart(suite, "--mlip", "cheap:soft")
    outcome.stdout.fnmatch_lines(
        ["::error title=soft-AlCu-Cmcm-Al_y-Cu_y::relative energies: *tolerance*"]
    )
    assert "soft" in (suite.path / "job.md").read_text()
