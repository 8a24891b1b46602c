"""A progress line on long evaluations, without getting in the way of pytest's own output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

#: an evaluation that is done sooner shows nothing, seconds
_PATIENCE = 2.0
#: between two lines where the output is not a terminal, seconds
_LOG_INTERVAL = 30.0


@contextmanager
def progress_line(config: pytest.Config, title: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a callback (done, total) that keeps one line up to date on a terminal.

    Where the output is no terminal, a long evaluation prints a line every half minute. Workers of
    pytest-xdist have no terminal and print nothing, as does ``-q``.
    """
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is None or capture is None or config.getoption("verbose") < 0:
        yield None
        return
    begin = time.monotonic()
    live = bool(reporter.isatty)
    shown = begin if not live else begin - _LOG_INTERVAL
    width = 0

    def show(done: int, total: int) -> None:
        nonlocal shown, width
        now = time.monotonic()
        wait = 0.2 if live else _LOG_INTERVAL
        if now - begin < _PATIENCE or now - shown < wait or done == 0:
            return
        shown = now
        left = (now - begin) / done * (total - done)
        text = f"{title}: {done}/{total} structures, {left:.0f} s left"
        with capture.global_and_fixture_disabled():
            if live:
                reporter.rewrite(text, erase=True)
                width = len(text)
            else:
                reporter.write_line(text)

    yield show
    if width:
        with capture.global_and_fixture_disabled():
            reporter.rewrite("", erase=True)
