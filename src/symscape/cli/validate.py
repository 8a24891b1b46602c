"""``symscape validate``: results, references, model cards, tolerances and plans, before use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.errors import SymscapeError

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
            "and in agreement with the model's card (in the registry, or among FILES).",
        ),
    ] = False,
    references: Annotated[
        Path, typer.Option(help="Folder of the current references, for --submission.")
    ] = Path("references"),
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
        problems += _submission_problems(checked, references)
    spoiled = {problem.partition(":")[0] for problem in problems}
    for item in checked:
        if str(item.path) not in spoiled:
            print(f"ok: {item.path}: {item.summary}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise typer.Exit(1)


def _submission_problems(checked: list[Checked], references: Path) -> list[str]:
    from symscape.leaderboard.submission import crystal_cases, submission_problems
    from symscape.leaderboard.validate import cards_among
    from symscape.references.library import find_references
    from symscape.references.store import load_reference

    runs = [item for item in checked if item.kind == "results"]
    if not runs:
        return ["--submission needs the results file of the submitted model."]
    current = [load_reference(entry.path) for entry in find_references([references])]
    cards, crystals = cards_among(checked), crystal_cases(references)
    return [
        problem
        for item in runs
        for problem in submission_problems(item.path, item.content, cards, current, crystals)
    ]
