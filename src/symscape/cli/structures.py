"""Options and sentences of all commands that read a structure file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from symscape.crystal.read import SYMPREC, ReadOptions
from symscape.errors import SymscapeError
from symscape.progress import on_stderr

#: a search that is done sooner shows nothing, seconds
_PATIENCE = 1.0

Symprec = Annotated[
    float | None,
    typer.Option(
        help="Distance tolerance of the symmetry search in angstrom; "
        f"{SYMPREC:g}, or another that fits if that does not."
    ),
]
Block = Annotated[
    str, typer.Option(help="Data block of a CIF with several; the last one with a crystal if none.")
]
Elements = Annotated[
    str, typer.Option(help="Symbols for a POSCAR without any, in its order: Si,C.")
]
Axes = Annotated[
    str,
    typer.Option(help="Free coordinates or lattice parameters to pair: O_z,c/a; a choice if none."),
]
Subgroup = Annotated[
    str,
    typer.Option(help="Subgroup in which atoms may move: P4mm of a cubic perovskite, I4/mcm."),
]
MaxSize = Annotated[
    float, typer.Option(help="Largest size of a structure file, decompressed, in MB.")
]


def reading_options(block: str, elements: str, max_size: float) -> ReadOptions:
    """Return what the options say of reading."""
    return ReadOptions(block, split_names(elements), max_size)


def split_names(names: str) -> tuple[str, ...]:
    """Return the names of a list with commas or spaces."""
    return tuple(names.replace(",", " ").split())


def check_symprec(symprec: float | None) -> None:
    """Refuse what is no distance."""
    if symprec is not None and not 0 < symprec < float("inf"):
        raise SymscapeError(f"--symprec {symprec:g} is not a distance; give angstrom above zero.")


def say_notices(notices: Iterable[str]) -> None:
    """Print what the user should know, on stderr."""
    for notice in notices:
        typer.echo(f"note: {notice}", err=True)


@contextmanager
def survey_progress() -> Iterator[Callable[[int, int], None]]:
    """Yield what shows how far a search for slices is."""
    progress = on_stderr(_PATIENCE)
    with progress.task("proposing slices"):
        yield progress.update
