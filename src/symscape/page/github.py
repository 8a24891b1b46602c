"""In GitHub Actions: the summary goes to the job's page, failures become annotations."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symscape.questions.case import CaseResult

#: GitHub shows at most this many annotations of one kind for a step
_MOST_ANNOTATIONS = 10


def append_job_summary(summary: Path) -> bool:
    """Append a summary.md to the job summary; return whether there is one to append to.

    Raises
    ------
    OSError
        If the job summary's file can't be written to.
    """
    from symscape.page.summary import REPORT

    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if not target:
        return False
    text = summary.read_text(encoding="utf-8").replace(REPORT, _where_the_report_is())
    with open(target, "a", encoding="utf-8") as file:
        file.write(text + "\n")
    return True


def _where_the_report_is() -> str:
    """Say where a job's report is: no file lies beside its summary."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name) for name in names)
    told = "the run's artifacts"
    if server and repository and run:
        told = f"[{told}]({server}/{repository}/actions/runs/{run}#artifacts)"
    return f"The report is `index.html` among {told}, where the workflow uploads it."


def failure_annotations(cases: Iterable[CaseResult], today: date | None = None) -> list[str]:
    """Return the workflow commands that annotate what fails the run; none outside GitHub Actions.

    Among it known failures that have expired, and those that passed before; not those that failed
    as declared.

    Parameters
    ----------
    today
        Day by which known failures expire; by default today.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    from symscape.questions.registry import question_words

    found = [(case, _complaint(case, today or date.today())) for case in cases]
    told = [(c.id, f"{question_words(c.question)}: {why}") for c, why in found if why]
    lines = [f"::error title={_property(name)}::{_data(text)}" for name, text in told]
    left = len(lines) - _MOST_ANNOTATIONS
    more = [f"::warning::{left} more failed cases, see the report"] if left > 0 else []
    return [*lines[:_MOST_ANNOTATIONS], *more]


def _complaint(case: CaseResult, today: date) -> str:
    """Say why a case fails the run; empty if it does not."""
    from symscape.questions.registry import metric_title
    from symscape.verdict.explain import plain_limit

    reason = case.notes.known_failure
    until = case.notes.known_failure_expires or ""
    over = bool(until) and date.fromisoformat(until) < today
    if reason and not over:
        return f"passed, but is declared a known failure: {reason}" if case.passed else ""
    if case.passed:
        return ""
    failed = [check for check in case.checks if not check.passed]
    what = ", ".join(
        f"{metric_title(c.metric)} {c.value:.4g} {c.unit}".rstrip()
        + f" (tolerance {plain_limit(c)})"
        for c in failed
    )
    message = case.notes.message or what or case.status
    return f"{message}; was a known failure until {until}: {reason}" if reason else message


def _data(text: str) -> str:
    """Escape the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
