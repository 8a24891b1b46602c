"""``symscape validate``: results, references, model cards, tolerances and plans, before use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.errors import SymscapeError, printable

if TYPE_CHECKING:
    from symscape.leaderboard.validate import Checked


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Results and references (.json); model cards, tolerances and plans (.toml)."
        ),
    ],
    submission: Annotated[
        bool,
        typer.Option(
            "--submission",
            help="Results are to stand on the leaderboard: complete, for the current references, "
            "in agreement with their own energies and with the model's card (in the registry, or "
            "among FILES).",
        ),
    ] = False,
    references: Annotated[
        Path, typer.Option(help="Folder of the current references, for --submission.")
    ] = Path("references"),
    board: Annotated[
        Path, typer.Option(help="Leaderboard that a submission must not copy, for --submission.")
    ] = Path("reports/leaderboard"),
) -> None:
    """Check files as the library itself loads them: one sentence for each problem.

    The exit code is 1 if there is any.
    """
    from symscape.leaderboard.validate import check_file

    checked: list[Checked] = []
    problems: list[str] = []
    for path in files:
        try:
            checked.append(check_file(path))
        except SymscapeError as error:
            problems.append(str(error))
    if submission:
        problems += _submission_problems(checked, references, board)
    spoiled = {problem.partition(":")[0] for problem in problems}
    for item in checked:
        if str(item.path) not in spoiled:
            print(printable(f"ok: {item.path}: {item.summary}"))
    # one line each, whatever a file holds: no text of a submission is a command to a CI log
    for problem in problems:
        print(printable(problem), file=sys.stderr)
    if problems:
        raise typer.Exit(1)


def _submission_problems(checked: list[Checked], references: Path, board: Path) -> list[str]:
    from symscape.leaderboard.collect import find_results
    from symscape.leaderboard.library import load_library
    from symscape.leaderboard.submission import submission_problems
    from symscape.leaderboard.validate import cards_among
    from symscape.results.run_results import load_results

    runs = [item for item in checked if item.kind == "results"]
    if not runs:
        return ["--submission needs the results file of the submitted model."]
    library, cards = load_library([references]), cards_among(checked)
    submitted = {item.path.resolve() for item in runs}
    paths = find_results([board]) if board.is_dir() else []
    others = [load_results(path) for path in paths if path.resolve() not in submitted]
    others += [item.content for item in runs]
    return [
        problem
        for item in runs
        for problem in submission_problems(item.path, item.content, cards, library, others)
    ]
