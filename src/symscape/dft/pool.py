"""Worker processes: started, fed, timed, and replaced when they die."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from symscape.decode import Finite, decode, encode
from symscape.dft.results import Computed, Failure, Readiness, Result, Task, WorkerSetup
from symscape.errors import EngineError
from symscape.references.method import Method

#: one result is one line; forces of some ten thousand atoms fit
_LONGEST_LINE = 2**24
Item = TypeVar("Item")
#: how long an engine may take to import itself, seconds
_START_TIMEOUT_S = 300.0


class TaskSource(Protocol):
    """Where the workers get their tasks from, and where they deliver."""

    def next_task(self, worker: int) -> Task | None:
        """Return the next task of a worker, None if there is nothing left for it."""

    def deliver(self, worker: int, task: Task, result: Result) -> None:
        """Take a result."""


#: what asking a process raises that has ended
_GONE = (BrokenPipeError, ConnectionError, EOFError)


class Worker:
    """One worker process, started when it gets its first task."""

    def __init__(self, setup: WorkerSetup, number: int) -> None:
        self.setup = setup
        self.folder = Path(setup.folder) / f"worker-{number}"
        self.method: Method | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def compute(self, task: Task) -> Result:
        """Return the result of a task; a dead or silent process is a failed task.

        Raises
        ------
        EngineError
            If the engine can't be loaded.
        """
        try:
            if self._process is None:
                await self._start()
            answer = await self._ask(task, self.setup.settings.timeout_s)
        except TimeoutError:
            await self.stop()
            limit = self.setup.settings.timeout_s
            return Failure(failed=f"no result after {limit:g} s", seconds=Finite(limit))
        except _GONE:
            return Failure(failed=await self._how_it_ended(), died=True)
        result: Result = decode(Failure if "failed" in answer else Computed, answer, "")
        return result

    async def ready(self) -> Method:
        """Start the process, unless it runs, and return how it computes.

        Raises
        ------
        EngineError
            If the engine can't be loaded, or the process ends or is silent.
        """
        try:
            if self._process is None:
                await self._start()
        except TimeoutError:
            await self.stop()
            raise EngineError(
                f"the engine was not loaded after {_START_TIMEOUT_S:g} s; see {self._logs}."
            ) from None
        except _GONE:
            ended = await self._how_it_ended()
            raise EngineError(f"{ended} before it was ready; see {self._logs}.") from None
        assert self.method is not None
        return self.method

    @property
    def _logs(self) -> str:
        return f"the logs in {self.folder.parent.parent.name}"

    async def _how_it_ended(self) -> str:
        """Clear away a process that is gone, and say what became of it."""
        code = await self.stop()
        if code < 0:
            return f"the worker was killed by signal {-code}"
        return f"the worker ended with exit status {code}"

    async def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        one_thread = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
        )
        with (self.folder / "stderr.txt").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "symscape.dft.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **one_thread},
                limit=_LONGEST_LINE,
                start_new_session=True,  # Ctrl-C reaches the parent, which then ends its workers
            )
        setup = replace(self.setup, folder=str(self.folder))
        answer = await self._ask(setup, _START_TIMEOUT_S)
        ready: Readiness = decode(Readiness, answer, "", closed=True)
        if ready.fatal:
            await self.stop()
            raise EngineError(ready.fatal)
        self.method = ready.method

    async def _ask(self, message: Task | WorkerSetup, timeout_s: float) -> Any:
        """Return what a worker answers, as JSON has it."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(encode(message)).encode() + b"\n")
        await process.stdin.drain()
        line = await asyncio.wait_for(process.stdout.readline(), timeout_s)
        if not line.endswith(b"\n"):
            raise EOFError
        return json.loads(line)

    async def stop(self) -> int:
        """End the process and all it started; return its exit status, 0 if there was none."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.stdout is not None and process.stdout.at_eof():
            with contextlib.suppress(TimeoutError):  # it is dying: let it tell how
                await asyncio.wait_for(process.wait(), 5.0)
        if process.returncode is None:
            # the session holds programs that a calculator may have started as well
            with contextlib.suppress(ProcessLookupError):
                if sys.platform == "win32":  # it knows no sessions
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
        return await process.wait()


async def run_pool(
    source: TaskSource,
    setup: WorkerSetup,
    jobs: int,
    on_method: Callable[[Method], None] | None = None,
) -> None:
    """Let ``jobs`` workers compute all tasks of a source.

    Parameters
    ----------
    source
        Gives tasks and takes results; called from one thread only.
    setup
        What the workers are started with.
    jobs
        Number of worker processes.
    on_method
        Called once, before the first result, with the engine's description of itself.

    Raises
    ------
    EngineError
        If the engine can't be loaded; from ``source.deliver`` whatever it raises.
    """
    told = False

    async def serve(number: int) -> None:
        nonlocal told
        worker = Worker(setup, number)
        try:
            while (task := source.next_task(number)) is not None:
                result = await worker.compute(task)
                if on_method is not None and not told and worker.method:
                    told = True
                    on_method(worker.method)
                source.deliver(number, task, result)
        finally:
            await worker.stop()

    workers = [asyncio.create_task(serve(number)) for number in range(jobs)]
    loop = asyncio.get_running_loop()
    current = asyncio.current_task()
    assert current is not None
    # outside the main thread signals are not ours to handle
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, current.cancel)
    try:
        await asyncio.gather(*workers)
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGTERM)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def in_threads(items: Iterable[Item], work: Callable[[Item], None], jobs: int) -> None:
    """Let ``jobs`` threads work through a list; the first error ends them and is raised.

    Parameters
    ----------
    items
        Each is worked on once, begun in this order.
    work
        Called from any of the threads; it may wait for a worker process of its own.
    jobs
        Number of threads.
    """
    waiting, lock = deque(items), threading.Lock()
    broken: list[BaseException] = []

    def serve() -> None:
        while not broken:
            with lock:
                if not waiting:
                    return
                item = waiting.popleft()
            try:
                work(item)
            except BaseException as error:  # raised again by the main thread
                broken.append(error)

    # daemons: an interrupted run ends at once, and its workers with it
    threads = [threading.Thread(target=serve, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)
    if broken:
        raise broken[0]
