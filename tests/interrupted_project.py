"""A project whose runs are killed, and the calculators that do it."""

from __future__ import annotations

import copy
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmark_text import benchmark
from inprocess import import_lazy_modules, without_figures
from toys import store, toy_document

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


class Spinning(EMT):
    def calculate(self, *args, **kwargs):
        note("begin", args[0])
        # Python hears of an interrupt at the jumps back, some of which stand on no line
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for number in bytes(1000):
                if number:
                    if number > 1:
                        number = 2


def spinning():
    return Spinning()


def lacking():
    import a_package_that_is_not_there
"""


SUITE = benchmark("energies", "minima")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Two references, on nine points and on sixteen, four of which they share."""
    folder = tmp_path_factory.mktemp("library")
    for material, points in (("AlCu-Cmcm", 3), ("CuAl-Cmcm", 4)):
        store(folder, toy_document(material, points=points))
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
        # what a shell starts in the background ignores interrupts, and hands that on
        signal.signal(signal.SIGINT, signal.default_int_handler)
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
        except BaseException:
            # said, for the caller only has the exit code otherwise
            traceback.print_exc()
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
    # how many cores were idle, and among how many workers they were shared
    results["versions"].pop("threads", None)
    for case in results["cases"]:
        del case["seconds"]
    return results


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory, toy_reference):
    """Import before the first fork what a run needs."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_figures(monkeypatch)
        import_lazy_modules(tmp_path_factory.mktemp("lazy"), toy_reference)


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
