"""A progress bar with an estimate, silent where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: called with crystals done before, now, and in all
Progress = Callable[[int, int, int], None]


@contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    """Give a callback that keeps a bar on the terminal; None where stderr is none."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(
        TextColumn(title),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%, {task.completed:.0f} crystals, {task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(title, total=None, left="")
    begin = time.monotonic()

    def show(before: int, done: int, total: int) -> None:
        left = time_left(time.monotonic() - begin, done - before, total - done)
        bar.update(task, completed=done, total=total, left=left)

    with bar:
        yield show


def time_left(seconds: float, done: int, left: int) -> str:
    """Estimate how long the rest takes, from what was done in some seconds."""
    if done <= 0:
        return "no estimate yet"
    return f"{duration(seconds / done * left)} left"


def duration(seconds: float) -> str:
    """Write a time as people say it: ``45 s``, ``12 min``, ``3.5 h``, ``2.1 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
