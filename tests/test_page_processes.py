"""Figures drawn by several processes are those of one, whatever becomes of the processes."""

from __future__ import annotations

import os
from functools import partial

import pytest
from process_work import refuse, square_or_die, where
from report_runs import judged_case, make_run, reference_summary

from symscape.page import processes
from symscape.page.processes import FEWEST, do_all
from symscape.page.report import write_report


def test_many_things_are_done_elsewhere_and_come_back_in_order():
    told = []
    found = do_all(where, range(8), jobs=2, progress=lambda *event: told.append(event))
    assert [number for number, _ in found] == list(range(8))
    assert os.getpid() not in {process for _, process in found}
    assert told == [(k, 8) for k in range(1, 9)]


@pytest.mark.parametrize(("count", "jobs"), [(FEWEST - 1, 2), (FEWEST, 1), (0, 2)])
def test_few_things_are_done_here(count, jobs):
    assert do_all(where, range(count), jobs=jobs) == [(k, os.getpid()) for k in range(count)]


def test_what_a_dying_process_left_is_done_here():
    work = partial(square_or_die, os.getpid())
    assert do_all(work, range(8), jobs=2) == [k**2 for k in range(8)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_come_through(jobs):
    with pytest.raises(OSError, match="the disk is full"):
        do_all(refuse, range(8), jobs=jobs)


def test_figures_are_the_same_and_each_slice_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "FEWEST", 1)
    reference = reference_summary("One-P1")
    run = make_run(judged_case(reference), references=(reference,))
    told = []
    pages = [
        write_report(tmp_path / name, run, jobs=jobs, progress=lambda *event: told.append(event))
        for name, jobs in (("one", 1), ("two", 2))
    ]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert told == [(1, 1)] * 2
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "figures").iterdir()}
        for name in ("one", "two")
    )
    assert first == second
    assert len(first) == 3
