"""``symscape leaderboard``: a ranking and its pages from results files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.errors import SymscapeError, printable, writing
from symscape.places import references_folder
from symscape.progress import on_stderr

if TYPE_CHECKING:
    from symscape.leaderboard.collect import Entry
    from symscape.leaderboard.library import Library
    from symscape.leaderboard.ranking import Ranking
    from symscape.results.run_results import RunResults

DEFAULT_FOLDER = Path("reports/leaderboard")
#: in the place of the first results file: what follows is to be filed; a file so called is ./add
ADD = Path("add")


def leaderboard(
    results: Annotated[
        list[Path],
        typer.Argument(
            help="Results files, or folders that hold some: reports/, reports/chgnet. After the "
            "word 'add': results to be validated and filed in the leaderboard of --output."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the leaderboard.")
    ] = DEFAULT_FOLDER,
    separate: Annotated[
        bool,
        typer.Option(
            "--separate",
            help="List runs that can't be compared apart instead of refusing them.",
        ),
    ] = False,
    references: Annotated[
        Path | None,
        typer.Option(help="Folder of the references; default: here, or the installed ones."),
    ] = None,
    held_back: Annotated[
        Path | None,
        typer.Option(
            help="Folder with references/ that only the keeper has, and results/ of runs on them: "
            "their scores are shown beside the others."
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(metavar="NAME", help="Who submits, after the word 'add'.")
    ] = "",
    recompute: Annotated[
        bool,
        typer.Option(
            "--recompute",
            help="Compute anew what was computed of the same files before, too (judged.json).",
        ),
    ] = False,
    believe: Annotated[
        bool,
        typer.Option(
            "--believe",
            help="Take the files' numbers as they are, for runs on references not at hand.",
        ),
    ] = False,
) -> None:
    """Build the leaderboard from results files: pages, Markdown, CSV and JSON.

    Numbers that follow from a file's energies and the references are computed anew; a file that
    states others is refused. Opens from disk. Models of another level of theory than the
    references' are ranked in a list of their own.
    """
    from symscape.leaderboard.collect import make_board, read_entries
    from symscape.leaderboard.held_back import held_back_scores
    from symscape.leaderboard.judged import load_judged
    from symscape.leaderboard.library import load_library
    from symscape.leaderboard.provenance import load_provenance
    from symscape.leaderboard.publish import write_leaderboard
    from symscape.leaderboard.ranking import rank_board
    from symscape.leaderboard.timing import load_timings
    from symscape.models.threads import cores

    if results[0] == ADD:
        _file(results[1:], output, references_folder(references), by)
        results = [output]
    entries = read_entries(results)
    library = None if believe else load_library([references_folder(references)])
    provenance = load_provenance(_board_among(results, output))
    judged = None if recompute or library is None else load_judged(_board_among(results, output))
    board = make_board(
        entries, library, separate=separate, provenance=provenance, judged=judged, jobs=cores()
    )
    board = replace(board, timings=load_timings(_board_among(results, output)))
    if held_back is not None:
        board = replace(board, held_back=held_back_scores(held_back))
    ranking = rank_board(board)
    with writing(output, "the leaderboard", "name another folder with -o"):
        progress = on_stderr()
        with progress.task("drawing landscapes"):
            page = write_leaderboard(output, ranking, progress.update)
    _print(ranking)
    print(f"\nwrote {page}")


def _board_among(results: list[Path], output: Path) -> Path:
    """Return the leaderboard that results come from; the one that is written if from none."""
    from symscape.leaderboard.provenance import FILE

    return next((path for path in results if (path / FILE).is_file()), output)


def _file(submitted: list[Path], board: Path, references: Path, by: str) -> None:
    """Validate results as submissions and copy them to the leaderboard's own.

    What the leaderboard has of the same weights already, and a file lacks, is kept: after the
    library has grown, the new cases are enough.

    Raises
    ------
    SymscapeError
        If none is named, or one is refused; then none is copied.
    """
    from symscape.leaderboard.collect import filed_results, read_entries
    from symscape.leaderboard.library import load_library
    from symscape.leaderboard.provenance import Provenance, load_provenance, save_provenance
    from symscape.leaderboard.publish import copy_results
    from symscape.leaderboard.submission import submission_problems
    from symscape.models.registry import load_cards

    if not submitted:
        raise SymscapeError("symscape leaderboard add: name the results files to be added.")
    filed = filed_results(board)
    stored = {entry.name: entry.run for entry in read_entries(filed)} if filed else {}
    library, cards = load_library([references]), load_cards()
    with TemporaryDirectory() as folder:
        entries = [
            _with_stored(entry, stored.get(entry.name), library, Path(folder))
            for entry in read_entries(submitted)
        ]
        others = [*stored.values(), *(entry.run for entry in entries)]
        for entry in entries:
            problems = submission_problems(entry.path, entry.run, cards, library, others)
            if problems:
                raise SymscapeError(printable(" ".join(problems)))
        copy_results(board, [_recomputed(entry, library, Path(folder)) for entry in entries])
    known = load_provenance(board)
    for entry in entries:
        before = known.get(entry.name, Provenance())
        known[entry.name] = replace(before, submitted_by=by or before.submitted_by)
    save_provenance(board, known)


def _with_stored(entry: Entry, stored: RunResults | None, library: Library, folder: Path) -> Entry:
    """Return a run with what the leaderboard has of the same weights, in a file in a folder."""
    from symscape.leaderboard.collect import Entry
    from symscape.leaderboard.joining import can_join, joined
    from symscape.leaderboard.site import slug
    from symscape.results.files import save_results

    if stored is None or not can_join(stored, entry.run):
        return entry
    run = joined(stored, entry.run, library)
    return Entry(run, save_results(folder / f"{slug(entry.name)}.json", run))


def _recomputed(entry: Entry, library: Library, folder: Path) -> Entry:
    """Return a run with the numbers that follow from its energies, in a file in a folder."""
    from symscape.leaderboard.collect import Entry
    from symscape.leaderboard.recompute import recompute
    from symscape.leaderboard.site import slug
    from symscape.results.files import save_results

    run = recompute(entry.run, library).run
    return Entry(run, save_results(folder / f"recomputed-{slug(entry.name)}.json", run))


def _print(ranking: Ranking) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from symscape.leaderboard.board_files import interval_text, percent_text, points_text

    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    for own in ranking.lists:
        table = Table(
            title=own.title,
            title_justify="left",
            title_style="",
            box=box.SIMPLE_HEAD if console.is_terminal else None,
            pad_edge=False,
        )
        table.add_column("", justify="right")
        table.add_column("model", no_wrap=True)
        for column in ("score", "95 %", "coverage", *(q.title for q in ranking.table.questions)):
            table.add_column(column, justify="right")
        for standing in own.standings:
            table.add_row(
                str(standing.rank) if own.has_ranks else "",
                printable(standing.name),
                points_text(standing.score, 1),
                interval_text(standing.interval),
                percent_text(standing.coverage),
                *(points_text(float(score)) for score in standing.questions),
            )
        console.print(table, markup=False, highlight=False)
    for aside in ranking.board.asides:
        said = printable(f"not compared: {aside.entry.name}, {aside.reason}")
        console.print(said, markup=False, highlight=False, soft_wrap=True)
