"""``symscape check-run``: whether a run left the report that its exit code promises."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symscape.errors import ResultsFileError

if TYPE_CHECKING:
    from symscape.results.run_results import RunResults

#: file systems keep times to a second at worst
_SLACK_S = 1.0
#: cases named
_MOST_NAMED = 5


def check_run(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="Report folders of the run: reports/last."),
    ],
    since: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file that was touched before the run began."),
    ] = None,
    cases: Annotated[
        int, typer.Option(metavar="N", min=1, help="As many cases must have been judged.")
    ] = 1,
) -> None:
    """Look at what a run left, in a process of its own.

    Code that ends pytest from within (os._exit(0) while a package is imported) gives exit code 0
    and no report, which the run itself can't tell. Exit code 2: there is no report, an old one, or
    not a whole one; 1: a case failed, could not be evaluated, has no answer, or passed although it
    is declared a known failure; 0: all is well.
    """
    from symscape.results.files import load_results

    bad = False
    for folder in folders:
        path = folder / "results.json" if folder.is_dir() else folder
        run = load_results(path)
        _refuse_old(path, run, since)
        if len(run.cases) < cases:
            raise ResultsFileError(
                f"{path}: the run judged {len(run.cases)} cases, not {cases}; it ended early."
            )
        bad |= _say(path, run)
    if bad:
        raise typer.Exit(1)


def _refuse_old(path: Path, run: RunResults, since: Path | None) -> None:
    """Refuse results that an earlier run has left.

    Raises
    ------
    ResultsFileError
        If the run began, or its file was written, before ``since`` was touched.
    """
    if since is None:
        return
    try:
        touched = since.stat().st_mtime
    except OSError as error:
        raise ResultsFileError(
            f"{since}: this file says when the run began, but can't be read ({error.strerror}); "
            "touch it before the run."
        ) from None
    began = datetime.fromisoformat(run.started)
    if began.tzinfo is None:
        began = began.replace(tzinfo=UTC)
    if min(began.timestamp(), path.stat().st_mtime) < touched - _SLACK_S:
        raise ResultsFileError(
            f"{path}: this is the report of an earlier run, which began at {run.started}; the new "
            "one left none."
        )


def _say(path: Path, run: RunResults) -> bool:
    """Print one line on a run; return whether it is red."""
    from symscape.page.case_views import CaseView
    from symscape.questions.registry import question_words

    today = datetime.now(UTC).date()
    views = [CaseView(case, today) for case in run.cases]
    red = [v for kind in ("error", "failed", "surprise") for v in views if v.status == kind]
    found = Counter(view.status for view in red)
    print(
        f"{path}: {run.model.name}, {len(run.cases)} cases, {found['failed']} failed, "
        f"{found['error']} could not be evaluated, {found['surprise']} passed although declared a "
        f"known failure, {len(run.lacking)} without an answer"
    )
    for view in red[:_MOST_NAMED]:
        case = view.case
        print(f"  {view.status}  {question_words(case.question)} {case.material}-{case.slice}")
    for name in run.lacking[:_MOST_NAMED]:
        print(f"  lacking  {name}")
    return bool(red or run.lacking)
