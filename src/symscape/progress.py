"""How far a long computation is: rich's bar on a terminal or in a notebook, elsewhere lines.

One class for the suite, DFT, data sets and runs on them, and for what a notebook calls.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import copy_context
from importlib.util import find_spec
from threading import RLock, Timer
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID

#: without a terminal a line is written at most this often, seconds
LINE_EVERY_S = 30.0
#: a bar is drawn at most this often, seconds
_DRAW_EVERY_S = 0.1
#: what a notebook is done with sooner shows nothing, seconds
_NOTEBOOK_PATIENCE_S = 2.0
#: the estimate is made from as many of the steps finished last
_STEPS = 30


class Progress:
    """Tells how far a task is and when it will be finished.

    Parameters
    ----------
    write
        Takes one line of text, where there is no bar and for what is given up.
    file
        The terminal that a bar is drawn on; None for lines, unless ``notebook`` says otherwise.
    notebook
        Whether a bar is drawn below the notebook's cell.
    line_every_s
        Seconds between lines.
    patience_s
        A task that is done sooner shows nothing, seconds.
    around
        Makes a context for every output, such as one that lets it past a capture.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        file: IO[str] | None = None,
        notebook: bool = False,
        line_every_s: float = LINE_EVERY_S,
        patience_s: float = 0.0,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.write = write
        self.line_every_s = line_every_s
        self.patience_s = patience_s
        self._file, self._notebook, self._around = file, notebook, around
        self._draws = notebook or file is not None
        self._name = self._unit = ""
        self._done = self._total = 0
        self._workers = 1
        self._times: deque[float] = deque(maxlen=_STEPS)
        self._began = self._shown = self._stepped = 0.0
        self._bar: tuple[RichBar, TaskID] | None = None
        # a bar is drawn by steps and, in a notebook, by a timer
        self._drawing, self._runs = RLock(), False

    @contextmanager
    def task(
        self,
        name: str,
        total: int = 0,
        workers: int = 1,
        seconds: float | None = None,
        *,
        unit: str = "",
    ) -> Iterator[None]:
        """Report on a task while the context lasts.

        Parameters
        ----------
        name
            What is computed.
        total
            Number of steps; 0 while that is not known.
        workers
            How many steps are made at a time.
        seconds
            What a step took so far, if known.
        unit
            What a step is, in the plural.
        """
        self._name, self._unit, self._total, self._workers = name, unit, total, workers
        self._done = 0
        self._times.clear()
        if seconds is not None:
            self._times.append(seconds)
        self._began = self._stepped = time.monotonic()
        # the first line comes after its interval, a bar at once
        self._shown = 0.0 if self._draws else self._began
        self._runs = True
        timer = self._timer()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            self._close()

    def advance(self, seconds: float) -> None:
        """Count one finished step that took ``seconds``."""
        self._times.append(seconds)
        self._done += 1
        self._show()

    def update(self, done: int, total: int, before: int = 0) -> None:
        """Say how many steps are done, ``before`` of them by an earlier run, and in all."""
        now = time.monotonic()
        if done > self._done and done > before:
            self._times.append((now - self._stepped) / (done - max(self._done, before)))
            self._stepped = now
        self._done, self._total = done, total
        self._show()

    def fail(self, message: str) -> None:
        """Count one step that was given up, and say so."""
        if self._bar is not None:
            self._bar[0].console.print(f"{self._name}: {message}")
        else:
            self.write(f"{self._name}: {message}")
        self._done += 1
        self._show()

    def estimate(self) -> str:
        """Return the time left, from the steps finished last."""
        if not self._times or not self._total:
            return "time left unknown"
        mean = sum(self._times) / len(self._times)
        return f"{duration((self._total - self._done) * mean / self._workers)} left"

    @property
    def text(self) -> str:
        """``41/1681 structures, 12 s left``; without a total ``41 structures``."""
        unit = f" {self._unit}" if self._unit else ""
        if not self._total:
            return f"{self._done}{unit}"
        return f"{self._done}/{self._total}{unit}, {self.estimate()}"

    def _timer(self) -> Timer | None:
        """Start what draws a notebook's bar when patience ends.

        Steps alone would not do: a task of one or two batches has its last one when it is done.
        """
        if not self._notebook:
            return None
        # what is shown belongs to the cell that runs now, which is a context variable
        timer = Timer(self.patience_s, copy_context().run, args=[self._show, True])
        timer.daemon = True
        timer.start()
        return timer

    def _show(self, due: bool = False) -> None:
        """Draw or write; unless that is ``due``, only if patience and interval are over."""
        with self._drawing:
            now = time.monotonic()
            wait = _DRAW_EVERY_S if self._draws else self.line_every_s
            early = now - self._began < self.patience_s or now - self._shown < wait
            if not self._runs or (early and not due):
                return
            self._shown = now
            with self._around():
                if self._draws:
                    self._draw()
                else:
                    self.write(f"{self._name}: {self.text}")

    def _console(self) -> Console:
        from rich.console import Console

        if self._notebook:
            return Console(force_jupyter=True)
        return Console(file=self._file, force_terminal=True)

    def _draw(self) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichBar

        if self._bar is None:
            # no thread of rich's own: it might write while output is captured
            name, text = TextColumn("{task.description}"), TextColumn("{task.fields[text]}")
            bar = RichBar(
                name, BarColumn(), text, console=self._console(), transient=True, auto_refresh=False
            )
            bar.start()
            self._bar = bar, bar.add_task(self._name, total=self._total or None, text="")
        bar, task = self._bar
        bar.update(task, completed=self._done, total=self._total or None, text=self.text)
        bar.refresh()

    def _close(self) -> None:
        with self._drawing:
            self._runs = False
            if self._bar is not None:
                with self._around():
                    self._bar[0].stop()
                self._bar = None


def on_stderr(patience_s: float = 0.0) -> Progress:
    """Return a progress on stderr: a bar on a terminal or in a notebook, else lines."""
    if sys.stderr.isatty():
        return Progress(say, file=sys.stderr, patience_s=patience_s)
    return Progress(say, notebook=in_notebook() and _has_widgets(), patience_s=patience_s)


@contextmanager
def shown_in_notebook(
    name: str, unit: str, total: int = 0
) -> Iterator[Callable[[int, int], None] | None]:
    """Give a callback (done, total) that shows in a notebook how far a function is.

    Parameters
    ----------
    name
        What is computed.
    unit
        What a step is, in the plural.
    total
        Number of steps; 0 while that is not known.

    Yields
    ------
    callable or None
        None in a script, which prints what it chooses to.
    """
    if not in_notebook():
        yield None
        return
    progress = on_stderr(_NOTEBOOK_PATIENCE_S)
    with progress.task(name, total, unit=unit):
        yield progress.update


def in_notebook() -> bool:
    """Return whether a notebook runs this, as rich recognizes it: Jupyter, Colab, Databricks."""
    # a script needn't wait until rich is imported
    if "IPython" not in sys.modules:
        return False
    from rich.console import Console

    return Console().is_jupyter


def _has_widgets() -> bool:
    """Return whether a notebook can draw rich's bar, which is a widget of ipywidgets."""
    return find_spec("ipywidgets") is not None


def quiet() -> Progress:
    """Return a progress that tells nobody."""
    return Progress(lambda line: None)


def say(text: str) -> None:
    """Write a line to stderr at once."""
    print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Write a time as people say it: ``45 s``, ``12 min``, ``3.5 h``, ``2.1 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
