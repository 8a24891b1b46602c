"""What a terminal says of a run at its end: what it amounts to, the counts and the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from symscape.page.view import RunView

if TYPE_CHECKING:
    from symscape.results.run_results import RunResults


def closing_lines(run: RunResults, folder: Path, skipped: int = 0) -> tuple[str, str]:
    """Return a run's sentence, and a line with its counts and its page.

    Parameters
    ----------
    folder
        Of the report.
    skipped
        Cases that were skipped, which results don't have.
    """
    counts = [
        f"{sum(case.status == status for case in run.cases)} {status}"
        for status in ("passed", "failed", "error")
    ]
    if skipped:
        counts.append(f"{skipped} skipped")
    page = os.path.relpath(folder / "index.html", Path.cwd())
    name = run.model.name
    return (
        f"{name}: {run.seen_as(RunView).sentence}.",
        f"{name}: {', '.join(counts)}; report: {page}",
    )
