"""Worst first: whatever the metrics, what could not be evaluated stands before all that was."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from report_runs import make_run

from symscape.page.case_views import CaseView
from symscape.page.view import RunView
from symscape.questions.case import CaseResult, Check
from symscape.questions.registry import QUESTIONS

JUDGED = [(q, m) for q in QUESTIONS.values() if q.about == "slices" for m in q.metrics]
LIMITS = st.sampled_from([(0.0, 1.0), (None, 0.0), (None, 25.0), (0.7, math.inf), (None, None)])
STATUSES = st.sampled_from(["passed", "failed", "error"])


@st.composite
def cases(draw):
    """A case of any question, any metric, any limit, any status; an error may carry a check."""
    question, metric = draw(st.sampled_from(JUDGED))
    status = draw(STATUSES)
    value = draw(st.floats(-1e6, 1e6) | st.just(math.nan))
    check = Check(metric.name, value, draw(LIMITS), metric.unit, status == "passed")
    checks = (check,) if status != "error" or draw(st.booleans()) else ()
    number = draw(st.integers(0, 4))
    return CaseResult(question.name, "soft", f"M{number}-P1", "X_x-X_y", status, checks)


runs = st.lists(cases(), min_size=1, max_size=8, unique_by=lambda c: (c.material, c.question))


@given(cases(), cases())
def test_no_value_is_worse_than_none(one, other):
    """Infinite for what could not be evaluated, whatever checks it brings along."""
    for case in (one, other):
        if case.status == "error":
            assert CaseView(case).severity == math.inf
    if one.status == "error":
        assert CaseView(one).severity >= CaseView(other).severity


@given(runs)
def test_what_could_not_be_evaluated_comes_first(drawn):
    slices = RunView(make_run(*drawn, references=())).slices
    broken = ["error" in {case.status for case in view.cases} for view in slices]
    assert broken == sorted(broken, reverse=True)
    for view, is_broken in zip(slices, broken, strict=True):
        assert (view.severity == math.inf) or not is_broken
        assert (view.cases[0].status == "error") == is_broken
    assert len([c for view in slices for c in view.cases]) == len(drawn)


@given(runs)
def test_of_one_status_the_worst_comes_first(drawn):
    """As far as tolerances say anything: beyond ten of them slices are equally bad."""
    slices = RunView(make_run(*drawn, references=())).slices
    for status in {view.status for view in slices}:
        severities = [min(v.severity, 10.0) for v in slices if v.status == status]
        assert severities == sorted(severities, reverse=True)
