"""``symscape leaderboard``: a ranking and its pages from results files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.errors import SymscapeError
from symscape.progress import on_stderr

if TYPE_CHECKING:
    from symscape.leaderboard.ranking import Ranking

DEFAULT_FOLDER = Path("reports/leaderboard")


def leaderboard(
    results: Annotated[
        list[Path],
        typer.Argument(help="Results files, or folders that hold some: reports/, reports/chgnet."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the leaderboard.")
    ] = DEFAULT_FOLDER,
    separate: Annotated[
        bool,
        typer.Option(
            "--separate",
            help="List runs of other suite or reference versions apart instead of refusing them.",
        ),
    ] = False,
) -> None:
    """Build the leaderboard from results files alone: pages, Markdown, CSV and JSON.

    Opens from disk. Models of another level of theory than the references' are ranked in a list of
    their own.
    """
    from symscape.leaderboard.collect import load_board
    from symscape.leaderboard.ranking import rank_board
    from symscape.leaderboard.write import write_leaderboard

    ranking = rank_board(load_board(results, separate=separate))
    try:
        progress = on_stderr()
        with progress.task("drawing landscapes"):
            page = write_leaderboard(output, ranking, progress.update)
    except OSError as error:
        raise SymscapeError(
            f"{output}: the leaderboard can't be written there ({error.strerror or error}); "
            "name another folder with -o."
        ) from error
    _print(ranking)
    print(f"\nwrote {page}")


def _print(ranking: Ranking) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from symscape.leaderboard.tables import interval_text, percent_text, points_text

    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    for title, standings in ranking.lists:
        table = Table(
            title=title,
            title_justify="left",
            title_style="",
            box=box.SIMPLE_HEAD if console.is_terminal else None,
            pad_edge=False,
        )
        table.add_column("", justify="right")
        table.add_column("model", no_wrap=True)
        for column in ("score", "95 %", "coverage", *(q.title for q in ranking.table.questions)):
            table.add_column(column, justify="right")
        for standing in standings:
            table.add_row(
                str(standing.rank),
                standing.name,
                points_text(standing.score, 1),
                interval_text(standing.interval),
                percent_text(standing.coverage),
                *(points_text(float(score)) for score in standing.questions),
            )
        console.print(table, markup=False, highlight=False)
    for aside in ranking.board.asides:
        console.print(f"not compared: {aside.entry.name}, {aside.reason}", markup=False,
                      highlight=False, soft_wrap=True)  # fmt: skip
