"""What the commands that compute references have in common: lines on stderr and interruptions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from symscape.dft.progress import Progress


def say(text: str) -> None:
    """Write a line to stderr at once."""
    print(text, file=sys.stderr, flush=True)


def say_progress() -> Progress:
    """Return a progress on stderr: a bar on a terminal, else a line now and then."""
    from symscape.dft.progress import Progress

    return Progress(say, bar=sys.stderr.isatty())


def command_line() -> str:
    """Return the command line for the provenance, without this machine's paths."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return " ".join(["symscape", *words])


@contextmanager
def resumable() -> Iterator[None]:
    """Say on an interruption that nothing is lost, and exit with 130."""
    try:
        yield
    except KeyboardInterrupt:
        say("stopped; finished points are in the journal, and the same command goes on from there")
        raise typer.Exit(130) from None
