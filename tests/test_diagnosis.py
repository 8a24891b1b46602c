"""One line on what is wrong with a landscape."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_runs import judged_case, make_run, reference_summary

from symscape.page.diagnosis import diagnose
from symscape.page.view import RunView
from symscape.questions.case import CaseResult, Check
from symscape.questions.minima import JudgedMinimum, MinimaDetail
from symscape.questions.named_points import Place
from symscape.questions.saddles import JudgedSaddle, SaddlesDetail

REFERENCE = reference_summary()


def case(question: str, metric: str, detail: object = None) -> CaseResult:
    checks = (Check(metric, 1.0, (0.0, 0.0), "", False),)
    return CaseResult(
        question, "soft", REFERENCE.material, REFERENCE.slice, "failed", checks, detail=detail
    )


def line(*cases: CaseResult) -> str:
    (item,) = RunView(make_run(*cases, references=(REFERENCE,))).slices
    return diagnose(item)


def minimum(kind: str, barrier: float) -> JudgedMinimum:
    return JudgedMinimum(kind, reference=Place((0, 0), {}, 0.0, barrier))


def minima_case(*rows: JudgedMinimum) -> CaseResult:
    return case("minima", "missing_minima", MinimaDetail(minima=rows))


@pytest.mark.parametrize("scale", [0.4, 0.7, 1.4])
def test_energies_come_first_with_side_and_slope(scale):
    judged = judged_case(REFERENCE, scale)
    error = judged.metrics["mean_signed_error"]
    smooth = case("smoothness", "rough_points")
    text = line(smooth, judged)
    side = "low" if scale < 1 else "high"
    assert f" {abs(error):.0f} meV/atom too {side}" in text
    assert f"slope {scale:.2f}" in text
    assert text.index("slope") < text.index("rough points 1")


def test_a_collapsed_double_well_has_its_barrier():
    rows = [minimum("matched", 51.0), minimum("missing", 34.4)]
    text = line(minima_case(*rows))
    assert text == "double well collapsed: barrier 34 to none"


def test_of_more_than_two_minima_the_missing_ones_are_counted():
    rows = [minimum("matched", 51.0), minimum("matched", 40.0), minimum("missing", 34.4)]
    rows += [JudgedMinimum("spurious", model=Place((1, 1), {}, 3.0))]
    text = line(minima_case(*rows))
    assert text == "1 of 3 minima missing, 1 minimum that DFT has not"


@pytest.mark.parametrize("error", [-30.6, 30.6])
def test_the_largest_barrier_error_has_its_side(error):
    place = Place((0, 0), {}, 50.0)
    saddles = tuple(JudgedSaddle((place, place), place, place, 0.0, e, 0.0) for e in (error, 2.0))
    detail = SaddlesDetail(saddles=saddles)
    text = line(case("saddles", "max_barrier_error", detail))
    assert text == f"barrier 31 meV/atom too {'low' if error < 0 else 'high'}"


def test_a_case_that_keeps_nothing_has_its_worst_check():
    assert line(case("minima", "missing_minima")) == "missing minima 1"


def test_nothing_is_said_of_what_passed_and_what_was_not_judged_is():
    assert line(judged_case(REFERENCE, 1.0)) == ""
    error = replace(judged_case(REFERENCE), status="error", checks=(), energies=None)
    assert line(error) == "relative energies not judged"
