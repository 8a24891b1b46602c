"""An interrupt that pytest can describe, wherever it arrived."""

from __future__ import annotations

from traceback import walk_tb


def with_lines(interrupt: KeyboardInterrupt) -> KeyboardInterrupt:
    """Take an interrupt's way through the code off it, where a step of that is on no line.

    Python lets an interrupt arrive at the jump back of a loop, which may stand on no line of the
    source; `ExceptionInfo.getrepr` of pytest then raises a TypeError in place of ending the session
    with the exit code of an interrupt.
    """
    # typed as int, but None is what it then is
    if any(line is None for _, line in walk_tb(interrupt.__traceback__)):
        return interrupt.with_traceback(None)
    return interrupt
