"""In GitHub Actions: the summary goes to the job's page, failures become annotations."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symscape.verdict.case import CaseResult

#: GitHub shows at most this many annotations of one kind for a step
_MOST_ANNOTATIONS = 10


def append_job_summary(summary: Path) -> bool:
    """Append a summary.md to the job summary; return whether there is one to append to.

    Raises
    ------
    OSError
        If the job summary's file can't be written to.
    """
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if not target:
        return False
    with open(target, "a", encoding="utf-8") as file:
        file.write(summary.read_text(encoding="utf-8") + "\n")
    return True


def failure_annotations(cases: Iterable[CaseResult]) -> list[str]:
    """Return the workflow commands that annotate failed cases; none outside GitHub Actions."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    from symscape.verdict.explain import limit_text

    lines = []
    for case in cases:
        if case.passed or "known_failure" in case.detail:
            continue
        failed = [check for check in case.checks if not check.passed]
        what = ", ".join(
            f"{c.metric} {c.value:.4g} {c.unit} (tolerance {limit_text(c)})" for c in failed
        )
        message = case.detail.get("message") or what or case.status
        lines.append(f"::error title={_property(case.id)}::{_data(f'{case.question}: {message}')}")
    left = len(lines) - _MOST_ANNOTATIONS
    more = [f"::warning::{left} more failed cases, see the report"] if left > 0 else []
    return [*lines[:_MOST_ANNOTATIONS], *more]


def _data(text: str) -> str:
    """Escape the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
