"""What the commands that compute references have in common: command lines and interruptions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from symscape.progress import say


def command_line() -> str:
    """Return the command line for the provenance, without this machine's paths."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return " ".join(["symscape", *words])


@contextmanager
def resumable(kept: str = "in the journal") -> Iterator[None]:
    """Say on an interruption that nothing is lost, and exit with 130.

    Parameters
    ----------
    kept
        Where finished points are.
    """
    try:
        yield
    except KeyboardInterrupt:
        say(f"stopped; finished points are {kept}, and the same command goes on from there")
        raise typer.Exit(130) from None
