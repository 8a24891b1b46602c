"""The gate on whatever there is: any question, metrics, limits, values and statuses."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symscape.questions.case import CaseResult, Check
from symscape.questions.crystal_cases import judged_crystals
from symscape.questions.energies import judge_energies
from symscape.questions.limits import CaseTolerances
from symscape.questions.metric import outside
from symscape.questions.minima import judge_minima
from symscape.questions.registry import QUESTIONS, metric_named
from symscape.questions.saddles import judge_saddles
from symscape.questions.smoothness import judge_smoothness
from symscape.questions.subjects import HullSystem
from symscape.science.contracts.scan import LineScan
from symscape.verdict.baseline import judge_against
from symscape.verdict.explain import explain
from symscape.verdict.gate import Baseline, borne_out
from symscape.verdict.tolerances import load_tolerances

JUDGING = [q for q in QUESTIONS.values() if any(not m.gap for m in q.metrics)]
ENDS = st.none() | st.sampled_from([-math.inf, 0.0, 1.0, math.inf]) | st.floats(-1e3, 1e3)
STATUSES = st.sampled_from(["passed", "failed", "error"])
MARGINS = st.floats(0, 2)


def values(metric):
    known = st.integers(0, 400).map(float) if metric.counts else st.floats(-1e3, 1e3)
    return known | st.just(math.nan)


@st.composite
def checks(draw, question):
    """Some of a question's metrics held against limits, as `CaseTolerances.check` does."""
    limited = [m for m in question.metrics if not m.gap]
    found = []
    for metric in draw(st.lists(st.sampled_from(limited), unique=True)):
        low, high = draw(ENDS), draw(ENDS)
        if low is not None and high is not None and low > high:
            low, high = high, low
        value = draw(values(metric))
        passed = outside(value, (low, high)) == 0
        found.append(Check(metric.name, value, (low, high), metric.unit, passed))
    return tuple(found)


@st.composite
def runs(draw):
    """The same case of an earlier run and of today's, each with checks of its own."""
    question = draw(st.sampled_from(JUDGING))
    sides = []
    for model in ("old", "new"):
        found = draw(checks(question))
        status = "passed" if all(check.passed for check in found) else "failed"
        if draw(st.booleans()):
            status = "error"
        metrics = {check.metric: check.value for check in found}
        sides.append(CaseResult(question.name, model, "A-P1", "x-y", status, found, metrics))
    return tuple(sides)


def without_a_number(value):
    """A case whose only number the baseline lacks, and what is held against 5 meV/atom today."""
    unknown = Check("mae", math.nan, (None, 5.0), "meV/atom", False)
    known = replace(unknown, value=value, passed=value <= 5)
    return tuple(
        CaseResult("energies", model, "A-P1", "x-y", status, (check,), {"mae": check.value})
        for model, status, check in (
            ("old", "failed", unknown),
            ("new", "passed" if known.passed else "failed", known),
        )
    )


@given(runs(), MARGINS)
@example(without_a_number(900.0), 0.1)
def test_what_cannot_be_compared_is_never_as_good_as_before(sides, margin):
    old, new = sides
    judged, change = judge_against(new, old, margin)
    if new.status == "error":
        assert judged.status == "error"
        assert change.change != "better"
        return
    before = {} if old.status == "error" else {check.metric: check.value for check in old.checks}
    for check in new.checks:
        if not check.passed and math.isnan(before.get(check.metric, math.nan)):
            assert (judged.status, change.change) == ("failed", "worse")
    if old.status == "error":
        assert judged.status == new.status


@given(runs(), MARGINS)
def test_a_number_that_the_earlier_run_held_against_a_limit_is_missed(sides, margin):
    old, new = sides
    if "error" in (old.status, new.status):
        return
    today = {check.metric for check in new.checks}
    lost = [c for c in old.checks if c.metric not in today and not math.isnan(c.value)]
    if not lost:
        return
    judged, change = judge_against(new, old, margin)
    assert (judged.status, change.change) == ("failed", "worse")
    assert "-> no value" in explain(judged)
    # a limit that the user has dropped leaves the number where it is
    kept = replace(new, metrics={**new.metrics, **{c.metric: c.value for c in lost}})
    again = judge_against(kept, old, margin)[1]
    assert not {c.metric for c in lost} & {change.metric for change in again.metrics}


