"""How many threads torch computes with: by the size of a batch, and by who else is there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

#: atoms in a batch up to which one thread is fastest: the others would spend their time waiting
SINGLE = 24


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
        How many of them others keep busy, as the load average says.
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
    named = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if named.isdecimal() and int(named):
        return int(named)
    if workers is None:
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return share(cores(), _load(), workers)


@cache
def _load() -> float:
    """Return the load average of the last minute, once: a run must not change its mind."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # not on Windows
        return 0.0


@contextmanager
def threads_for(n_atoms: int) -> Iterator[None]:
    """Let torch compute a batch of so many atoms with as many threads as make it fastest.

    What the process had, or the user has set with ``torch.set_num_threads``, is the upper limit and
    is put back. Without torch in the process nothing is done, and nothing is imported.
    """
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "set_num_threads"):
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


def describe_threads(workers: int) -> str:
    """Return what results say about threads, such as ``2, 1 up to 24 atoms a batch``."""
    most = most_threads(workers)
    return "1" if most == 1 else f"{most}, 1 up to {SINGLE} atoms a batch"
