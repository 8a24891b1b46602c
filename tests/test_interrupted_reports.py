"""Kills and full disks while reports and caches are written."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from interrupted_project import imported as imported
from interrupted_project import library as library
from interrupted_project import project as project
from interrupted_project import undisturbed as undisturbed
from report_runs import mixed_run

from symscape.results.files import load_results, save_results

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")


# -- results.json ---------------------------------------------------------------------------------


def forked(action: Callable[[], None]) -> int:
    """Do something in a process of its own; 70 if it raises."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        action()
        code = 0
    finally:
        os._exit(code)


def test_a_kill_while_results_are_written_leaves_a_whole_file(tmp_path):
    run = mixed_run()
    texts = []
    for name in ("first", "second"):
        path = tmp_path / "results.json"
        save_results(path, _named(run, name))
        texts.append(path.read_text())

    def write_for_ever() -> None:
        while True:
            for name in ("first", "second"):
                save_results(path, _named(run, name))

    chance = random.Random(7)
    seen = set()
    for _ in range(12):
        child = forked(write_for_ever)
        time.sleep(chance.uniform(0.01, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert path.read_text() in texts
        seen.add(load_results(path).tolerances)
    assert seen <= {"first", "second"}


def temporary(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".tmp"))


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / "results.json"
    others = [".results.json.backup", ".other.json.0123.tmp", "results.json.tmp"]
    for name in others:
        (tmp_path / name).write_text("not ours")

    def die_while_writing() -> None:
        os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
        save_results(path, mixed_run())

    for _ in range(2):
        child = forked(die_while_writing)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        # the second one has removed what the first one left
        (left,) = set(temporary(tmp_path)) - set(others)
        assert left.startswith(".results.json.")
    save_results(path, mixed_run())
    assert temporary(tmp_path) == sorted(name for name in others if name.endswith(".tmp"))
    assert all((tmp_path / name).exists() for name in others)
    load_results(path)


def test_what_a_living_writer_is_at_is_left_alone(tmp_path):
    path = tmp_path / "results.json"
    ready, go_on = os.pipe(), os.pipe()

    def write_with_a_pause() -> None:
        def pause(file: int) -> None:
            os.write(ready[1], b"x")
            os.read(go_on[0], 1)

        os.fsync = pause
        save_results(path, _named(mixed_run(), "slow writer"))

    child = forked(write_with_a_pause)
    os.read(ready[0], 1)
    at_work = temporary(tmp_path)
    assert len(at_work) == 1
    save_results(path, _named(mixed_run(), "quick writer"))
    assert temporary(tmp_path) == at_work
    assert load_results(path).tolerances == "quick writer"
    os.write(go_on[1], b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert load_results(path).tolerances == "slow writer"
    assert temporary(tmp_path) == []
    for end in (*ready, *go_on):
        os.close(end)


def _named(run: Any, name: str) -> Any:
    from dataclasses import replace

    return replace(run, tolerances=name)


def limit_files(size: int) -> None:
    """Let no file grow beyond a size: for a process that is what a full disk is."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_leaves_the_old_results(tmp_path):
    path = save_results(tmp_path / "results.json", mixed_run())
    before = path.read_bytes()

    def write() -> None:
        limit_files(len(before) // 2)
        try:
            save_results(path, _named(mixed_run(), "new"))
        except OSError:
            os._exit(28)

    code = os.waitstatus_to_exitcode(os.waitpid(forked(write), 0)[1])
    assert code == 28
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_a_full_disk_fails_the_run_with_a_sentence_and_keeps_the_old_report(project, undisturbed):
    arguments = ("--mlip", "slowly:slow")
    project.run(*arguments)
    before = project.text("slow", "results.json")
    (project.folder / "output.txt").unlink()
    code = project.run(*arguments, before=lambda: limit_files(4096))
    assert code == 1
    # kept, but under a name that nobody takes for this run's
    assert project.text("slow", "results.previous.json") == before
    assert not (project.folder / "reports" / "slow" / "results.json").exists()
    assert "the report of slow can't be written: [Errno 27] File too large" in project.output
    assert "Traceback" not in project.output
    left = [p.name for p in (project.folder / "reports" / "slow").iterdir()]
    assert not [name for name in left if name.endswith(".tmp")]


def test_a_cache_that_can_not_grow_is_done_without(project):
    def nearly_full() -> None:
        # the log of the calls stays below this, the cache's file does not
        limit_files(4000)

    code = project.run("--mlip", "slowly:slow", before=nearly_full)
    assert code == 1
    assert "energies are not kept in this run" in project.output.replace("\n", " ")
