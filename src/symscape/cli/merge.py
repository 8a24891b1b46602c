"""``symscape merge``: results of parts of the suite as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symscape.errors import writing


def merge(
    files: Annotated[
        list[Path],
        typer.Argument(help="Results files of one model, with the same tolerances, in any order."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The results file to write.")
    ] = Path("results.json"),
) -> None:
    """Join results of parts of the suite, so that a new slice is all that has to be run.

    Where two files hold the same case, the later run counts. All must be of one checkpoint and one
    version of its package.
    """
    from symscape.results.files import load_results, save_results
    from symscape.results.merge import merge_runs

    merged = merge_runs([load_results(path) for path in files])
    with writing(output, "the results", "name another file with -o"):
        save_results(output, merged)
    part = f", {merged.selection}" if merged.selection else ""
    typer.echo(f"{merged.model.name}: {len(merged.cases)} cases{part}\nwrote {output}")
