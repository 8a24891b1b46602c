"""``symscape history``: one page with each metric over checkpoints or commits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symscape.errors import writing


def history(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with the reports of earlier runs, at any depth: runs/step-1000/ and the "
            "like, each with its results.json; or with such files of any name."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path(
        "history.html"
    ),
    by_name: Annotated[
        bool,
        typer.Option(
            "--by-name", help="Order runs by their folders' names instead of by their dates."
        ),
    ] = False,
) -> None:
    """Draw each metric over the checkpoints or commits of a model, with its tolerance.

    One page that opens from disk. In a CI job, keep the results.json of each run and give its
    folder; 'symscape run --history FOLDER' puts what moved into the report of a run.
    """
    from symscape.files import write_atomically
    from symscape.page.history_page import render_history_page
    from symscape.page.history_view import HistoryView
    from symscape.results.history import load_history

    found = load_history(folder, by_name=by_name)
    with writing(output, "the page", "name another file with -o"):
        write_atomically(output, render_history_page(found))
    typer.echo(f"{HistoryView(found).sentence}\nwrote {output}")
