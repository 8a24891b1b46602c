"""``symscape materials``: the stored references."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.places import references_folder

if TYPE_CHECKING:
    from rich.console import Console

    from symscape.crystal.grid import Axis
    from symscape.references.convergence import ConvergenceCheck
    from symscape.references.method import Method
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

#: of the Markdown table, which is about how far the numbers can be trusted
METHOD_COLUMNS = (
    "slice",
    "space group",
    "kind",
    "axes",
    "points",
    "computed",
    "masked",
    "highest, eV/atom",
    "cut-off, eV",
    "k-points",
    "checked at",
    "largest change, meV/atom",
    "error budget, meV/atom",
)


def materials(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="MATERIAL", help="Only these: PbTiO3-P4mm, or a formula."),
    ] = None,
    references: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of references, repeatable; default: references here, or "
            "the installed ones."
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Method and convergence as a Markdown table.")
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Counts of everything that is stored, crystals too.")
    ] = False,
) -> None:
    """List the stored references: what each slice varies and how much of it is computed.

    Points of the grid are computed, equal to a computed one by symmetry, masked (two atoms too
    close) or missing. n_lattice and n_wyckoff count the free lattice parameters and the free
    Wyckoff coordinates of the crystal. A file that can't be read gets one sentence and exit code 1.
    """
    from symscape.errors import ReferenceFileError
    from symscape.references.landscape_files import load_reference
    from symscape.references.library import find_references, select_materials

    folders = [references_folder(folder) for folder in references or ()] or [
        references_folder(None)
    ]
    entries = find_references(folders)
    if not entries:
        where = ", ".join(map(str, folders))
        raise ReferenceFileError(
            f"{where}: no references here; a slice is <folder>/<material>/<slice>.json."
        )
    if summary:
        _print_summary(folders, names)
        return
    if names:
        entries = select_materials(entries, names)
    found, problems = [], []
    for entry in entries:
        try:
            found.append(load_reference(entry.path))
        except ReferenceFileError as error:
            problems.append(str(error))
    if found and markdown:
        print(method_table(found))
    elif found:
        _print_table(found)
    for problem in problems:
        print(f"symscape: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)


def _print_summary(folders: list[Path], names: list[str] | None) -> None:
    """Print what the folders hold as a whole."""
    from symscape.cli.library_summary import summarize_library

    if names:
        raise typer.BadParameter("--summary counts the whole library; leave out the materials.")
    print(summarize_library(folders).text())


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


def _print_table(references: list[LandscapeReference]) -> None:
    from rich import box
    from rich.table import Table

    console = _console()
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(
            column,
            no_wrap=not console.is_terminal,
            justify="right" if column in _NUMBERS else "left",
        )
    for reference in references:
        table.add_row(*reference_row(reference))
    console.print(table, markup=False, highlight=False)


def method_table(references: list[LandscapeReference]) -> str:
    """Return a Markdown table of how each slice was computed and how far it is converged."""
    rows = [METHOD_COLUMNS, ("---",) * len(METHOD_COLUMNS), *map(method_row, references)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def method_row(reference: LandscapeReference) -> tuple[str, ...]:
    """Return a reference's cells of the Markdown table, in the order of `METHOD_COLUMNS`."""
    import numpy as np

    crystal = reference.slice.crystal
    method = reference.method
    checked, change, budget = convergence_text(reference.convergence)
    return (
        reference.id,
        f"{crystal.symbol} ({crystal.space_group_number})",
        reference.kind,
        ", ".join(map(axis_text, reference.slice.axes)),
        " x ".join(map(str, reference.slice.shape)),
        str(int((reference.valid & reference.computed).sum())),
        str(int(reference.mask.sum())),
        f"{np.nanmax(reference.relative):.2f}",
        "" if method.cutoff_eV is None else f"{method.cutoff_eV:g}",
        kpoints_text(method),
        checked,
        change,
        budget,
    )


def kpoints_text(method: Method) -> str:
    """``9 x 9 x 9``, or ``3 per Å⁻¹`` where only a density is stated."""
    if method.mesh:
        return " x ".join(map(str, method.mesh))
    return f"{method.density:g} per Å⁻¹" if method.density else ""


def convergence_text(check: ConvergenceCheck | None) -> tuple[str, str, str]:
    """Return the settings of a check, the largest change and the error budget in meV/atom."""
    if check is None:
        return "not yet", "", ""
    mesh = " x ".join(map(str, check.k_mesh)) if check.k_mesh else f"{check.k_density_A:g} per Å⁻¹"
    budget = f"{check.error_budget:.1f}"
    return f"{check.cutoff_eV:g} eV, {mesh}", f"{check.largest_difference:.1f}", budget


def axis_text(axis: Axis) -> str:
    """``Ti_z 0.42 .. 0.58``, and whether the axis spans a full period."""
    full = ", full period" if axis.period is not None else ""
    return f"{axis.name} {axis.start:.4g} .. {axis.stop:.4g}{full}"


def _console() -> Console:
    """Return a console that never breaks a table's lines when the output is not a terminal."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=250)
