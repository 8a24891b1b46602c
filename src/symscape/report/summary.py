"""summary.md: what a CI job pastes into its summary. The verdict first, failures worst first."""

from __future__ import annotations

import re

from symscape.report.points import WorstPoint
from symscape.report.results import RunResults
from symscape.report.view import CaseView, RunView, SliceView, check_words
from symscape.report.words import (
    NOTHING,
    count_text,
    duration_text,
    metric_text,
    number_text,
    pair_text,
    place_text,
)
from symscape.verdict.case import Status

SYMBOLS: dict[Status, str] = {"passed": "✓", "failed": "✗", "error": "!"}
WORDS: dict[Status, str] = {"passed": "passed", "failed": "failed", "error": "not judged"}


def summary_markdown(run: RunResults) -> str:
    """Return the summary of a run in GitHub's Markdown."""
    view = RunView(run)
    counts = view.counts
    tally = (
        f"{count_text(counts['failed'], 'case')} failed, {counts['error']} not judged, "
        f"{counts['passed']} passed; tolerances {_escape(run.tolerances)}; "
        f"{duration_text(run.wall_seconds)}."
    )
    headline = f"## {SYMBOLS[view.status]} {_escape(run.model.name)}: {_escape(view.sentence)}"
    lines = [headline, "", tally]
    lines += [f"\n> {_escape(note)}" for note in run.baseline_notes]
    lines += _failures(view)
    lines += _not_judged(view)
    lines += _passed(view)
    lines += _notices(view)
    return "\n".join(lines) + "\n"


def _failures(view: RunView) -> list[str]:
    rows = [
        [_escape(item.id), _escape(_checks_text(case)), _escape(_worst_text(case.detail.worst))]
        for item in view.with_status("failed")
        for case in item.cases
        if case.case.status == "failed"
    ]
    if not rows:
        return []
    head = ["landscape", "outside tolerance (value, tolerance)", "worst point"]
    return ["", "### Failed, worst first", "", *_table(head, rows, "lll")]


def _checks_text(case: CaseView) -> str:
    parts = []
    for check in case.failed_checks:
        words = check_words(check)
        unit = f" {words['unit']}" if words["unit"] else ""
        parts.append(f"{words['title']} {words['value']}{unit} ({words['limit']})")
    return "; ".join(parts) or NOTHING


def _worst_text(worst: WorstPoint | None) -> str:
    if worst is None:
        return NOTHING
    text = f"{number_text(worst.error_meV, 1, sign=True)} meV/atom at {place_text(worst.values)}"
    return f"{text}; {pair_text(worst.closest_pair)}" if worst.closest_pair else text


def _not_judged(view: RunView) -> list[str]:
    rows = [
        [_escape(item.id), _escape(case.title), _escape(case.detail.message or NOTHING)]
        for item in view.slices
        for case in item.cases
        if case.case.status == "error"
    ]
    if not rows:
        return []
    return ["", "### Not judged", "", *_table(["landscape", "question", "reason"], rows, "lll")]


def _passed(view: RunView) -> list[str]:
    rows = [_numbers(item) for item in view.with_status("passed")]
    if not rows:
        return []
    head = ["landscape", "MAE (meV/atom)", "mean signed error (meV/atom)", "softening scale"]
    return ["", "### Passed", "", *_table(head, rows, "lrrr")]


def _numbers(item: SliceView) -> list[str]:
    judged = item.judged
    return [
        _escape(item.id),
        metric_text("mae", judged.get("mae"), "meV/atom"),
        metric_text("mean_signed_error", judged.get("mean_signed_error"), "meV/atom"),
        metric_text("softening_scale", judged.get("softening_scale"), ""),
    ]


def _notices(view: RunView) -> list[str]:
    lines = []
    for item in view.slices:
        told = {case.detail.message for case in item.cases}
        notes = [n for n in view.notices(item) if n not in told] + view.remarks(item)
        lines += [f"- {_escape(item.id)}: {_escape(note)}" for note in notes]
    return ["", "### Notes", "", *lines] if lines else []


def _table(head: list[str], rows: list[list[str]], align: str) -> list[str]:
    rules = {"l": ":--", "r": "--:"}
    lines = [head, [rules[a] for a in align], *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _escape(text: str) -> str:
    """Keep text from a file from being read as Markdown or HTML."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*\[\]|#~]|(?<!\w)_|_(?!\w))", r"\\\1", text)
