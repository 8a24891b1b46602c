"""Where chunks are evaluated: in this process, in worker processes here, or on a dask cluster.

Tasks are submitted in a window that slides over the data set, so that neither the scheduler nor
this process ever holds more than a few chunks, whatever the data set's size.
"""

from __future__ import annotations

import logging
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from symscape.bulk.plan import Chunk
from symscape.errors import ScaleError

if TYPE_CHECKING:
    import pandas as pd

#: evaluates a chunk
Work = Callable[..., "pd.DataFrame"]
#: what is said of a crystal at which every process dies
FATAL = "the process that evaluated it died, several times"
#: chunks that are submitted for each thread of the cluster: one runs, one waits
_AHEAD = 2
#: a chunk whose workers die twice is tried in halves; workers that free memory late are not to be
#: paused, which could be for good
_LOCAL = {
    "distributed.scheduler.allowed-failures": 1,
    **{f"distributed.worker.memory.{name}": False for name in ("target", "spill", "pause")},
}


class Pool(Protocol):
    """Somewhere to evaluate chunks."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function gives where chunks are evaluated."""

    def evaluate(
        self, chunks: Iterator[Chunk], function: Work, *arguments: Any
    ) -> Iterator[tuple[Chunk, pd.DataFrame | None]]:
        """Yield each chunk with its table, in any order.

        None stands for the table of a chunk of one crystal that ends every process which
        evaluates it; larger chunks of that kind come in halves.
        """


class ThisProcess:
    """Evaluates one chunk after another, here; needs no dask."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it."""
        return function(*arguments)

    def evaluate(
        self, chunks: Iterator[Chunk], function: Work, *arguments: Any
    ) -> Iterator[tuple[Chunk, pd.DataFrame | None]]:
        """Yield each chunk with its table, in order."""
        for chunk in chunks:
            yield chunk, function(chunk, *arguments)


class DaskPool:
    """Evaluates chunks on a dask cluster.

    Parameters
    ----------
    client
        A ``distributed.Client`` of it.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it on a worker; waits for one."""
        return self.client.submit(function, *arguments, pure=False).result()

    def evaluate(
        self, chunks: Iterator[Chunk], function: Work, *arguments: Any
    ) -> Iterator[tuple[Chunk, pd.DataFrame | None]]:
        """Yield each chunk with its table, as they are done.

        dask gives the chunk of a worker that died to another one; when that has happened more often
        than ``distributed.scheduler.allowed-failures`` says, its halves are tried instead.

        Raises
        ------
        ScaleError
            If the scheduler is gone.
        """
        distributed = import_module("distributed")
        running: dict[Any, Chunk] = {}
        # dask suspects all tasks of a worker that died: single crystals get a trial alone
        suspects: list[Chunk] = []
        done = distributed.as_completed()

        def submit(chunk: Chunk) -> None:
            future = self.client.submit(function, chunk, *arguments, pure=False)
            running[future.key] = chunk
            done.add(future)

        trial = False
        while True:
            while not trial and len(running) < self._window():
                chunk = next(chunks, None)
                if chunk is None:
                    break
                submit(chunk)
            if not running:
                if not suspects:
                    return
                trial = True
                submit(suspects.pop())
            future = next(done)
            chunk = running.pop(future.key)
            table = None
            try:
                table = future.result()
            except distributed.KilledWorker:
                if chunk.crystals > 1:
                    for half in chunk.halves():
                        submit(half)
                    continue
                if not trial:
                    suspects.append(chunk)
                    continue
            except (OSError, TimeoutError, CancelledError) as error:
                if future.status == "error":  # the chunk's own
                    raise
                raise _scheduler_lost() from error
            yield chunk, table

    def _window(self) -> int:
        """Return how many chunks may be under way; workers come and go."""
        try:
            return _AHEAD * max(2, sum(self.client.nthreads().values()))
        except (OSError, TimeoutError) as error:
            raise _scheduler_lost() from error


def _scheduler_lost() -> ScaleError:
    return ScaleError(
        "the scheduler of the cluster is gone; start it and its workers, then the same command "
        "goes on where it stopped."
    )


@contextmanager
def local_pool(jobs: int) -> Iterator[Pool]:
    """Start worker processes on this machine, one thread each; 0: none, all in this process.

    Raises
    ------
    ScaleError
        If dask is not installed.
    """
    if not jobs:
        yield ThisProcess()
        return
    distributed = _distributed()
    dask = import_module("dask")
    with (
        tempfile.TemporaryDirectory(prefix="symscape-dask-") as folder,
        dask.config.set(_LOCAL),
        distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
            local_directory=folder,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield DaskPool(client)


@contextmanager
def cluster_pool(address: str) -> Iterator[Pool]:
    """Connect to a dask cluster that runs already.

    Parameters
    ----------
    address
        Of its scheduler, ``tcp://host:8786``, or a file that the scheduler wrote with
        ``--scheduler-file``.

    Raises
    ------
    ScaleError
        If there is none, or dask is not installed.
    """
    distributed = _distributed()
    try:
        if ":" in address:
            client = distributed.Client(address)
        elif Path(address).is_file():  # dask waits for one that is not there
            client = distributed.Client(scheduler_file=address)
        else:
            raise FileNotFoundError(address)
    except (OSError, ValueError, TimeoutError) as error:
        raise ScaleError(
            f"there is no dask scheduler at {address}; start one with 'dask scheduler', or check "
            "the address."
        ) from error
    with client:
        yield DaskPool(client)


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise ScaleError(
            "runs in worker processes need dask.distributed, which is not installed; run 'pip "
            "install symscape[scale]', or take --jobs 0."
        ) from error


def assembled(
    pieces: Iterator[tuple[Chunk, pd.DataFrame]], totals: dict[int, int]
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Put the pieces of divided chunks together again, in the order of the data set.

    Parameters
    ----------
    pieces
        Chunks, or parts of some, with their tables.
    totals
        How many crystals a whole chunk has, by number; known before its first piece comes.
    """
    import pandas as pd

    parts: dict[int, list[pd.DataFrame]] = defaultdict(list)
    for chunk, table in pieces:
        own = parts[chunk.number]
        own.append(table)
        if sum(map(len, own)) == totals[chunk.number]:
            whole = pd.concat(parts.pop(chunk.number)) if len(own) > 1 else own[0]
            yield chunk.number, whole.sort_values("row", ignore_index=True)
