"""``symscape validate``: results, references, model cards, tolerances and plans, before use."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.errors import SymscapeError, printable

if TYPE_CHECKING:
    from symscape.leaderboard.rerun import Rerun
    from symscape.leaderboard.validate import Checked
    from symscape.results.run_results import RunResults


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
    rerun: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Ask --mlip again for this share of each slice's energies, of the crystals', of "
            "the equations of state, of the relaxations, and of the cases of each question that "
            "none of these decides, 0.05 for one in twenty, and compare.",
        ),
    ] = None,
    mlip: Annotated[str | None, typer.Option(help="The model to ask again, for --rerun.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Its checkpoint, where it has no name.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Draw the points of an earlier --rerun again; default: drawn anew."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Record the --rerun in --board, with who did it."),
    ] = None,
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
    if rerun is not None:
        problems += _rerun_problems(checked, references, rerun, mlip, checkpoint, seed, board, by)
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
    from symscape.leaderboard.collect import filed_results
    from symscape.leaderboard.library import load_library
    from symscape.leaderboard.submission import submission_problems
    from symscape.leaderboard.validate import cards_among
    from symscape.results.files import load_results

    runs = [item for item in checked if item.kind == "results"]
    if not runs:
        return ["--submission needs the results file of the submitted model."]
    library, cards = load_library([references]), cards_among(checked)
    submitted = {item.path.resolve() for item in runs}
    others = [
        load_results(path) for path in filed_results(board) if path.resolve() not in submitted
    ]
    others += [item.content for item in runs]
    return [
        problem
        for item in runs
        for problem in submission_problems(item.path, item.content, cards, library, others)
    ]


def _rerun_problems(
    checked: list[Checked],
    references: Path,
    share: float,
    mlip: str | None,
    checkpoint: str | None,
    seed: int | None,
    board: Path,
    by: str | None,
) -> list[str]:
    import secrets

    import symscape
    from symscape.leaderboard.library import load_library
    from symscape.leaderboard.recompute import recompute
    from symscape.leaderboard.rerun import rerun
    from symscape.page.words import count_text

    runs = [item for item in checked if item.kind == "results"]
    if not runs or mlip is None:
        return ["--rerun needs a results file, and --mlip with the model that it is of."]
    if not 0 < share <= 1:
        return [f"--rerun is {share:g}, but must be a share above 0 and up to 1."]
    # nobody knows beforehand which points will be asked for
    seed = secrets.randbits(32) if seed is None else seed
    library, model = load_library([references]), symscape.model(mlip, checkpoint=checkpoint)
    problems = []
    for item in runs:
        found = rerun(item.content, library, model, share=share, seed=seed)
        # metrics that aren't those of the file's own energies say nothing of the model either
        contradictions = recompute(item.content, library).problems
        if not found.n_drawn:
            problems.append(f"{item.path}: holds no energies of the library; nothing was rerun.")
        print(
            printable(
                f"rerun: {item.path}: {found.n_points} energies, {found.n_crystals} formation "
                f"energies, {found.n_curves} equations of state, {found.n_relaxed} relaxations, "
                f"{count_text(found.n_cases, 'whole case')}, --seed {seed}"
            )
        )
        wrong = (*found.problems, *contradictions)
        problems += [f"{item.path}: {problem}." for problem in wrong]
        if by and found.n_drawn:
            _record(board, item.content, found, share, by, agreed=not wrong)
    return problems


def _record(
    board: Path, run: RunResults, found: Rerun, share: float, by: str, *, agreed: bool
) -> None:
    """Keep beside a leaderboard's results who computed a part of them again."""
    from datetime import UTC, datetime

    from symscape.leaderboard.provenance import (
        Provenance,
        SpotCheck,
        load_provenance,
        save_provenance,
    )

    known = load_provenance(board)
    before = known.get(run.model.name, Provenance())
    check = SpotCheck(
        by=by,
        date=datetime.now(UTC).date().isoformat(),
        share=share,
        seed=found.seed,
        n_drawn=found.n_drawn,
        n_cases=found.n_cases,
        run_started=run.started,
        agreed=agreed,
    )
    known[run.model.name] = replace(before, checked=check)
    save_provenance(board, known)
