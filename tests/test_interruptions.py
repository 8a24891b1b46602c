"""Runs that are stopped at any moment go on where they were; nothing is left half written."""

from __future__ import annotations

import copy
import gc
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from inprocess import import_lazy_modules, without_figures
from report_runs import mixed_run
from toys import toy_document

from symscape.models.cache import EnergyCache
from symscape.references.store import write_reference
from symscape.results.run_results import load_results, save_results

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")

#: says of every structure when it begins and when it is done
CALCULATORS = """
import hashlib, os, time
import numpy as np
from ase.calculators.emt import EMT

LOG = "calls.log"


def note(word, atoms):
    name = hashlib.sha256(np.round(atoms.positions, 9).tobytes() + atoms.cell.tobytes()).hexdigest()
    file = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{word} {name[:16]}\\n".encode())
    os.close(file)


class Slow(EMT):
    def calculate(self, atoms=None, *args, **kwargs):
        note("begin", atoms)
        time.sleep(0.01)
        super().calculate(atoms, *args, **kwargs)
        note("end", atoms)


def slow():
    with open("pids.txt", "a") as file:
        file.write(f"{os.getpid()}\\n")
    return Slow()


slow.fingerprint = "slow"


def exact():
    return EMT()


class Nan(EMT):
    def calculate(self, atoms=None, *args, **kwargs):
        super().calculate(atoms, *args, **kwargs)
        self.results["energy"] = np.nan


def nan():
    return Nan()


class Raising(EMT):
    def calculate(self, *args, **kwargs):
        raise RuntimeError("this network has no weights")


def raising():
    return Raising()


class Garbling(EMT):
    def calculate(self, *args, **kwargs):
        # a lone surrogate, which UTF-8 can't hold, and a control sequence of terminals
        raise RuntimeError("weights " + chr(0xDCFF) + chr(27) + "[31m are torn")


def garbling():
    return Garbling()


class Greedy(EMT):
    def calculate(self, *args, **kwargs):
        raise MemoryError("Unable to allocate 9 TiB")


def greedy():
    return Greedy()


class Leaving(EMT):
    def calculate(self, *args, **kwargs):
        raise SystemExit("licence server is down")


def leaving():
    return Leaving()


class Dying(EMT):
    def calculate(self, *args, **kwargs):
        os.kill(os.getpid(), 9)


def dying():
    return Dying()


class Hanging(EMT):
    def calculate(self, *args, **kwargs):
        time.sleep(3600)


def hanging():
    return Hanging()


def lacking():
    import a_package_that_is_not_there
"""

SUITE = """
import pytest


@pytest.mark.landscape("energies")
def test_energies(landscape, verdict):
    verdict(landscape.judge())


@pytest.mark.landscape("minima")
def test_minima(landscape, verdict):
    verdict(landscape.judge())
"""


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory, toy_reference):
    """Import before the first fork what a run needs."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_figures(monkeypatch)
        import_lazy_modules(tmp_path_factory.mktemp("lazy"), toy_reference)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Two references, on nine points and on sixteen, four of which they share."""
    folder = tmp_path_factory.mktemp("library")
    for material, points in (("AlCu-Cmcm", 3), ("CuAl-Cmcm", 4)):
        write_reference(folder, toy_document(material, points=points))
    return folder