@given(runs(), MARGINS)
def test_a_case_that_passes_moved_away_from_no_ideal(sides, margin):
    """By more than the margin of what is allowed where it is now, and for counts by nothing."""
    old, new = sides
    if judge_against(new, old, margin)[0].status != "passed" or old.status == "error":
        return
    before = {check.metric: check.value for check in old.checks}
    for check in new.checks:
        metric, was = metric_named(check.metric), before.get(check.metric, math.nan)
        if metric.ideal is None or math.isnan(was):
            continue
        assert not math.isnan(check.value)
        growth = abs(check.value - metric.ideal) - abs(was - metric.ideal)
        end = check.limit[1] if check.value >= metric.ideal else check.limit[0]
        if metric.counts:
            assert growth <= 0
        elif end is not None and math.isfinite(end):
            allowed = max(abs(end - metric.ideal) * margin, metric.noise)
            assert growth <= allowed or outside(metric.ideal, check.limit)


@given(runs(), MARGINS)
def test_the_same_run_again_is_the_same(sides, margin):
    _, new = sides
    known = tuple(check for check in new.checks if not math.isnan(check.value))
    case = replace(new, checks=known)
    judged, change = judge_against(case, replace(case, model="old"), margin)
    assert change.change == "same"
    assert judged.status == ("error" if new.status == "error" else "passed")


@given(runs(), MARGINS)
def test_what_is_told_as_the_worst_is_something_that_got_worse(sides, margin):
    """Not a value on an open side, however far it moved."""
    old, new = sides
    if "error" in (old.status, new.status):
        return
    _, change = judge_against(new, old, margin)
    limits = {check.metric: check.limit for check in new.checks}
    for told in change.metrics:
        if told.metric not in limits or math.isnan(told.old) or math.isnan(told.new):
            continue
        metric = metric_named(told.metric)
        if told.worsening > 0 and not metric.counts:
            assert math.isfinite(metric.allowed(told.new, limits[told.metric]))


KEYS = list(product(QUESTIONS, ("A-P1", "crystals"), ("x-y", "all")))


@given(
    st.dictionaries(st.sampled_from(KEYS), STATUSES),
    st.sets(st.sampled_from(KEYS)),
    st.sets(st.sampled_from(KEYS)),
)
def test_gone_is_what_was_judged_and_is_neither_judged_nor_left_out(before, judged, left_out):
    cases = {(q, m, s): CaseResult(q, "b", m, s, status) for (q, m, s), status in before.items()}
    gone = Baseline("b", None, cases, {}).gone(judged, left_out)
    expected = {key for key, status in before.items() if status != "error"} - judged - left_out
    assert sorted(gone) == sorted(f"{m}-{s}: {q}" for q, m, s in expected)


@given(st.sampled_from(sorted(QUESTIONS)), STATUSES, st.text(max_size=3))
def test_what_could_not_be_evaluated_is_held_against_any_reference(question, status, digest):
    """No reference may have been read, so that none can be told from another."""
    before = CaseResult(question, "b", "A-P1", "x-y", status)
    baseline = Baseline("b", None, {(question, "A-P1", "x-y"): before}, {("A-P1", "x-y"): "d"})
    judged = baseline.judge(replace(before, status="error"), digest)
    assert judged.status == "error"
    assert judged.notes.baseline.change == ("same" if status == "error" else "worse")


