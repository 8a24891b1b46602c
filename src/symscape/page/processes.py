"""Several processes for work that takes long, one where starting them would take longer."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")
R = TypeVar("R")

#: fewer things are done here: a process takes two to four seconds to start
FEWEST = 6


def do_all(
    work: Callable[[T], R],
    things: Sequence[T],
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[R]:
    """Do the same with many things, and return what comes of each.

    Parameters
    ----------
    work
        What is done; with several processes it and the things must survive pickling.
    things
        In any number.
    jobs
        Processes. More than one need a main module that can be imported (pytest's can).
    progress
        Called with (done, in all).

    Notes
    -----
    What a process that died (for lack of memory, say) left undone is done here.
    """
    made: dict[int, R] = {}

    def end(k: int, result: R) -> None:
        made[k] = result
        if progress is not None:
            progress(len(made), len(things))

    if jobs > 1 and len(things) >= FEWEST:
        _in_processes(work, things, min(jobs, len(things)), end)
    for k, thing in enumerate(things):
        if k not in made:
            end(k, work(thing))
    return [made[k] for k in range(len(things))]


def background(nice: int) -> Executor:
    """Return one process that does what it is given while this one computes.

    It is started with the first thing to do. An interruption is this process's business alone.

    Parameters
    ----------
    nice
        By how much it yields to others, where the system knows such a thing.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(1, get_context("spawn"), _yield_to_others, (nice,))


def _yield_to_others(nice: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(nice)


def _in_processes(
    work: Callable[[T], R], things: Sequence[T], jobs: int, end: Callable[[int, R], None]
) -> None:
    """Do as many as processes live to do."""
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    # forked copies of a process with threads may wait for ever
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        places = {pool.submit(work, thing): k for k, thing in enumerate(things)}
        try:
            for future in as_completed(places):
                end(places[future], future.result())
        except BrokenExecutor:
            return
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
