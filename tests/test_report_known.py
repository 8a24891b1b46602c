"""Known failures and the baseline from the command line to the page."""

from __future__ import annotations

from plugin_project import results, run, suite

from symscape.models.devices import resolve_device

__all__ = ["suite"]  # a fixture

KNOWN = """
[[known_failure]]
model = "soft"
reason = "too soft, issue 12"
expires = 2999-01-01
"""


def test_a_known_failure_that_did_not_change_is_not_taken_for_repaired(suite):
    (suite.path / "known.toml").write_text(KNOWN)
    arguments = ("--mlip", "cheap:soft", "--tolerances", "known.toml")
    run(suite, *arguments).assert_outcomes(xfailed=1)
    again = run(suite, *arguments, "--baseline", "reports", "--report-dir", "second")
    again.assert_outcomes(xfailed=1)
    page = (suite.path / "second" / "soft" / "index.html").read_text(encoding="utf-8")
    assert "until 2999-01-01: Too soft, issue 12." in page
    assert "1 same" in page


def test_results_name_the_baseline_and_the_device(suite):
    run(suite, "--mlip", "cheap:exact").assert_outcomes(passed=1)
    run(suite, "--mlip", "cheap:soft", "--baseline", "reports/exact").assert_outcomes(failed=1)
    document = results(suite, "soft")
    assert document["baseline"]["name"] == "reports/exact"
    assert document["baseline"]["model"] == "exact"
    assert document["baseline"]["margin"] == 0.1
    assert document["baseline"]["gone"] == []
    assert document["versions"]["device"] == resolve_device("auto")
    page = (suite.path / "reports" / "soft" / "index.html").read_text(encoding="utf-8")
    assert "Worse than the baseline" in page
    assert "1 worse" in page
