"""Comparison with an earlier run."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symscape.errors import ResultsFileError
from symscape.suite.gate import Baseline, change_table, load_baseline
from symscape.verdict.baseline import compare, distance, judge_against
from symscape.verdict.case import CaseResult, Check
from symscape.verdict.explain import explain


def result(mae=10.0, slope=1.0, status="passed", model="new", **more):
    checks = (
        Check("mae", mae, (-25, 25), "meV/atom", mae <= 25),
        Check("softening_scale", slope, (0.85, 1.15), "", 0.85 <= slope <= 1.15),
    )
    return CaseResult("energies", model, "A-P1", "x-y", status, checks, **more)


@pytest.mark.parametrize(
    ("limits", "metric", "value", "wanted"),
    [
        ((-25, 25), "mae", 25, 1.0),
        ((-25, 25), "mean_signed_error", -12.5, 0.5),
        ((0.85, 1.15), "softening_scale", 1.15, 1.0),
        ((0.85, 1.15), "softening_scale", 0.7, 2.0),
        ((0.95, 1.0), "spearman", 0.9, 2.0),
        ((0.95, 1.0), "spearman", 1.0, 0.0),
        ((None, 4), "failed_points", 2, 0.5),
        ((None, 0), "failed_points", 0, 0.0),
        ((-25, 25), "mae", math.nan, math.inf),
    ],
)
def test_distance_is_one_at_the_rim_of_the_tolerance(limits, metric, value, wanted):
    assert distance(Check(metric, value, limits, "", True)) == pytest.approx(wanted)


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
        (result(40, status="failed"), None, "new", "failed"),
    ],
)
def test_a_case_fails_only_where_it_got_worse(new, old, change, status):
    judged, found = judge_against(new, old)
    assert found.change == change
    assert judged.status == status


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 2))
def test_worse_one_way_is_better_the_other_way(a, b, margin):
    there = compare(result(a), result(b), margin).change
    back = compare(result(b), result(a), margin).change
    assert {there, back} in ({"worse", "better"}, {"same"})


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
    assert baseline.gone({("B-P1", "x-y")}) == ["A-P1-x-y"]


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
