"""Options and sentences of all commands that read a structure file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from symscape.crystal.read import SYMPREC, CrystalFile, ReadOptions, crystal_from_file
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


@dataclass(frozen=True)
class Reading:
    """How the options say that a structure file is read.

    Parameters
    ----------
    symprec
        Distance tolerance of the symmetry search in angstrom, None to choose it.
    options
        See `ReadOptions`.
    """

    symprec: float | None
    options: ReadOptions

    @classmethod
    def told(cls, symprec: float | None, block: str, elements: str, max_size: float) -> Reading:
        """Take over what was typed.

        Raises
        ------
        SymscapeError
            If the tolerance is no distance.
        """
        if symprec is not None and not 0 < symprec < float("inf"):
            raise SymscapeError(
                f"--symprec {symprec:g} is not a distance; give angstrom above zero."
            )
        return cls(symprec, ReadOptions(block, split_names(elements), max_size))

    def crystal_file(self, path: Path) -> CrystalFile:
        """Read a file and print what the user should know of it.

        Raises
        ------
        SymscapeError
            If it can't be read.
        """
        content = crystal_from_file(path, self.symprec, None, self.options)
        say_notices(content.notices)
        return content


def split_names(names: str) -> tuple[str, ...]:
    """Return the names of a list with commas or spaces."""
    return tuple(names.replace(",", " ").split())


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
