"""Every metric, whatever question it belongs to: badness, severity, and movement against a run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symscape.errors import SymscapeError
from symscape.questions.metric import Metric, outside
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS, collect_questions, metric_named
from symscape.questions.subjects import MaterialSlice

METRICS = sorted({m for q in QUESTIONS.values() for m in (*q.metrics, *q.derived)}, key=repr)
metrics = st.sampled_from(METRICS)
ends = st.none() | st.just(0.0) | st.just(1.0) | st.floats(-1e3, 1e3)
margins = st.floats(0, 2)


@st.composite
def limits(draw):
    low, high = draw(ends), draw(ends)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return draw(st.sampled_from([(low, high), (-math.inf, high), (low, math.inf)]))


def values(metric: Metric):
    whole = st.integers(0, 400).map(float)
    return whole if metric.counts else st.floats(-1e3, 1e3)


@given(st.data(), metrics, limits(), margins)
def test_towards_the_ideal_is_never_worse_and_away_never_better(data, metric, limit, margin):
    if metric.ideal is None:
        return
    old, new = data.draw(values(metric)), data.draw(values(metric))
    move = metric.movement(old, new, limit, margin)
    before, after = abs(old - metric.ideal), abs(new - metric.ideal)
    assert move is not None
    if after <= before:
        assert move != "worse"
    if after >= before:
        assert move != "better"


@given(st.data(), metrics, limits(), margins)
def test_counts_move_by_one(data, metric, limit, margin):
    if not metric.counts or metric.ideal is None:
        return
    old, new = data.draw(values(metric)), data.draw(values(metric))
    expected = "same" if old == new else "worse" if new > old else "better"
    assert metric.movement(old, new, limit, margin) == expected


@given(st.data(), metrics, limits(), margins)
def test_an_unknown_value_is_never_the_same_as_a_known_one(data, metric, limit, margin):
    known = data.draw(values(metric))
    assert metric.movement(known, math.nan, limit, margin) == "worse"
    assert metric.movement(math.nan, known, limit, margin) == "better"
    assert metric.movement(math.nan, math.nan, limit, margin) is None


@given(st.data(), metrics, limits())
def test_severity_is_above_one_exactly_where_the_limit_is_broken(data, metric, limit):
    value = data.draw(values(metric))
    assert (metric.severity(value, limit) > 1) == (outside(value, limit) > 0)
    assert metric.severity(math.nan, limit) == math.inf


@given(st.data(), metrics, st.floats(0.1, 1e3))
def test_severity_counts_tolerances(data, metric, width):
    """With a limit around the ideal it is the distance in units of what is allowed."""
    if metric.ideal is None:
        return
    times = data.draw(st.floats(0, 50))
    value = metric.ideal + times * width
    limit = (metric.ideal - width, metric.ideal + width)
    assert metric.severity(value, limit) == pytest.approx(times, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "limit", "old", "new", "expected"),
    [
        ("f1", (0.7, 1.0), 0.86, 1.0, "better"),
        ("precision", (0.7, math.inf), 0.95, 0.10, "worse"),
        ("missing_minima", (-0.0, 0.0), 1, 9, "worse"),
        ("spurious_minima", (-0.0, 0.0), 1, 40, "worse"),
        ("failed_points", (None, 0.0), 1, 200, "worse"),
        ("mae", (-25.0, 25.0), 30.0, 31.0, "same"),
        ("mae", (-25.0, 25.0), 30.0, 40.0, "worse"),
    ],
)
def test_movements_that_a_gate_must_see(name, limit, old, new, expected):
    assert metric_named(name).movement(old, new, limit, 0.1) == expected


@given(metrics, st.floats(-1e6, 1e6))
def test_scores_lie_between_zero_and_one_and_the_ideal_scores_one(metric, value):
    if metric.score is None:
        return
    assert 0 <= metric.score.of(metric.badness(value)) <= 1
    assert metric.score.of(metric.badness(metric.ideal)) == 1
    assert metric.score.of(metric.badness(math.nan)) == 0


def test_titles_and_columns_tell_metrics_apart():
    assert len({m.name: m.title for m in METRICS}) == len({m.title for m in METRICS})
    for metric in METRICS:
        assert metric.column.startswith(metric.name)
        assert (metric.column == metric.name) == (not metric.unit)


def nothing_asked(case, **known):
    """Stand for a question that is never asked."""


def test_a_name_for_two_things_is_refused():
    other = Question(
        "mine", "Mine", MaterialSlice, (Metric("mae", "another error", "eV"),), nothing_asked
    )
    with pytest.raises(SymscapeError, match=r"'mae'.*means another thing"):
        collect_questions((other,))
    again = Question("energies", "Again", MaterialSlice, (), nothing_asked)
    with pytest.raises(SymscapeError, match="'energies' is defined twice"):
        collect_questions((again,))
