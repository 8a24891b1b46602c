"""``symscape reference lines``: points of our grids against an all-electron code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symscape.cli.computing import command_line, resumable
from symscape.progress import on_stderr, say


def lines(
    plan: Annotated[Path, typer.Argument(help="A list of lines to compute (TOML).")],
    finish: Annotated[
        bool, typer.Option(help="Compute nothing; store what has been computed.")
    ] = False,
    references: Annotated[
        Path, typer.Option("--references", help="Folder of the reference library.")
    ] = Path("references"),
) -> None:
    """Compute lines of stored grids with Elk and compare; the same command goes on."""
    from symscape import __version__
    from symscape.dft.all_electron import finished_lines, load_line_list, run_lines
    from symscape.references.all_electron import as_markdown, load_lines, write_lines
    from symscape.references.provenance import CurvesProvenance

    the_list = load_line_list(plan, references)
    if not finish:
        with resumable("kept"):
            run_lines(the_list, on_stderr())
    records, method = finished_lines(the_list)
    provenance = CurvesProvenance(
        licence=the_list.licence,
        notes=the_list.notes,
        command=command_line(),
        symscape=__version__,
        complete=len(records) == len(the_list.lines),
    )
    path = write_lines(references, records, method, provenance)
    print(as_markdown(load_lines(references)))
    say(f"{path}: {len(records)} of {len(the_list.lines)} lines")
