"""Comparison with an earlier run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symscape.errors import ResultsFileError
from symscape.questions.case import CaseResult, Check
from symscape.results.baselines import load_baseline
from symscape.verdict.baseline import compare_case, judge_against
from symscape.verdict.explain import explain
from symscape.verdict.gate import Baseline, change_table


def result(mae=10.0, slope=1.0, status="passed", model="new", **more):
    checks = (
        Check("mae", mae, (-25, 25), "meV/atom", mae <= 25),
        Check("softening_scale", slope, (0.85, 1.15), "", 0.85 <= slope <= 1.15),
    )
    return CaseResult("energies", model, "A-P1", "x-y", status, checks, **more)


@pytest.mark.parametrize(
    ("new", "old", "change", "status"),
    [
        (result(40, status="failed"), result(40, status="failed"), "same", "passed"),
        (result(13), result(10), "worse", "failed"),
        (result(12), result(10), "same", "passed"),
        (result(7), result(10), "better", "passed"),
        (result(10, 0.9), result(7, 1.0), "worse", "failed"),
        (result(10, status="error"), result(10), "worse", "error"),
        (result(10), result(10, status="error"), "better", "passed"),
        (result(900, status="failed"), result(status="error"), "worse", "failed"),
        (result(status="error"), result(status="error"), "same", "error"),
        (result(40, status="failed"), None, "new", "failed"),
    ],
)
def test_a_case_fails_only_where_it_got_worse(new, old, change, status):
    judged, found = judge_against(new, old)
    assert found.change == change
    assert judged.status == status


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 2))
def test_worse_one_way_is_better_the_other_way(a, b, margin):
    there = compare_case(result(a), result(b), margin).change
    back = compare_case(result(b), result(a), margin).change
    assert {there, back} in ({"worse", "better"}, {"same"})


def without(case, *names):
    return replace(case, checks=tuple(c for c in case.checks if c.metric not in names))


@given(st.sampled_from(["mae", "softening_scale"]), st.booleans())
def test_a_failed_check_that_the_baseline_lacks_fails_the_case(name, passes):
    """As points without energy, which an earlier run may not have counted."""
    value = {"mae": (10, 1.0), "softening_scale": (10, 1.0)}[name] if passes else (900, 9.0)
    new = result(*value)
    judged, change = judge_against(new, without(result(*value), name))
    assert judged.status == ("passed" if passes else "failed")
    assert change.change == ("same" if passes else "worse")


def test_what_the_baseline_has_no_number_for_is_told_as_what_got_worse():
    """A minimum that moved too far is what is told, not one of the values that are as before."""
    old = without(result(10.0), "softening_scale")
    judged, change = judge_against(result(10.0, 0.7, status="failed"), old)
    assert change.worst.metric == "softening_scale"
    # 0.3 from the ideal, where 0.15 are allowed
    assert change.worst.worsening == pytest.approx(2.0)
    assert "no value -> 0.7" in explain(judged)


def test_gaps_that_an_earlier_run_did_not_have_are_worse():
    counted = Check("failed_points", 35.0, (None, 0.0), "", False)
    new = replace(result(0.0, status="failed"), checks=(*result(0.0).checks, counted))
    for old in (result(0.0), replace(new, checks=(*result(0.0).checks, replace(counted, value=0)))):
        assert judge_against(new, old)[0].status == "failed"


def test_the_explanation_says_what_changed():
    judged, _ = judge_against(result(20), result(10, model="old"))
    text = explain(judged)
    assert "worse than the baseline" in text
    assert "10 -> 20 meV/atom  (+40 % of the tolerance)" in text


def test_a_changed_reference_is_not_compared():
    old = result(1, model="old")
    baseline = Baseline("b", None, {("energies", "A-P1", "x-y"): old}, {("A-P1", "x-y"): "d1"})
    assert baseline.judge(result(20), "d1").status == "failed"
    assert baseline.judge(result(20), "d2").status == "passed"


def test_what_the_baseline_judged_and_the_run_did_not_is_gone():
    key, other = ("energies", "A-P1", "x-y"), ("energies", "B-P1", "x-y")
    baseline = Baseline("b", None, {key: result(), other: result(status="error")}, {})
    # what the baseline could not evaluate either is not missed
    assert baseline.gone(set()) == ["A-P1-x-y: energies"]
    assert baseline.gone({key}) == baseline.gone(set(), {key}) == []


def test_the_table_lists_what_changed_and_counts_the_rest():
    baseline = Baseline("b", None, {}, {})
    cases = [
        judge_against(replace(result(value), slice=name), old)[0]
        for name, value, old in (
            ("worse", 20, result(1)),
            ("better", 1, result(20)),
            ("same", 1, result(1)),
            ("new", 1, None),
        )
    ]
    lines = change_table(cases, baseline, ["B-P1-x-y"])
    assert lines[1].split(", ") == ["  1 worse", "1 better", "1 new", "1 gone", "1 same"]
    assert [line.split()[0] for line in lines[2:]] == ["worse", "better", "new", "gone"]


def test_a_baseline_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ResultsFileError, match="neither a results file"):
        load_baseline("absent", "chgnet", tmp_path)
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(ResultsFileError, match="schema"):
        load_baseline(str(tmp_path), "chgnet", tmp_path)
