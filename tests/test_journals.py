"""What journals say: a ledger of any kind adds up, and the committed ones keep being read."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symscape.decode import encode
from symscape.dft.curve_ledger import open_curve_ledger
from symscape.dft.curve_list import load_curve_list
from symscape.dft.events import (
    OF_CURVES,
    OF_LISTS,
    OF_PLANS,
    Event,
    Forgiven,
    PointDone,
    RelaxStep,
)
from symscape.dft.grid_ledger import open_ledger
from symscape.dft.journal import Journal, read_journal
from symscape.dft.ledger import Ledger, failures_in, refuse_hopeless
from symscape.dft.plan import load_plan
from symscape.dft.relaxed import relaxed_crystal, relaxed_path, write_relaxed
from symscape.dft.results import Failure
from symscape.errors import EngineError, PlanError, shown
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


@dataclass(frozen=True, kw_only=True)
class Job(Event):
    job: int


@dataclass(frozen=True, kw_only=True)
class Done(Job):
    event: ClassVar[str] = "done"


@dataclass(frozen=True, kw_only=True)
class Failed(Failure, Job):
    event: ClassVar[str] = "failed"


KINDS = (Done, Failed, Forgiven)
lines = st.one_of(
    jobs.map(lambda k: Failed(job=k, failed="why")),
    jobs.map(lambda k: Done(job=k)),
    st.just(Forgiven()),
)


@settings(deadline=None)
@given(st.permutations(range(5)), st.lists(lines, max_size=25))
def test_every_listed_job_is_done_failed_or_to_do(order, events):
    """Jobs 5 and 6 are on no list, as those of an earlier list may be."""
    failures = failures_in(events, Failed, lambda e: e.job if e.job in order else None)
    results = {e.job for e in events if isinstance(e, Done)}
    ledger = Counted(order=list(order), failures=failures, results=results)
    parts = [*ledger.done, *ledger.failed, *ledger.todo]
    assert sorted(parts) == sorted(order)
    for part in (ledger.done, ledger.failed, ledger.todo):
        assert part == [k for k in order if k in part]
    last = max((n for n, e in enumerate(events) if isinstance(e, Forgiven)), default=-1)
    for job in order:
        since = [e for e in events[last + 1 :] if isinstance(e, Failed) and e.job == job]
        assert (job in ledger.failed) == (len(since) >= 2 and job not in results)


@settings(deadline=None, max_examples=20)
@given(st.lists(jobs, max_size=12))
def test_what_is_forgiven_is_forgiven_after_the_next_start(tmp_path_factory, failing):
    path = tmp_path_factory.mktemp("journal") / "list.jsonl"
    with Journal(path) as journal:
        for job in failing:
            journal.append(Failed(job=job, failed="why"))
        before = failures_in(read_journal(path, KINDS), Failed, lambda e: e.job)
        ledger = Counted(order=list(range(7)), failures=before)
        failed = ledger.failed
        ledger.forgive(journal)
    assert not ledger.failed
    after = failures_in(read_journal(path, KINDS), Failed, lambda e: e.job)
    again = Counted(order=list(range(7)), failures=after)
    assert again.todo == list(range(7))
    # nothing is written where nothing has to be forgiven
    assert len(read_journal(path, KINDS)) == len(failing) + bool(failed)


@pytest.mark.parametrize("reasons", [["a"] * 4, ["a", "b", "c", "d"], ["a"] * 3, []])
def test_a_hopeless_run_says_so_in_one_sentence(reasons):
    if len(reasons) < 4:
        refuse_hopeless(Path("x.toml"), "points", reasons, "mend it")
        return
    with pytest.raises(EngineError, match=r"x\.toml: the first 4 points all failed") as caught:
        refuse_hopeless(Path("x.toml"), "points", reasons, "mend it")
    assert ("the last one" in str(caught.value)) == (len(set(reasons)) > 1)
    assert repr(reasons[-1]) in str(caught.value)


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.journal.jsonl")), ids=lambda p: p.name)
def test_committed_journals_are_what_would_be_written_of_their_events(tmp_path, path):
    kinds = OF_CURVES if path.name.startswith("equations-of-state") else OF_PLANS
    with Journal(tmp_path / "again.jsonl") as journal:
        for event in read_journal(path, kinds):
            assert not event.as_read.keys() - known(type(event)), "a key that no field takes"
            journal.append(event)
            # what was read and what is made anew are written alike
            fields = {key: value for key, value in vars(event).items() if key != "as_read"}
            assert type(event)(**fields) == event
            assert list(encode(type(event)(**fields))) == [
                key for key, value in event.as_read.items() if key in fields and value != {}
            ]
    assert (tmp_path / "again.jsonl").read_bytes() == path.read_bytes()


def known(kind):
    return {"event", *(f.name for f in fields(kind))}


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.relaxed.json")), ids=lambda p: p.name)
def test_committed_relaxed_crystals_are_written_as_they_are(tmp_path, path):
    plan = path.with_name(path.name.replace(".relaxed.json", ".toml"))
    write_relaxed(tmp_path / plan.name, relaxed_crystal(plan))
    assert relaxed_path(tmp_path / plan.name).read_bytes() == path.read_bytes()


NOT_ALL_STRINGS = st.one_of(st.none(), st.integers(), st.text(max_size=8), st.lists(st.none()))


@settings(deadline=None)
@given(st.sampled_from([OF_PLANS, OF_CURVES, OF_LISTS]), st.integers(0, 3), NOT_ALL_STRINGS)
def test_an_event_of_no_known_kind_is_named_with_its_line(tmp_path_factory, kinds, before, name):
    assume(name not in [kind.event for kind in (*kinds, RelaxStep)])
    path = tmp_path_factory.mktemp("journal") / "x.jsonl"
    first = read_journal(PLANS / "Al-I4_mmm.journal.jsonl", OF_PLANS)[0]
    with Journal(path) as journal:
        for _ in range(before):
            journal.append(first)
    with path.open("a") as file:
        file.write(json.dumps({"event": name}) + "\n")
    with pytest.raises(PlanError, match=rf"line {before + 1} of the journal.*unknown") as caught:
        read_journal(path, {*kinds, type(first)})
    assert shown(name) in str(caught.value)
    assert str(path) in str(caught.value)


@settings(deadline=None)
@given(st.data())
def test_a_field_that_is_wrong_is_named_with_its_line(tmp_path_factory, data):
    lines = (PLANS / "Al-I4_mmm.journal.jsonl").read_text().splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    event = json.loads(lines[number])
    kind = next(kind for kind in OF_PLANS if kind.event == event["event"])
    needed = [f.name for f in fields(kind) if f.default is f.default_factory and f.name in event]
    name = data.draw(st.sampled_from(needed))
    if data.draw(st.booleans()):
        del event[name]
    else:
        event[name] = data.draw(st.sampled_from([None, True, [None], {"a": None}]))
    lines[number] = json.dumps(event)
    path = tmp_path_factory.mktemp("journal") / "x.jsonl"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(PlanError, match=rf"line {number + 1} of the journal.*'{name}") as caught:
        read_journal(path, OF_PLANS)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", GRIDS)
def test_committed_journals_of_grids_are_read(name):
    plan = load_plan(PLANS / f"{name}.toml")
    ledger = open_ledger(plan)
    assert len(ledger.points) == len(ledger.events_of(PointDone))
    assert not ledger.strangers
    assert len(ledger.done) + len(ledger.todo) + len(ledger.failed) == len(ledger.order)


def test_the_committed_journal_of_curves_is_read():
    plan = load_curve_list(PLANS / "equations-of-state.toml", load_equations([ROOT / "references"]))
    ledger = open_curve_ledger(plan)
    assert len(ledger.done) == 29
    assert not ledger.failed
