"""Runs of parts of the suite are one run when they are merged, whatever the parts were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.decode import dumps
from symscape.errors import ResultsFileError
from symscape.questions.records import plain_case
from symscape.results.files import load_results, save_results
from symscape.results.merge import merge_runs
from symscape.results.run_results import BaselineSummary, Selection

COMMITTED = Path(__file__).parents[1] / "reports" / "leaderboard" / "results" / "chgnet-0.2.0.json"
WHOLE = load_results(COMMITTED)
#: cases of the suite that found nothing to judge, which no file holds
SKIPPED = 14


def part(which, number):
    """The cases of the committed run that ``which`` holds, as a run of its own."""
    cases = tuple(case for case, own in zip(WHOLE.cases, which, strict=True) if own)
    asked = {(case.material, case.slice) for case in cases}
    n_asked = len(cases) + (SKIPPED if number == 1 else 0)
    return replace(
        WHOLE,
        cases=cases,
        references=tuple(r for r in WHOLE.references if (r.material, r.slice) in asked),
        started=f"2026-01-0{number}T00:00:00+00:00",
        wall_seconds=float(number),
        selection=Selection("-k some", n_asked, len(WHOLE.cases) + SKIPPED),
    )


def about(case, reference):
    return (case.material, case.slice) == (reference.material, reference.slice)


@given(st.data())
def test_any_parts_that_cover_the_suite_are_the_whole_run(data):
    n = len(WHOLE.cases)
    owners = data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    parts = [part([owner == k for owner in owners], k) for k in (1, 2, 3)]
    merged = merge_runs(data.draw(st.permutations(parts)))
    assert merged.cases == WHOLE.cases
    assert merged.references == WHOLE.references
    assert merged.selection is None
    assert merged.started == parts[-1].started
    assert merged.wall_seconds == 6.0


@given(st.data())
def test_what_one_run_lacks_another_may_answer(data):
    """As a run that was interrupted and one that went on; the same cases counted by hand."""
    n = len(WHOLE.cases)
    ends = [data.draw(st.sampled_from(["answered", "lacking", "not asked"])) for _ in range(2 * n)]
    runs = []
    for number, own in ((1, ends[:n]), (2, ends[n:])):
        run = part([end == "answered" for end in own], number)
        lacks = [c for c, end in zip(WHOLE.cases, own, strict=True) if end == "lacking"]
        names = tuple(f"{c.material}-{c.slice}: {c.question}" for c in lacks)
        runs.append(replace(run, lacking=names))
    merged = merge_runs(data.draw(st.permutations(runs)))
    both = zip(WHOLE.cases, ends[:n], ends[n:], strict=True)
    left = [c for c, *own in both if "lacking" in own and "answered" not in own]
    assert sorted(merged.lacking) == sorted(f"{c.material}-{c.slice}: {c.question}" for c in left)


@given(st.data())
def test_where_two_ran_a_case_the_later_run_counts(data):
    n = len(WHOLE.cases)
    again = data.draw(st.sets(st.integers(0, n - 1)))
    early = part([True] * n, 1)
    late = part([k in again for k in range(n)], 2)
    late = replace(late, cases=tuple(replace(case, seconds=-1.0) for case in late.cases))
    merged = merge_runs(data.draw(st.permutations([early, late])))
    told = {(c.question, c.material, c.slice) for c in merged.cases if c.seconds == -1.0}
    assert told == {(c.question, c.material, c.slice) for c in late.cases}
    assert len(merged.cases) == n


def test_a_whole_run_and_a_part_are_a_whole_run():
    n = len(WHOLE.cases)
    whole = replace(part([True] * n, 1), selection=None)
    late = part([k < 3 for k in range(n)], 2)
    assert merge_runs([whole, late]).selection is None


def test_what_was_said_of_a_slice_that_changed_is_left_out():
    n = len(WHOLE.cases)
    early = part([True] * n, 1)
    changed = replace(early.references[0], digest="0" * 64)
    late = replace(
        part([about(c, changed) and c.question == "energies" for c in WHOLE.cases], 2),
        references=(changed,),
    )
    merged = merge_runs([early, late])
    assert [c.question for c in merged.cases if about(c, changed)] == ["energies"]
    assert len(merged.references) == len(WHOLE.references)
    assert merged.selection == Selection("merged runs", len(merged.cases) + SKIPPED, n + SKIPPED)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"fingerprint": "another"}, "two checkpoints or versions of it"),
        ({"model": replace(WHOLE.model, name="another")}, "two models"),
        ({"tolerances": "strict"}, "two tolerances"),
        ({"baseline": BaselineSummary("main", "chgnet", 0.1)}, "judged by the baseline main"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused_whatever_their_order(other, what):
    one, two = part([True] * len(WHOLE.cases), 1), part([True] * len(WHOLE.cases), 2)
    for runs in ([one, replace(two, **other)], [replace(one, **other), two]):
        with pytest.raises(ResultsFileError, match=what):
            merge_runs(runs)


def test_the_command_writes_a_file_that_holds_both(tmp_path):
    n = len(WHOLE.cases)
    for number, low in ((1, True), (2, False)):
        save_results(
            tmp_path / f"{number}.json", part([(k < n // 2) == low for k in range(n)], number)
        )
    target = tmp_path / "whole" / "results.json"
    files = [str(tmp_path / f"{number}.json") for number in (2, 1)]
    result = CliRunner().invoke(app, ["merge", *files, "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == f"chgnet-0.2.0: {n} cases"
    # as text, for what was undefined does not equal itself
    assert dumps([plain_case(case) for case in load_results(target).cases]) == dumps(
        [plain_case(case) for case in WHOLE.cases]
    )


def test_nothing_to_merge_is_said():
    with pytest.raises(ResultsFileError, match="no results to merge"):
        merge_runs([])
