"""Options and sentences of all commands that read a structure file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.crystal.read import CrystalFile, ReadOptions, crystal_from_file
from symscape.crystal.tolerance import SYMPREC
from symscape.errors import SymscapeError
from symscape.progress import on_stderr

if TYPE_CHECKING:
    from symscape.crystal.crystal import Crystal
    from symscape.crystal.slice import Slice
    from symscape.models.base import EnergyModel

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
CloseAtoms = Annotated[
    bool,
    typer.Option("--close-atoms", help="Take atoms that are nearer to each other than any bond."),
]


@dataclass(frozen=True)
class StructureReader:
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
    def told(
        cls,
        symprec: float | None,
        block: str,
        elements: str,
        max_size: float,
        close_atoms: bool,
    ) -> StructureReader:
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
        return cls(symprec, ReadOptions(block, split_names(elements), max_size, close_atoms))

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


def crystal_or_slice(path: Path, reading: StructureReader) -> Crystal | Slice:
    """Return what a file holds: a slice that was written, or else a crystal.

    Raises
    ------
    SymscapeError
        If the file can't be read.
    """
    from symscape.references.slice_file import is_slice_file, load_slice

    if path.suffix == ".json" and is_slice_file(path):
        return load_slice(path)
    return reading.crystal_file(path).crystal


def elements_lacking(models: Iterable[EnergyModel], subject: Crystal | Slice) -> dict[str, str]:
    """Return the models that lack an element of a crystal, by name, and the sentence that says so.

    By their cards, before anything is loaded or searched for.

    Raises
    ------
    ModelError
        If all of them do.
    """
    from symscape.crystal.slice import Slice
    from symscape.errors import ModelError
    from symscape.models.card import not_trained

    crystal = subject.crystal if isinstance(subject, Slice) else subject
    cards = [model.card for model in models]
    unknown = {card.name: card.untrained_of(crystal.numbers.tolist()) for card in cards}
    said = {name: str(not_trained(name, symbols)) for name, symbols in unknown.items() if symbols}
    if len(said) == len(cards):
        raise ModelError(" ".join(said.values()))
    return said


def slices_of(
    path: Path,
    subject: Crystal | Slice,
    *,
    axes: tuple[str, ...],
    subgroup: str,
    points: int,
    most: int,
) -> list[Slice]:
    """Return the slices to look at: a slice itself, else what suits the crystal.

    Raises
    ------
    SymscapeError
        If the crystal, of the file ``path``, has no slice.
    """
    from symscape.crystal.propose import survey_slices
    from symscape.crystal.slice import Slice
    from symscape.crystal.subgroups import subgroup_named, survey_subgroups

    if isinstance(subject, Slice):
        return [subject]
    crystal = subgroup_named(subject, subgroup) if subgroup else subject
    survey = survey_slices(crystal, axes=axes, points=points, max_local=most, max_global=0)
    notices = survey.notices
    if not survey.proposals and not axes:
        survey = survey_subgroups(crystal, points, most)
        notices = (*notices, *survey.notices)
    say_notices(dict.fromkeys(notices))
    if not survey.proposals:
        raise SymscapeError(
            f"{path}: there is no slice of {crystal.formula} in {crystal.symbol}, for its only "
            "freedom is the volume or its atoms would be too close; see symscape slices."
        )
    return [proposal.slice for proposal in survey.proposals[:most]]


@contextmanager
def survey_progress() -> Iterator[Callable[[int, int], None]]:
    """Yield what shows how far a search for slices is."""
    progress = on_stderr(_PATIENCE)
    with progress.task("proposing slices"):
        yield progress.update
