"""Equations of state in results files: recomputed from the curves, refused where these differ."""

from __future__ import annotations

import copy
from dataclasses import replace

import leaderboard_library as make
import numpy as np
import pytest
from curve_models import all_electron
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_runs import stating

from symscape.leaderboard.audit import audit
from symscape.leaderboard.curves import contradictions, read_curves
from symscape.leaderboard.library import Asked, asked_of
from symscape.leaderboard.recompute import recompute
from symscape.leaderboard.submission import submission_problems
from symscape.models.registry import copied_card
from symscape.questions.curve_subjects import CURVE_QUESTIONS
from symscape.questions.records import plain_case
from symscape.science.equation_of_state.compare import CurveErrors

SLOW = settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ROWS = {"equation_of_state": "curves", "prototype_differences": "differences"}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make.small_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def honest(library):
    """A run with curves alone, stored and read again."""
    run = make.whole_run(library)
    return replace(run, cases=tuple(c for c in run.cases if c.question in CURVE_QUESTIONS))


def edited(run, asked, **changes):
    cases = [replace(c, **changes) if asked_of(c) == asked else c for c in run.cases]
    return replace(run, cases=tuple(cases))


def with_rows(run, asked, edit):
    """The run with the stated curves or differences of a case, as records, changed in place."""
    case, name = make.cases_by(run)[asked], ROWS[asked.question]
    rows = plain_case(case)["detail"][name]
    edit(rows)
    return edited(run, asked, detail=stating(case, **{name: rows}).detail)


def cases_of(run):
    return sorted(make.cases_by(run))


def test_an_honest_run_is_in_order_and_its_numbers_stay(library, honest, tmp_path):
    from symscape.results.files import load_results

    stored = load_results(make.save(tmp_path, honest))
    assert audit(stored, library).problems == ()
    again = make.cases_by(recompute(stored, library).run)
    assert {a for a in library.asked if a.question in CURVE_QUESTIONS} == set(again)
    assert {a.question for a in again} == set(CURVE_QUESTIONS)


def test_metrics_are_those_of_the_curves(library, honest):
    """Against the measures themselves, computed of the curves that the model has."""
    equations = library.equations
    dft = all_electron(equations)
    soft = replace(dft, bulk_modulus=0.8 * dft.bulk_modulus)
    errors = CurveErrors.of(soft, equations.average)
    metrics = make.cases_by(recompute(honest, library).run)
    titanium = np.array([symbol == "Ti" for symbol in equations.symbols])
    case = metrics[Asked("equation_of_state", "group-4", "Ti")].metrics
    assert case["bulk_modulus_error"] == pytest.approx(20.0, abs=1e-3)
    assert case["epsilon"] == pytest.approx(np.median(errors.epsilon[titanium]), abs=1e-5)
    case = metrics[Asked("prototype_differences", "Diamond", "prototype")].metrics
    assert case["softening_scale"] == pytest.approx(0.8, abs=1e-5)


@SLOW
@given(st.data())
def test_any_metric_that_was_changed_is_named(library, honest, data):
    asked = data.draw(st.sampled_from(cases_of(honest)))
    metrics = dict(make.cases_by(honest)[asked].metrics)
    name = data.draw(st.sampled_from(sorted(metrics)))
    old = metrics[name]
    metrics[name] = data.draw(st.floats(-1e3, 1e3).filter(lambda x: not abs(x - old) <= 0.02))
    found = recompute(edited(honest, asked, metrics=metrics), library)
    assert any(name in problem for problem in found.problems)
    again = make.cases_by(found.run)[asked].metrics
    assert again[name] == pytest.approx(old, abs=0.01, nan_ok=True)


