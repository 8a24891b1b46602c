"""Progress: a bar on a terminal, a plain line now and then elsewhere, nothing for what is quick."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symscape import progress as module
from symscape.progress import LINE_EVERY_S, Progress, duration, on_stderr


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_a_line_every_half_minute_and_an_estimate(clock):
    said = []
    progress = Progress(said.append)
    with progress.task("grid", 100, unit="points", workers=2):
        for _ in range(60):
            clock.now += 10
            progress.advance(10.0)
    assert LINE_EVERY_S == 30
    assert len(said) == 20
    assert said[0] == "grid: 3/100 points, 8 min left"


def test_a_quick_task_says_nothing(clock):
    said = []
    with Progress(said.append).task("grid", 3):
        clock.now += 29
    assert said == []
    patient = Progress(said.append, line_every_s=0, patience_s=60)
    with patient.task("grid", 3):
        clock.now += 59
        patient.update(1, 3)
        assert said == []
        clock.now += 2
        patient.update(2, 3)
        assert len(said) == 1


def test_what_is_given_up_is_said_at_once(clock):
    said = []
    progress = Progress(said.append)
    with progress.task("grid", 3):
        progress.fail("point 2 failed 3 times")
    assert said == ["grid: point 2 failed 3 times"]


@given(st.integers(0, 50), st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_what_an_earlier_run_did_takes_no_time(before, steps):
    """So it must not make the estimate too good."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch)
        progress = Progress(lambda line: None)
        done, total = before, before + sum(steps) + 7
        with progress.task("run"):
            progress.update(before, total, before)
            for step in steps:
                clock.now += 2.0 * step
                done += step
                progress.update(done, total, before)
            assert progress.estimate() == "14 s left"


def test_a_terminal_gets_a_bar(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = on_stderr()
    with progress.task("hull run", unit="crystals"):
        progress.update(10, 40, 10)
        clock.now += 5
        progress.update(25, 40, 10)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "25/40 crystals, 5 s left" in shown


def test_output_goes_through_the_given_context(clock):
    inside = []

    class Around:
        def __enter__(self):
            inside.append(True)

        def __exit__(self, *error):
            inside.append(False)

    progress = Progress(lambda line: None, around=Around, line_every_s=0)
    with progress.task("suite", 2):
        progress.update(1, 2)
    assert inside == [True, False]


def test_times_as_people_say_them():
    assert [duration(s) for s in (3, 600, 2 * 3600, 72 * 3600)] == [
        "3 s", "10 min", "2.0 h", "3.0 days",
    ]  # fmt: skip