@given(st.data(), st.sampled_from(JUDGING), STATUSES)
def test_a_case_passes_only_where_something_was_held_against_a_limit(data, question, status):
    """Whatever whoever made the result says of it and of its checks."""
    values_ = st.floats(-1e3, 1e3) | st.sampled_from([math.nan, math.inf, -math.inf])
    found = [
        replace(check, value=data.draw(values_), passed=data.draw(st.booleans()))
        for check in data.draw(checks(question))
    ]
    said = CaseResult(question.name, "m", "A-P1", "x-y", status, tuple(found))
    result = borne_out(said)
    if status != "passed":
        assert result is said
        return
    within = [
        c.passed and math.isfinite(c.value)
        and (c.limit[0] is None or c.value >= c.limit[0])
        and (c.limit[1] is None or c.value <= c.limit[1])
        for c in found
    ]  # fmt: skip
    assert result.status == ("error" if not found else "passed" if all(within) else "failed")
    assert [check.passed for check in result.checks] == within
    assert bool(result.notes.message) == (not found)


@given(st.data(), st.sampled_from(JUDGING))
def test_what_is_not_finite_is_within_no_limit(data, question):
    """Limits that are infinite themselves, too."""
    metric = data.draw(st.sampled_from([m for m in question.metrics if not m.gap]))
    limit = data.draw(st.tuples(*[st.sampled_from([None, -math.inf, 0.0, math.inf])] * 2))
    value = data.draw(st.sampled_from([math.nan, math.inf, -math.inf]))
    (check,) = CaseTolerances({metric.name: limit}, {}).check({metric.name: value}, question)
    assert not check.passed
    assert metric.severity(value, limit) == math.inf


# -- gaps -----------------------------------------------------------------------------------------

FLAT = LineScan("x", np.arange(3.0), np.zeros(3), np.zeros((3, 2)), 0.0, 1, 0.0, 0.0)
GRID_JUDGES = {
    "energies": judge_energies,
    "minima": judge_minima,
    "saddles": judge_saddles,
    "smoothness": lambda *a, **k: judge_smoothness(*a, scans=[FLAT], **k),
}


def test_every_question_of_the_grid_is_among_those_whose_gaps_are_tried():
    on_grid = {q.name for q in QUESTIONS.values() if q.scoring and q.scoring.on_grid}
    assert on_grid == GRID_JUDGES.keys()


@settings(deadline=None, max_examples=30)
@given(st.data(), st.sampled_from(sorted(GRID_JUDGES)), st.sampled_from(["default", "loose"]))
def test_a_gap_in_the_grid_fails_whatever_is_asked(toy_reference, data, question, profile):
    """The model is the reference itself, but for points without energy."""
    energies = toy_reference.energies.copy()
    points = np.argwhere(toy_reference.valid)
    lost = data.draw(st.lists(st.integers(0, len(points) - 1), unique=True))
    for k in lost:
        energies[tuple(points[k])] = data.draw(st.sampled_from([math.nan, math.inf, -math.inf]))
    judge = GRID_JUDGES[question]
    result = judge(toy_reference, energies, load_tolerances(profile), model="m")
    if result is None:
        assert question == "saddles"  # DFT has none here
        return
    assert (result.status == "passed") == (not lost)
    whole = judge(toy_reference, toy_reference.energies, load_tolerances(profile), model="old")
    assert (judge_against(result, whole)[0].status == "passed") == (not lost)


@given(
    st.sampled_from([q for q in QUESTIONS.values() if q.about != "slices"]),
    st.lists(st.sampled_from(["Al-fcc", "Cu-fcc", "AlCu-CsCl"]), unique=True),
)
def test_a_crystal_without_energy_fails_whatever_is_asked(question, missing):
    ideal = {metric.name: metric.ideal or 0.0 for metric in question.metrics if not metric.gap}
    result = judged_crystals(
        question, HullSystem("Al-Cu"), ideal, None, {}, load_tolerances(), "m", {"missing": missing}
    )
    assert (result.status == "passed") == (not missing)
    assert list(result.notes.missing_crystals or ()) == missing


@pytest.mark.parametrize("question", [q for q in QUESTIONS.values() if q.about != "slices"])
def test_no_tolerance_file_allows_gaps(question, tmp_path):
    from symscape.errors import ToleranceFileError

    for metric in (m for m in question.metrics if m.gap):
        path = tmp_path / "t.toml"
        path.write_text(f"[{question.name}]\n{metric.name} = 5\n")
        with pytest.raises(ToleranceFileError, match=metric.name):
            load_tolerances(path)
