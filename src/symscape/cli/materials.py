"""``symscape materials``: the stored references."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from symscape.crystal.grid import Axis
    from symscape.references.reference import LandscapeReference

COLUMNS = (
    "material",
    "slice",
    "space group",
    "axes",
    "points",
    "computed",
    "by symmetry",
    "masked",
    "missing",
    "theory",
    "n_lattice",
    "n_wyckoff",
)
_NUMBERS = frozenset(COLUMNS[4:9]) | {"n_lattice", "n_wyckoff"}


def materials(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="MATERIAL", help="Only these: PbTiO3-P4mm, or a formula."),
    ] = None,
    references: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of references, repeatable; default: references."),
    ] = None,
) -> None:
    """List the stored references: what each slice varies and how much of it is computed.

    Points of the grid are computed, equal to a computed one by symmetry, masked (two atoms too
    close) or missing. n_lattice and n_wyckoff count the free lattice parameters and the free
    Wyckoff coordinates of the crystal. A file that can't be read gets one sentence and exit code 1.
    """
    from rich import box
    from rich.table import Table

    from symscape.errors import ReferenceFileError
    from symscape.references.library import find_references, select_materials
    from symscape.references.store import load_reference

    folders = references or [Path("references")]
    entries = find_references(folders)
    if not entries:
        where = ", ".join(map(str, folders))
        raise ReferenceFileError(
            f"{where}: no references here; a slice is <folder>/<material>/<slice>.json."
        )
    if names:
        entries = select_materials(entries, names)
    console = _console()
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(
            column,
            no_wrap=not console.is_terminal,
            justify="right" if column in _NUMBERS else "left",
        )
    problems = []
    for entry in entries:
        try:
            table.add_row(*reference_row(load_reference(entry.path)))
        except ReferenceFileError as error:
            problems.append(str(error))
    if table.rows:
        console.print(table, markup=False, highlight=False)
    for problem in problems:
        print(f"symscape: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)


def reference_row(reference: LandscapeReference) -> tuple[str, ...]:
    """Return a reference's cells of the table, in the order of `COLUMNS`."""
    crystal = reference.slice.crystal
    return (
        reference.material,
        reference.slice.name,
        f"{crystal.symbol} ({crystal.space_group_number})",
        ", ".join(map(axis_text, reference.slice.axes)),
        " x ".join(map(str, reference.slice.shape)),
        str(int((reference.valid & reference.computed).sum())),
        str(int((reference.valid & ~reference.computed).sum())),
        str(int(reference.mask.sum())),
        str(int((~reference.valid & ~reference.mask).sum())),
        reference.level_of_theory,
        str(crystal.n_lattice),
        str(crystal.n_wyckoff),
    )


def axis_text(axis: Axis) -> str:
    """``Ti_z 0.42 .. 0.58``, and whether the axis spans a full period."""
    full = ", full period" if axis.period is not None else ""
    return f"{axis.name} {axis.start:.4g} .. {axis.stop:.4g}{full}"


def _console() -> Console:
    """Return a console that never breaks a table's lines when the output is not a terminal."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=250)
