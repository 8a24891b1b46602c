"""A run with the history of earlier ones, and what it says while it does not judge."""

from __future__ import annotations

import re

import pytest
from plugin_project import imported as imported
from plugin_project import run
from plugin_project import suite as suite


def test_a_report_shows_what_moved_since_earlier_runs(suite):
    (suite.path / "runs").mkdir()
    first = run(suite, "--mlip", "cheap:soft", "--report-dir", "runs/first", "--history", "runs")
    # the first run has none before it: that is said, and is no failure of its own
    first.stdout.fnmatch_lines(["the report of soft has no history: *no results.json*"])
    assert "soft: loading the model" in first.outlines
    second = run(suite, "--mlip", "cheap:exact", "--history", "runs")
    second.assert_outcomes(passed=1)
    page = (suite.path / "reports" / "exact" / "index.html").read_text(encoding="utf-8")
    assert "2 runs, first/soft to this run: " in page
    told = r"softening scale over 2 runs, in their order: 0\.50* failed; 1\.0+\""
    assert re.search(told, page)


def test_a_history_that_is_not_there_is_refused_before_anything_is_evaluated(suite):
    refused = run(suite, "--mlip", "cheap:exact", "--history", "nowhere")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*--history *nowhere: there is no such folder*"])
    assert not (suite.path / "reports").exists()


def test_quiet_runs_announce_nothing(suite):
    quiet = run(suite, "--mlip", "cheap:exact", "-q")
    assert not any("loading" in line for line in quiet.outlines)
