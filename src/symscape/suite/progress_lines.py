"""Progress of the suite, without getting in the way of pytest's own output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from symscape.progress import Progress

#: an evaluation that is done sooner shows nothing, seconds
_PATIENCE = 2.0


def announce(config: pytest.Config, text: str) -> None:
    """Say at once what a run is about to do, on a line of its own, where `progress_line` speaks."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is None or capture is None or config.getoption("verbose") < 0:
        return
    with capture.global_and_fixture_disabled():
        reporter.ensure_newline()
        reporter.write_line(text)


@contextmanager
def progress_line(
    config: pytest.Config, title: str, unit: str = "structures"
) -> Iterator[Callable[[int, int], None] | None]:
    """Give a callback (done, total) that tells how many structures, or of another unit, are done.

    Workers of pytest-xdist have no terminal and print nothing, as does ``-q``.
    """
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is None or capture is None or config.getoption("verbose") < 0:
        yield None
        return
    progress = Progress(
        reporter.write_line,
        # pytest's own writer, whose file stays the terminal while tests are captured
        file=reporter._tw._file if reporter.isatty else None,
        patience_s=_PATIENCE,
        around=capture.global_and_fixture_disabled,
    )
    with progress.task(title, unit=unit):
        yield progress.update
