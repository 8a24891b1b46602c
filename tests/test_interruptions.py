"""Runs that are stopped at any moment go on where they were; nothing is left half written."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from interrupted_project import Project, without_times
from interrupted_project import imported as imported
from interrupted_project import library as library
from interrupted_project import project as project
from interrupted_project import undisturbed as undisturbed

from symscape.models.cache import EnergyCache
from symscape.results.files import load_results

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_goes_on_where_it_was(project, undisturbed, kind, seed):
    code, expected, n_lines = undisturbed
    chance = random.Random(f"{kind} {seed}")
    arguments = ("--mlip", "slowly:slow")
    stops = 0
    for _ in range(2):
        child = project.start(*arguments)
        done = len(project.calls())
        # the last share of the moments lies behind the last evaluation, while the report is written
        project.wait_for(child, done + chance.randint(0, max(0, n_lines + 2 - done)))
        time.sleep(chance.uniform(0, 0.02 if chance.random() < 0.7 else 0.3))
        os.kill(child, kind)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (-kind, 2, code), project.output
        stops += 1
        path = project.folder / "reports" / "slow" / "results.json"
        if path.exists():
            load_results(path)  # whole, whenever it was written
    assert project.run(*arguments) == code, project.output
    assert without_times(project.results()) == expected
    begun = Counter(line for line in project.calls() if line.startswith("begin"))
    again = sum(count - 1 for count in begun.values())
    assert again <= stops, "more was evaluated twice than was in flight"
    assert "Traceback" not in project.output


@pytest.mark.parametrize("round", range(3))
def test_an_interrupt_at_a_jump_that_has_no_line_ends_as_any_other(project, round):
    child = project.start("--mlip", "slowly:spinning")
    project.wait_for(child, 1)
    os.kill(child, signal.SIGINT)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == pytest.ExitCode.INTERRUPTED, project.output
    assert "Traceback" not in project.output
    assert "KeyboardInterrupt" in project.output


def processes(project: Project) -> list[int]:
    """Ids of the processes that evaluate, or did."""
    path = project.folder / "pids.txt"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def no_orphans(project):
    """Workers whose controller was killed may outlive it for a while, but not the test."""
    yield
    for pid in processes(project):
        # only if the id still is that of a process of this project
        with suppress(OSError):
            if Path(f"/proc/{pid}/cwd").resolve() == project.folder.resolve():
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("victim", ["controller", "worker"])
def test_a_run_of_two_processes_goes_on_after_a_kill(
    project, undisturbed, monkeypatch, no_orphans, victim
):
    pytest.importorskip("xdist")
    monkeypatch.setenv("PYTHONPATH", str(project.folder))
    code, expected, n_lines = undisturbed
    arguments = ("--mlip", "slowly:slow", "-n", "2")
    child = project.start(*arguments)
    project.wait_for(child, n_lines // 3)
    if victim == "controller":
        os.kill(child, signal.SIGKILL)
    else:
        alive = [pid for pid in processes(project) if Path(f"/proc/{pid}").exists()]
        assert child not in alive
        for pid in alive[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (-signal.SIGKILL, 0, 1), project.output
    path = project.folder / "reports" / "slow" / "results.json"
    if path.exists():
        load_results(path)
    # workers of the killed run may still be at it
    assert project.run(*arguments) == code, project.output
    assert without_times(project.results()) == expected
    before = project.calls()
    assert project.run(*arguments) == code, project.output
    assert project.calls() == before, "something was not kept"
    assert without_times(project.results()) == expected


def test_a_finished_run_evaluates_nothing_more(project, undisturbed):
    arguments = ("--mlip", "slowly:slow")
    project.run(*arguments)
    before = project.calls()
    assert project.run(*arguments) == undisturbed[0]
    assert project.calls() == before
    assert without_times(project.results()) == undisturbed[1]


def test_the_cache_of_a_killed_run_is_whole(project):
    child = project.start("--mlip", "slowly:slow")
    project.wait_for(child, 11)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with EnergyCache(project.folder / "cache") as cache:
        kept = cache.info().entries["slow"]
    done = sum(line.startswith("end") for line in project.calls())
    assert done - 1 <= kept <= done
