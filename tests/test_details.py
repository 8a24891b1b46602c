"""What committed verdicts keep, read into the questions' dataclasses and written again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import inf, nan
from pathlib import Path
from typing import get_type_hints

import pytest

from symscape.decode import decode, encode
from symscape.errors import SymscapeError
from symscape.questions.case import CaseResult
from symscape.questions.contracts import ContractsDetail
from symscape.questions.crystal_cases import MadeBy
from symscape.questions.detail import OtherDetail, plain
from symscape.questions.hull import HULL, HullDetail
from symscape.questions.notes import BaselineDetail, MetricChange
from symscape.questions.records import plain_case, read_case
from symscape.questions.registry import QUESTIONS, collect_questions
from symscape.results.files import load_results
from symscape.results.names import with_present_names
from symscape.science.contracts.details import Skipped

RESULTS = Path(__file__).parents[1] / "reports" / "leaderboard" / "results"


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_says_what_its_results_keep(question):
    """What the codec reads, if there is anything, is a frozen dataclass with type hints."""
    if question.detail is None:
        return
    assert get_type_hints(question.detail)
    assert question.detail.__dataclass_params__.frozen


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_committed_cases_are_read_and_written_as_they_are(path):
    """Byte for byte; nothing of a file is passed over."""
    seen = set()
    for record in with_present_names(json.loads(path.read_text("utf-8")))["cases"]:
        case = read_case(record)
        assert json.dumps(plain_case(case)) == json.dumps(record)
        question = QUESTIONS[case.question]
        assert case.detail is None or isinstance(case.detail, question.detail)
        seen |= {question.about} if case.detail else set()
    assert seen >= {"slices", "crystals"}


def test_what_an_unknown_question_keeps_stays_readable():
    record = {
        **plain_case(CaseResult("lowest_point", "m", "A-P1", "x-y", "passed")),
        "detail": {"depths": [1, 2.5, None], "deepest": {"index": [0, 1]}, "warnings": ["odd"]},
    }
    case = read_case(record)
    assert case.warnings == ("odd",)
    kept = case.kept(OtherDetail)
    assert kept is not None
    assert kept.content["deepest"] == {"index": [0, 1]}
    assert plain_case(case) == record


def test_a_question_may_not_keep_what_every_case_keeps():
    @dataclass(frozen=True)
    class Kept:
        warnings: tuple[str, ...] = ()

    own = replace(HULL, name="other", detail=Kept)
    with pytest.raises(SymscapeError, match="'other' keeps warnings"):
        collect_questions((own,))


def test_plain_data_are_no_detail():
    with pytest.raises(TypeError, match="question 'hull' is a dict"):
        CaseResult("hull", "m", "A", "hull", "passed", detail={"crystals": []})


def test_hulls_keep_crystals_and_polymorphs():
    cases = load_results(RESULTS / "chgnet.json").cases
    kept = [case.kept(HullDetail) for case in cases if case.question == HULL.name]
    assert kept
    for detail in kept:
        ids = {row.id for row in detail.crystals}
        assert detail.polymorphs
        assert {p.ground_state for p in detail.polymorphs} <= ids
        assert {p.ground_state_model for p in detail.polymorphs} <= ids


def test_a_contract_that_asked_nothing_says_why():
    detail = decode(ContractsDetail, {"contracts": {"curl": {"skipped": "no loop"}}}, "detail")
    assert detail.contracts["curl"] == Skipped("no loop")


def test_what_made_the_energies_is_told_apart_from_what_nobody_said():
    assert plain(MadeBy()) == {"settings": {}}


@pytest.mark.parametrize(
    ("old", "new", "worsening"),
    [(1.0, nan, inf), (nan, 1.0, -inf), (1.0, 2.0, 0.5), (nan, nan, 0.0)],
)
def test_a_change_from_a_number_to_none_survives_the_file(old, new, worsening):
    """JSON has no infinity; the values say which it was."""
    detail = BaselineDetail("worse", (MetricChange("mae", "meV/atom", old, new, worsening),))
    back = decode(BaselineDetail, json.loads(json.dumps(encode(detail))), "baseline")
    assert back.metrics[0].worsening == worsening
