"""``symscape import``: lists of crystals with energies from elsewhere become a data set."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.cli.structures import Block, CloseAtoms, MaxSize
from symscape.crystal.read import MAX_SIZE_MB, ReadOptions
from symscape.dataset.corrections import Choice
from symscape.progress import on_stderr

if TYPE_CHECKING:
    from symscape.dataset.options import ImportOptions, ImportSummary

#: an import that is done sooner shows no progress, seconds
_PATIENCE = 1.0
#: notices of single crystals shown; a data set has many
_MOST_NOTICES = 10


def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="JSON (pymatgen's entries, Matbench Discovery's and the Materials Project's "
            "documents), extended XYZ, CIF files or folders of them, and CSV tables of energies "
            "for them; compressed or not. With --mp, chemical systems: Li-Fe-O.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the data set to make.")],
    format: Annotated[
        str, typer.Option(help="json, extxyz, cif or table, where the content does not tell.")
    ] = "",
    id_column: Annotated[str, typer.Option(help="A table's column of identifiers.")] = "",
    energy_column: Annotated[str, typer.Option(help="A table's column of energies (eV).")] = "",
    correction_column: Annotated[
        str, typer.Option(help="A table's column of energy corrections (eV).")
    ] = "",
    per_atom: Annotated[
        bool | None,
        typer.Option(
            "--per-atom/--per-cell",
            help="What a table's energies are of; per cell unless the column's name has per_atom.",
        ),
    ] = None,
    energy_key: Annotated[
        str, typer.Option(help="The key of an extended XYZ frame's energy (eV per cell).")
    ] = "",
    level_of_theory: Annotated[
        str, typer.Option(help="Functional of energies that state none, such as PBE.")
    ] = "unknown",
    source: Annotated[str, typer.Option(help="Name of the source, in place of the files'.")] = "",
    corrections: Annotated[
        Choice,
        typer.Option(
            help="Which MP2020 correction counts where the source states another than pymatgen "
            "computes."
        ),
    ] = Choice.STATED,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="LEVEL", help="Import this level of theory only; may be repeated."),
    ] = None,
    max_atoms: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Leave out cells of more than N atoms."),
    ] = None,
    block: Block = "",
    max_size: MaxSize = MAX_SIZE_MB,
    close_atoms: CloseAtoms = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a data set that is there already.")
    ] = False,
    mp: Annotated[
        bool,
        typer.Option(
            "--mp",
            help="Fetch chemical systems, with all that they contain, from the Materials Project.",
        ),
    ] = False,
    key: Annotated[
        str,
        typer.Option(
            envvar="MP_API_KEY", show_envvar=True, help="Your key of the Materials Project's API."
        ),
    ] = "",
    thermo_type: Annotated[
        str, typer.Option(help="The Materials Project's: GGA_GGA+U, R2SCAN, GGA_GGA+U_R2SCAN.")
    ] = "GGA_GGA+U",
) -> None:
    """Make a data set of lists of crystals with energies, for formation energies and hulls.

    A record that can't be used is left out and listed in rejects.jsonl with the reason. The exit
    code is 1 if none can be used.
    """
    from symscape.dataset.importing import import_files
    from symscape.dataset.options import ImportOptions
    from symscape.dataset.tables import Columns

    options = ImportOptions(
        format,
        Columns(id_column, energy_column, correction_column, per_atom),
        energy_key,
        level_of_theory,
        source,
        replace,
        corrections,
        tuple(only or ()),
        max_atoms,
        ReadOptions(block, max_size_MB=max_size, close_atoms=close_atoms),
    )
    with _progress("records" if mp else "kB") as progress:
        if mp:
            summary = _from_materials_project(files, output, key, thermo_type, options, progress)
        else:
            summary = import_files(files, output, options, progress)
    _print(summary)
    if not summary.imported:
        raise typer.Exit(1)


def _from_materials_project(
    systems: list[str],
    output: Path,
    key: str,
    thermo_type: str,
    options: ImportOptions,
    progress: Callable[[int, int, int], None] | None,
) -> ImportSummary:
    from symscape.dataset.importing import import_materials_project
    from symscape.dataset.materials_project import open_client

    with open_client(key) as client:
        return import_materials_project(systems, output, client, thermo_type, options, progress)


@contextmanager
def _progress(unit: str) -> Iterator[Callable[[int, int, int], None]]:
    """Give a callback that tells how far an import is: of files in kB, else in records."""
    progress = on_stderr(_PATIENCE)

    def show(done: int, total: int, records: int) -> None:
        if total:
            progress.update(done // 1000, total // 1000)
        else:
            progress.update(records, 0)

    with progress.task("import", unit=unit):
        yield show


def _print(summary: ImportSummary) -> None:
    from symscape.dataset.importing import notices_file, rejects_file
    from symscape.dataset.record import UNKNOWN

    rejected = sum(summary.rejected.values())
    for notice in summary.notices[:_MOST_NOTICES]:
        print(f"note: {notice}", file=sys.stderr)
    if len(summary.notices) > _MOST_NOTICES:
        more = len(summary.notices) - _MOST_NOTICES
        print(f"note: and {more} more, in {notices_file(summary.path)}", file=sys.stderr)
    if not summary.imported:
        print(
            f"symscape: none of {summary.records} records could be imported; "
            f"{rejects_file(summary.path)} says why of each.",
            file=sys.stderr,
        )
    print(f"records    {summary.records}")
    print(f"imported   {summary.imported}")
    print(f"rejected   {rejected}")
    for kind, count in summary.rejected.items():
        print(f"  {kind:<20} {count}")
    if summary.imported:
        low, middle, high = summary.sizes
        print(f"elements   {len(summary.elements)}: {' '.join(summary.elements)}")
        if summary.lacking:
            print(f"           no crystal of the element: {' '.join(summary.lacking)}")
        print(f"systems    {summary.systems}")
        levels = ", ".join(f"{level} {count}" for level, count in summary.levels.items())
        print(f"levels     {levels}")
        if UNKNOWN in summary.levels:
            print(f"           {UNKNOWN} ones are taken for one; name it with --level-of-theory")
        print(f"atoms      {summary.atoms}, {low} to {high} a cell, median {middle}")
        print(f"wrote {summary.path}")
    if rejected:
        print(f"rejects in {rejects_file(summary.path)}")
