"""What journals say: a ledger of any kind adds up, and the committed ones keep being read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.dft.curve_ledger import open_curve_ledger
from symscape.dft.curve_list import load_curve_list
from symscape.dft.grid_ledger import open_ledger
from symscape.dft.journal import Journal, read_journal
from symscape.dft.ledger import Ledger, failures_in, refuse_hopeless
from symscape.dft.plan import load_plan
from symscape.errors import EngineError
from symscape.references.equations import load_equations

ROOT = Path(__file__).parents[1]
PLANS = ROOT / "references" / "plans"
GRIDS = sorted(
    path.name.removesuffix(".journal.jsonl")
    for path in PLANS.glob("*.journal.jsonl")
    if path.name != "equations-of-state.journal.jsonl"
)


@dataclass(kw_only=True)
class Counted(Ledger[int]):
    results: set[int] = field(default_factory=set)

    attempts: ClassVar[int] = 2

    @property
    def finished(self) -> Collection[int]:
        return self.results


jobs = st.integers(0, 6)
lines = st.one_of(
    jobs.map(lambda k: {"event": "failed", "job": k, "failed": "why"}),
    jobs.map(lambda k: {"event": "done", "job": k}),
    st.just({"event": "forgiven"}),
    st.just({"event": "start"}),
)


@settings(deadline=None)
@given(st.permutations(range(5)), st.lists(lines, max_size=25))
def test_every_listed_job_is_done_failed_or_to_do(order, events):
    """Jobs 5 and 6 are on no list, as those of an earlier list may be."""
    failures = failures_in(events, lambda e: e["job"] if e["job"] in order else None)
    results = {e["job"] for e in events if e["event"] == "done"}
    ledger = Counted(order=list(order), failures=failures, results=results)
    parts = [*ledger.done, *ledger.failed, *ledger.todo]
    assert sorted(parts) == sorted(order)
    for part in (ledger.done, ledger.failed, ledger.todo):
        assert part == [k for k in order if k in part]
    last = max((n for n, e in enumerate(events) if e["event"] == "forgiven"), default=-1)
    for job in order:
        since = [e for e in events[last + 1 :] if e["event"] == "failed" and e["job"] == job]
        assert (job in ledger.failed) == (len(since) >= 2 and job not in results)


@settings(deadline=None, max_examples=20)
@given(st.lists(jobs, max_size=12))
def test_what_is_forgiven_is_forgiven_after_the_next_start(tmp_path_factory, failing):
    path = tmp_path_factory.mktemp("journal") / "list.jsonl"
    with Journal(path) as journal:
        for job in failing:
            journal.append({"event": "failed", "job": job, "failed": "why"})
        before = failures_in(read_journal(path), lambda e: e["job"])
        ledger = Counted(order=list(range(7)), failures=before)
        failed = ledger.failed
        ledger.forgive(journal)
    assert not ledger.failed
    again = Counted(
        order=list(range(7)), failures=failures_in(read_journal(path), lambda e: e["job"])
    )
    assert again.todo == list(range(7))
    # nothing is written where nothing has to be forgiven
    assert len(read_journal(path)) == len(failing) + bool(failed)


@pytest.mark.parametrize("reasons", [["a"] * 4, ["a", "b", "c", "d"], ["a"] * 3, []])
def test_a_hopeless_run_says_so_in_one_sentence(reasons):
    if len(reasons) < 4:
        refuse_hopeless(Path("x.toml"), "points", reasons, "mend it")
        return
    with pytest.raises(EngineError, match=r"x\.toml: the first 4 points all failed") as caught:
        refuse_hopeless(Path("x.toml"), "points", reasons, "mend it")
    assert ("the last one" in str(caught.value)) == (len(set(reasons)) > 1)
    assert repr(reasons[-1]) in str(caught.value)


@pytest.mark.parametrize("name", GRIDS)
def test_committed_journals_of_grids_are_read(name):
    plan = load_plan(PLANS / f"{name}.toml")
    events = read_journal(plan.journal_path)
    ledger = open_ledger(plan)
    assert len(ledger.points) == sum(event["event"] == "point" for event in events)
    assert not ledger.strangers
    assert len(ledger.done) + len(ledger.todo) + len(ledger.failed) == len(ledger.order)


def test_the_committed_journal_of_curves_is_read():
    plan = load_curve_list(PLANS / "equations-of-state.toml", load_equations([ROOT / "references"]))
    ledger = open_curve_ledger(plan)
    assert len(ledger.done) == 29
    assert not ledger.failed
