"""What committed verdicts keep, read into the questions' dataclasses and written again."""

from __future__ import annotations

import json
from math import inf, nan
from pathlib import Path

import pytest

from symscape.contracts.details import Skipped
from symscape.decode import decode, encode
from symscape.questions.contracts import ContractsDetail
from symscape.questions.crystals import MadeBy
from symscape.questions.detail import plain
from symscape.questions.relaxation import RelaxationDetail
from symscape.questions.smoothness import SmoothnessDetail
from symscape.questions.stability import StabilityDetail
from symscape.questions.underprediction import BiasDetail
from symscape.verdict.baseline import BaselineDetail, MetricChange

RESULTS = Path(__file__).parents[1] / "reports" / "leaderboard" / "results"
#: question, and what it keeps
KINDS = {
    "smoothness": SmoothnessDetail,
    "invariance": ContractsDetail,
    "conservative_forces": ContractsDetail,
    "hull": MadeBy,
    "stability": StabilityDetail,
    "underprediction": BiasDetail,
    "relaxation": RelaxationDetail,
}


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_committed_details_are_read_and_written_as_they_are(path):
    seen = set()
    for case in json.loads(path.read_text("utf-8"))["cases"]:
        kind = KINDS.get(case["question"])
        if kind is None or case["status"] == "error":
            continue
        written = plain(decode(kind, case["detail"], "detail"))
        assert json.dumps(written) == json.dumps(
            {key: case["detail"].get(key, value) for key, value in written.items()}
        )
        seen.add(case["question"])
    assert seen == set(KINDS)


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
