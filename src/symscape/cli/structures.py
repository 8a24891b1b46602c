"""Options and sentences of all commands that read a structure file."""

from __future__ import annotations

from typing import Annotated

import typer

from symscape.crystal.read import SYMPREC, CrystalFile, ReadOptions
from symscape.errors import SymscapeError

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
MaxSize = Annotated[
    float, typer.Option(help="Largest size of a structure file, decompressed, in MB.")
]


def read_options(block: str, elements: str, max_size: float) -> ReadOptions:
    """Return what the options say of reading."""
    return ReadOptions(block, tuple(filter(None, elements.replace(",", " ").split())), max_size)


def check_symprec(symprec: float | None) -> None:
    """Refuse what is no distance."""
    if symprec is not None and not 0 < symprec < float("inf"):
        raise SymscapeError(f"--symprec {symprec:g} is not a distance; give angstrom above zero.")


def say_notices(content: CrystalFile) -> None:
    """Print what the user should know of a structure file, each once, on stderr."""
    for notice in content.notices:
        typer.echo(f"note: {notice}", err=True)
