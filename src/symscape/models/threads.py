"""How many threads compute: by the size of a batch, and by who else is there.

Threads within a batch wait for each other after every operation, of which a network has hundreds.
Threads that have a batch each do not, so that they come first where a model allows it (`lanes`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

#: atoms in a batch up to which one thread is fastest: the others would spend their time waiting
SINGLE = 24
#: batches under way at once, at most: Python hands out the operations of all of them in turn
MOST_LANES = 4
#: seconds over which the cores are watched
_WATCHED_s = 0.1


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share(n_cores: int, busy: float, workers: int) -> int:
    """Return how many threads each of several processes may have, one at least.

    Threads of one batch wait for each other at the end of every operation. One that has to share
    its core with another process holds all of them up, so that two threads on two busy cores are
    several times slower than one.

    Parameters
    ----------
    n_cores
        Cores in all.
    busy
        How many of them others keep busy.
    workers
        Processes of this run.
    """
    return max(1, (n_cores - int(busy)) // max(1, workers))


def most_threads(workers: int | None = None) -> int:
    """Return how many threads a large batch gets here.

    ``OMP_NUM_THREADS`` is the user's word; otherwise the cores that were idle when this was first
    asked, shared among the workers of pytest-xdist.

    Parameters
    ----------
    workers
        Processes of this run; None: as pytest-xdist tells its workers.
    """
    workers = _workers() if workers is None else workers
    return _named() or share(cores(), _load(), workers)


def lanes(workers: int | None = None) -> int:
    """Return how many batches may be computed at the same time, in a thread each.

    As many as there are cores for this process, busy or not, since none of these threads has to
    wait for another. ``OMP_NUM_THREADS`` and ``torch.set_num_threads`` are the user's word, and
    there are never more than ``MOST_LANES``.

    Parameters
    ----------
    workers
        As for `most_threads`.
    """
    workers = _workers() if workers is None else workers
    torch = _torch()
    most = MOST_LANES if torch is None else min(MOST_LANES, torch.get_num_threads())
    return min(most, _named() or share(cores(), 0, workers))


def _torch() -> Any:
    """Return torch if the process has it; nothing is imported."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "set_num_threads") else None


def _named() -> int:
    """Return the number of threads that the user has set, 0 for none."""
    named = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(named) if named.isdecimal() else 0


def _workers() -> int:
    """Return of how many processes this is one, as pytest-xdist tells its workers."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


@cache
def _load() -> float:
    """Return how many cores others keep busy, once: a run must not change its mind."""
    busy = busy_cores()
    if busy is not None:
        return busy
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # not on Windows
        return 0.0


def busy_cores(seconds: float = _WATCHED_s, path: str = "/proc/stat") -> float | None:
    """Return how many cores are busy now; None where the system does not say so in this file.

    The load average would say it of the last minute, in which this run itself was begun and what
    ran before it may have ended. The process watches without doing anything.

    Parameters
    ----------
    seconds
        How long it watches.
    path
        As Linux's ``/proc/stat``, whose first line counts hundredths of a second of all cores.
    """
    try:
        before = _busy_seconds(path)
        begin = time.perf_counter()
        time.sleep(seconds)
        return (_busy_seconds(path) - before) / (time.perf_counter() - begin)
    except (OSError, ValueError):
        return None


def _busy_seconds(path: str) -> float:
    """Return for how long cores have been busy, those taken by other virtual machines included."""
    if not hasattr(os, "sysconf"):
        raise OSError("the system does not say how long a tick is")
    with open(path, encoding="ascii") as file:
        name, *counts = file.readline().split()
    user, nice, system, _, _, irq, softirq, steal = map(int, counts[:8])
    if name != "cpu":
        raise ValueError(path)
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


@contextmanager
def executor(count: int) -> Iterator[Executor]:
    """Give what computes so many batches at once; one at a time it does so in the caller's thread.

    The threads share what torch may use in all: each has its part of `most_threads`.
    """
    if count <= 1:
        yield _Here()
        return
    torch = _torch()
    if torch is None:
        with ThreadPoolExecutor(count) as pool:
            yield pool
        return
    before = torch.get_num_threads()
    own = max(1, min(before, most_threads() // count))
    try:
        with ThreadPoolExecutor(count, "batch", torch.set_num_threads, (own,)) as pool:
            yield pool
    finally:
        # a number set in any thread is that of all threads to come
        torch.set_num_threads(before)


class _Here(Executor):
    """Does at once what it is given."""

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        """Return a future that is done; what was not an error of the work itself is raised."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def threads_for(n_atoms: int) -> Iterator[None]:
    """Let torch compute a batch of so many atoms with as many threads as make it fastest.

    What the process had, or the user has set with ``torch.set_num_threads``, is the upper limit and
    is put back. Without torch in the process nothing is done, and nothing is imported.
    """
    torch = _torch()
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    wanted = min(before, 1 if n_atoms <= SINGLE else most_threads())
    if wanted != before:
        torch.set_num_threads(wanted)
    try:
        yield
    finally:
        if wanted != before:
            torch.set_num_threads(before)


def describe_threads(workers: int, thread_safe: bool = False) -> str:
    """Return what results say about threads, such as ``2, 1 up to 24 atoms a batch``.

    Parameters
    ----------
    workers
        Processes of the run.
    thread_safe
        Whether the model is asked for several batches at the same time.
    """
    if thread_safe and (count := lanes(workers)) > 1:
        return f"{count} batches at once"
    most = most_threads(workers)
    return "1" if most == 1 else f"{most}, 1 up to {SINGLE} atoms a batch"
