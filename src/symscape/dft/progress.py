"""Progress of long computations: a bar with an estimate, or a line now and then."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: without a terminal a line is written at most this often, seconds
LINE_EVERY_S = 300.0


class Progress:
    """Tells how far a plan is and when it will be finished.

    Parameters
    ----------
    write
        Takes one line of text.
    bar
        Whether to draw a bar; where nobody looks, a line now and then is enough.
    line_every_s
        Seconds between such lines.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        bar: bool = False,
        line_every_s: float = LINE_EVERY_S,
    ) -> None:
        self.write = write
        self.bar = bar
        self.line_every_s = line_every_s
        self._done = self._total = 0
        self._workers = 1
        self._name = ""
        self._times: deque[float] = deque(maxlen=30)
        self._last_line = 0.0
        self._rich: tuple[object, object] | None = None

    @contextmanager
    def task(
        self, name: str, total: int, workers: int = 1, seconds: float | None = None
    ) -> Iterator[None]:
        """Report on ``total`` points while the context lasts.

        Parameters
        ----------
        name
            What is computed.
        total
            Number of points.
        workers
            How many are computed at a time.
        seconds
            What a point took so far, if known.
        """
        self._name, self._total, self._workers, self._done = name, total, workers, 0
        self._times.clear()
        if seconds is not None:
            self._times.append(seconds)
        self._last_line = time.monotonic()
        if not self.bar:
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        with RichProgress(*columns, console=Console(file=sys.stderr)) as drawn:
            self._rich = (drawn, drawn.add_task(name, total=total, left=self.estimate()))
            try:
                yield
            finally:
                self._rich = None

    def advance(self, seconds: float) -> None:
        """Count one finished point that took ``seconds``."""
        self._times.append(seconds)
        self._step()

    def fail(self, message: str) -> None:
        """Count one point that was given up, and say so."""
        if self._rich is not None:
            self._rich[0].console.print(f"{self._name}: {message}")  # type: ignore[attr-defined]
        else:
            self.write(f"{self._name}: {message}")
        self._step()

    def _step(self) -> None:
        self._done += 1
        if self._rich is not None:
            drawn, task = self._rich
            drawn.update(task, advance=1, left=self.estimate())  # type: ignore[attr-defined]
        elif time.monotonic() - self._last_line >= self.line_every_s:
            self._last_line = time.monotonic()
            self.write(f"{self._name}: {self._done}/{self._total}, {self.estimate()}")

    def estimate(self) -> str:
        """Return the time left, from the points finished last."""
        if not self._times:
            return "time left unknown"
        mean = sum(self._times) / len(self._times)
        return f"{duration((self._total - self._done) * mean / self._workers)} left"


def quiet() -> Progress:
    """Return a progress that tells nobody."""
    return Progress(lambda line: None)


def duration(seconds: float) -> str:
    """Write a time as ``45 s``, ``12 min`` or ``3.4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