class Project:
    """A project of its own, and runs of it in forked processes."""

    def __init__(self, folder: Path, library: Path):
        self.folder = folder
        self.log = folder / "calls.log"
        (folder / "benchmarks").mkdir(parents=True)
        (folder / "benchmarks" / "test_all.py").write_text(SUITE)
        (folder / "slowly.py").write_text(CALCULATORS)
        (folder / "references").symlink_to(library)

    def start(self, *arguments: str, before: Callable[[], None] | None = None) -> int:
        """Begin a run and return its process id."""
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        code = 70
        # an interrupt that arrives within a callback of the collector is dropped by Python;
        # hypothesis leaves one behind in the process that was forked, and a real run has none
        gc.callbacks.clear()
        try:
            os.chdir(self.folder)
            output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(output, 1)
            os.dup2(output, 2)
            sys.stdout = sys.stderr = os.fdopen(os.dup(1), "w", buffering=1)
            sys.path.insert(0, str(self.folder))
            with pytest.MonkeyPatch.context() as monkeypatch:
                without_figures(monkeypatch)
                if before is not None:
                    before()
                fixed = ("-p", "no:cacheprovider", "--rootdir=.", "--cache-dir=cache")
                code = int(pytest.main([*fixed, *arguments, "benchmarks"]))
        except KeyboardInterrupt:
            # outside of pytest, before it begins or after it ends: as Python itself would end
            code = int(pytest.ExitCode.INTERRUPTED)
        finally:
            os._exit(code)

    def run(self, *arguments: str, before: Callable[[], None] | None = None) -> int:
        """Run to the end and return the exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.start(*arguments, before=before), 0)[1])

    def wait_for(self, child: int, lines: int) -> None:
        """Wait until the log has so many lines or the run is over."""
        while len(self.calls()) < lines:
            time.sleep(0.002)
            if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def results(self, model: str = "slow") -> dict[str, Any]:
        return json.loads((self.folder / "reports" / model / "results.json").read_text())

    def text(self, model: str, name: str) -> str:
        return (self.folder / "reports" / model / name).read_text()

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()


def without_times(results: dict[str, Any]) -> dict[str, Any]:
    """Results without what a clock put into them."""
    results = copy.deepcopy(results)
    for key in ("started", "wall_seconds"):
        del results[key]
    for case in results["cases"]:
        del case["seconds"]
    return results


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, library):
    """Results and log of a run that nobody stopped."""
    project = Project(tmp_path_factory.mktemp("undisturbed") / "project", library)
    code = project.run("--mlip", "slowly:slow")
    assert code in (0, 1), project.output
    calls = Counter(project.calls())
    assert max(calls.values()) == 1, "a structure was evaluated twice"
    return code, without_times(project.results()), len(project.calls())


@pytest.fixture
def project(tmp_path, library):
    return Project(tmp_path / "project", library)


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


# -- models that misbehave ------------------------------------------------------------------------

#: model -> what its report says
MISBEHAVIOUR = {
    "nan": "the model returned NaN or infinity",
    "raising": "this network has no weights",
    "garbling": "RuntimeError: weights ",
    "greedy": "out of memory",
    "leaving": "SystemExit: licence server is down",
    "lacking": "a_package_that_is_not_there",
}


def test_models_that_misbehave_spoil_only_their_own_cases(project):
    names = [*MISBEHAVIOUR, "exact"]
    code = project.run("--mlip", ",".join(f"slowly:{name}" for name in names))
    assert code == 1, project.output
    for model, reason in MISBEHAVIOUR.items():
        cases = project.results(model)["cases"]
        assert len(cases) == 4, project.output
        assert not [case for case in cases if case["status"] == "passed"], model
        for name in ("results.json", "index.html"):
            assert reason in project.text(model, name), (model, name)
    exact = project.results("exact")["cases"]
    assert {case["status"] for case in exact if case["question"] == "energies"} == {"passed"}
    assert not [case for case in exact if case["status"] == "error"]


def test_models_that_hang_or_kill_their_process_spoil_only_their_own_cases(project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(project.folder))
    arguments = ("--point-timeout", "1", "-k", "energies and AlCu")
    one = project.folder / "references" / "AlCu-Cmcm" / "Al_y-Cu_y.json"
    document = json.loads(one.read_text())
    del document["points"][2:]  # each costs a new process
    other = project.folder / "short"
    write_reference(other, document)
    models = "slowly:hanging,slowly:dying,slowly:exact"
    code = project.run("--mlip", models, "--references", "short", *arguments)
    assert code == 1, project.output
    for model, reason in {
        "hanging": "the model took longer than 1 s",
        "dying": "the process that ran the model died (exit code -9)",
    }.items():
        (case,) = project.results(model)["cases"]
        assert case["status"] in ("failed", "error")
        assert reason in project.text(model, "results.json")
        assert reason in project.text(model, "index.html")
    (case,) = project.results("exact")["cases"]
    assert not case["detail"].get("failed_points")


def test_the_cache_of_a_killed_run_is_whole(project):
    child = project.start("--mlip", "slowly:slow")
    project.wait_for(child, 11)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with EnergyCache(project.folder / "cache") as cache:
        kept = cache.info().entries["slow"]
    done = sum(line.startswith("end") for line in project.calls())
    assert done - 1 <= kept <= done
