"""What a run left is looked at in a process of its own."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ResultsFileError
from symscape.models.card import ModelCard
from symscape.questions.case import CaseResult
from symscape.questions.notes import Notes
from symscape.results.files import save_results
from symscape.results.run_results import RunResults

NOW = datetime.now(UTC).replace(microsecond=0)


def case(k, status, **notes):
    return CaseResult("energies", "m", "AlCu-Cmcm", f"a-{k}", status, notes=Notes(**notes))


def results(cases, began=NOW):
    return RunResults(
        ModelCard("m", "ase"), "f", tuple(cases), (), {}, began.isoformat(), 1.0, "default"
    )


def asked(*words):
    return CliRunner().invoke(app, ["check-run", *map(str, words)])


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(["passed", "failed", "error", "known", "expired", "surprise"]), max_size=5
    ),
    st.booleans(),
)
def test_green_is_what_was_judged_and_passed(tmp_path, kinds, lacks):
    """All of it; what is declared to fail has to."""
    ahead, over = NOW + timedelta(days=9), NOW - timedelta(days=9)
    days = {"known": ahead, "expired": over, "surprise": ahead}
    cases = [
        case(
            k,
            "passed" if kind == "surprise" else "failed",
            known_failure="a reason",
            known_failure_expires=f"{days[kind]:%Y-%m-%d}",
        )
        if kind in days
        else case(k, kind)
        for k, kind in enumerate(kinds)
    ]
    lacking = ("AlCu-Cmcm-a-9: energies",) if lacks else ()
    save_results(tmp_path / "results.json", replace(results(cases), lacking=lacking))
    done = asked(tmp_path)
    if not kinds:
        assert isinstance(done.exception, ResultsFileError)
    else:
        bad = {"failed", "error", "expired", "surprise"} & set(kinds)
        assert done.exit_code == int(bool(bad or lacks))


def test_reports_of_an_earlier_run_are_none(tmp_path):
    began = tmp_path / "began"
    began.touch()
    os.utime(began, (NOW.timestamp() - 5,) * 2)
    path = save_results(tmp_path / "results.json", results([case(1, "passed")], NOW))
    assert asked(tmp_path, "--since", began).exit_code == 0
    # written before
    os.utime(path, (NOW.timestamp() - 60,) * 2)
    done = asked(tmp_path, "--since", began)
    assert "an earlier run" in str(done.exception)
    # written again by somebody else, of a run that began before
    save_results(path, results([case(1, "passed")], NOW - timedelta(hours=1)))
    assert "an earlier run" in str(asked(tmp_path, "--since", began).exception)
    assert "touch it before the run" in str(asked(tmp_path, "--since", tmp_path / "x").exception)


#: seconds before or after the file that says when the run began was touched; not within the slack
APART = st.integers(-(10**6), 10**6).filter(lambda seconds: not -3 <= seconds <= 0)


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(APART, APART, st.integers(-14, 14))
def test_a_report_is_this_runs_if_run_and_file_are_later(tmp_path, run_after, file_after, hours):
    """Whatever the time zone in which the run said when it began."""
    began = tmp_path / "began"
    began.touch()
    touched = NOW - timedelta(days=30)
    os.utime(began, (touched.timestamp(),) * 2)
    start = (touched + timedelta(seconds=run_after)).astimezone(timezone(timedelta(hours=hours)))
    path = save_results(tmp_path / "results.json", results([case(1, "passed")], start))
    os.utime(path, (touched.timestamp() + file_after,) * 2)
    done = asked(tmp_path, "--since", began)
    if run_after > 0 and file_after > 0:
        assert done.exit_code == 0
    else:
        assert "an earlier run" in str(done.exception)


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_no_report_is_not_green(tmp_path, content):
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    assert isinstance(asked(tmp_path).exception, ResultsFileError)


def test_fewer_cases_than_wanted_are_not_green(tmp_path):
    run = results([case(k, "passed") for k in range(3)])
    save_results(tmp_path / "results.json", run)
    assert asked(tmp_path, "--cases", 3).exit_code == 0
    assert "judged 3 cases, not 4" in str(asked(tmp_path, "--cases", 4).exception)
    save_results(tmp_path / "results.json", replace(run, cases=run.cases[:1]))
    assert isinstance(asked(tmp_path, "--cases", 3).exception, ResultsFileError)