@SLOW
@given(st.data())
def test_curves_that_were_changed_contradict_the_metrics(library, honest, data):
    asked = data.draw(st.sampled_from([a for a in cases_of(honest) if a.question in ROWS]))
    rows = getattr(make.cases_by(honest)[asked].detail, ROWS[asked.question])
    k = data.draw(st.integers(0, len(rows) - 1))
    kind = data.draw(st.sampled_from(("changed", "gone", "twice", "without minimum", "foreign")))
    factor = data.draw(st.floats(1.3, 3.0))

    def edit(rows):
        row = rows[k]
        difference = asked.question == "prototype_differences"
        if kind == "gone":
            del rows[k]
        elif kind == "twice":
            rows.append(copy.deepcopy(row))
        elif kind == "foreign":
            row.update({"element": 92} if difference else {"id": "U-BCC"})
        elif difference:
            row["model"] = None if kind == "without minimum" else row["model"] * factor
        else:
            row["model"].update(
                dict.fromkeys(("volume", "bulk_modulus", "derivative"))
                if kind == "without minimum"
                else {"volume": row["model"]["volume"] * factor}
            )

    assert recompute(with_rows(honest, asked, edit), library).problems


def test_a_run_of_a_part_does_not_contradict_itself(library, honest):
    """As of -m quick or -k: differences between prototypes whose curves were not asked for."""
    without = tuple(c for c in honest.cases if c.question != "equation_of_state")
    assert without
    answers = read_curves(list(without), library.equations)
    assert answers.differences
    assert contradictions(answers, library.equations) == []


def test_judging_on_fewer_crystals_takes_another_card(library, honest, tmp_path):
    """Whoever says that its training data lack titanium is not judged on it, and says it aloud."""
    card = replace(honest.model, untrained=("Ti",))
    run = replace(honest, model=card)
    found = recompute(run, library)
    assert found.problems
    assert Asked("equation_of_state", "group-4", "Ti") not in make.cases_by(found.run)
    cards = {honest.model.name: honest.model}
    said = submission_problems(tmp_path / f"{run.model.name}.json", run, cards, library)
    assert any("untrained" in problem for problem in said)


def test_the_published_weights_may_lie_elsewhere(library, tmp_path):
    """Known by their digest; what else decides the results must be the card's all the same."""
    whole = make.whole_run(library)
    name = whole.model.name
    card = replace(whole.model, checkpoint="large", weights_file="~/large.bin", digest="d" * 64)
    copy = copied_card(card, "/home/me/large.bin")
    path = tmp_path / f"{name}.json"

    def said(used):
        problems = submission_problems(path, replace(whole, model=used), {name: card}, library)
        return [problem.removeprefix(f"{path}: ").split()[0] for problem in problems]

    assert said(card) == said(copy) == []
    assert said(replace(copy, digest="e" * 64)) == said(replace(copy, digest="")) == ["checkpoint"]
    assert said(replace(copy, options={"modal": "r2scan"})) == ["options"]
    assert said(replace(copy, level_of_theory="r2SCAN")) == ["level_of_theory"]


def test_a_submission_must_answer_every_group_and_prototype(library, honest, tmp_path):
    whole = make.whole_run(library)
    cards = {whole.model.name: whole.model}
    path = tmp_path / f"{whole.model.name}.json"
    assert submission_problems(path, whole, cards, library) == []
    for asked in cases_of(honest):
        cases = tuple(c for c in whole.cases if asked_of(c) != asked)
        run = replace(whole, cases=cases)
        problems = submission_problems(path, run, cards, library)
        assert any(f"lacks {asked}" in problem for problem in problems)


def test_crystals_without_an_energy_are_missing_and_take_their_share_off(library, honest):
    from symscape.leaderboard.collect import Board, Entry
    from symscape.leaderboard.scores import score_board

    def judged(run):
        board = Board((Entry(run, None),), library=library)
        table = score_board(board)
        q = [question.name for question in table.questions].index("equation_of_state")
        units = [unit.material for unit in table.units]
        return table.cells[0, units.index("group-4"), q]

    asked = Asked("equation_of_state", "group-4", "Ti")
    fewer = recompute(with_rows(honest, asked, lambda rows: rows.__delitem__(slice(0, 5))), library)
    assert make.cases_by(fewer.run)[asked].notes.missing_crystals != ()
    assert judged(fewer.run) < 0.6 * judged(recompute(honest, library).run)


def test_another_version_of_the_curves_is_refused(library, honest):
    asked = cases_of(honest)[0]
    notes = replace(make.cases_by(honest)[asked].notes, digest="0" * 64)
    problems = audit(edited(honest, asked, notes=notes), library).problems
    assert any("another version of the curves" in problem for problem in problems)
