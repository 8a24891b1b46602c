"""What committed verdicts keep, read into the questions' dataclasses and written again."""

from __future__ import annotations

import json
from dataclasses import fields
from math import inf, nan
from pathlib import Path
from typing import get_type_hints

import pytest

from symscape.contracts.details import Skipped
from symscape.decode import decode, encode
from symscape.questions.contracts import ContractsDetail
from symscape.questions.crystals import CrystalsDetail, MadeBy
from symscape.questions.detail import plain
from symscape.questions.hull import HULL, HullDetail
from symscape.questions.registry import QUESTIONS
from symscape.results.names import with_present_names
from symscape.results.run_results import load_results
from symscape.verdict.baseline import BaselineDetail, MetricChange

RESULTS = Path(__file__).parents[1] / "reports" / "leaderboard" / "results"
#: of crystals behind a failed case, beside what its question keeps
SHAPES = {"shapes"}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_says_what_its_results_keep(question):
    """What the codec reads has type hints that can be resolved, and defaults throughout."""
    assert get_type_hints(question.detail)
    empty = question.detail()
    assert decode(question.detail, plain(empty), "detail") == empty


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_committed_details_are_read_and_written_as_they_are(path):
    seen = set()
    for case in with_present_names(json.loads(path.read_text("utf-8")))["cases"]:
        if case["status"] == "error":
            continue
        question = QUESTIONS[case["question"]]
        kinds = [question.detail, *([] if question.about == "slices" else [CrystalsDetail])]
        for kind in kinds:
            written = plain(decode(kind, case["detail"], "detail"))
            assert json.dumps(written) == json.dumps(
                {key: case["detail"].get(key, value) for key, value in written.items()}
            )
        named = {field.name for kind in kinds for field in fields(kind)}
        assert set(case["detail"]) <= named | SHAPES
        seen.add(question.about)
    assert seen >= {"slices", "crystals"}


def test_hulls_keep_crystals_and_polymorphs():
    cases = load_results(RESULTS / "chgnet.json").cases
    kept = [decode(HullDetail, encode(c.detail), "d") for c in cases if c.question == HULL.name]
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
