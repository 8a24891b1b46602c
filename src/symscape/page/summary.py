"""summary.md: what a CI job pastes into its summary. One screen; the rest is folded below it."""

from __future__ import annotations

import re

from symscape.page.case_views import CaseView, Outcome, SliceView
from symscape.page.changes import ChangeRow, change_rows, count_changes
from symscape.page.checks import check_words
from symscape.page.curves_view import CurvesView
from symscape.page.hull_view import HullView
from symscape.page.summary_matrix import SYMBOLS, mark_tables
from symscape.page.view import RunView
from symscape.page.words import (
    NOTHING,
    count_text,
    duration_text,
    metric_text,
    number_text,
    pair_text,
    place_text,
    sentence_text,
)
from symscape.questions.energies import MAE, MEAN_SIGNED_ERROR, SOFTENING_SCALE
from symscape.questions.named_points import WorstPoint
from symscape.results.run_results import RunResults

WORDS: dict[Outcome, str] = {
    "passed": "passed",
    "failed": "failed",
    "error": "not judged",
    "known": "failed as declared",
    "surprise": "passed unexpectedly",
}
#: where the report is, as every summary ends
REPORT = "The report is [index.html](index.html) beside this file."
#: most rows about landscapes and about crystals: with the rest they fit on a screen
_ROWS, _ROWS_BESIDE_CHANGES, _CHANGES = (10, 5), (5, 3), 8
#: most clauses of a row that say what is wrong; those about crystals are long
_CLAUSES = (2, 1)
#: what is told of landscapes within tolerance
_TOLD = (MAE, MEAN_SIGNED_ERROR, SOFTENING_SCALE)


def summary_markdown(run: RunResults) -> str:
    """Return the summary of a run in GitHub's Markdown."""
    view = run.seen_as(RunView)
    counts = view.counts
    rare: tuple[Outcome, ...] = ("known", "surprise")
    more = "".join(f"{counts[kind]} {WORDS[kind]}, " for kind in rare if counts[kind])
    tally = (
        f"{count_text(counts['failed'], 'case')} failed, {more}{counts['error']} not judged, "
        f"{counts['passed']} passed; tolerances {escape_markdown(run.tolerances)}; "
        f"{duration_text(run.wall_seconds)}."
    )
    said = escape_markdown(f"{run.model.name}: {view.sentence}")
    headline = f"## {SYMBOLS[view.status]} {said}"
    lines = [headline, "", tally]
    lines += [f"\n> {escape_markdown(note)}" for note in run.baseline_notes]
    lines += _changes(view)
    lines += _marks(view)
    if curves := run.seen_as(CurvesView).sentence:
        lines += ["", escape_markdown(sentence_text(curves))]
    folded = [
        *_not_judged(view),
        *_declared(view),
        *_failures(view),
        *_passed(view),
        *hull_summary(run.seen_as(HullView)),
        *_notices(view),
    ]
    if folded:
        lines += ["", "<details><summary>Numbers and notes</summary>", *folded, "", "</details>"]
    lines += ["", REPORT]
    return "\n".join(lines) + "\n"


def _marks(view: RunView) -> list[str]:
    """Lay out landscapes and crystals against questions, and count what is left out."""
    lines = []
    most = _ROWS if view.run.baseline is None else _ROWS_BESIDE_CHANGES
    for head, rows, left in mark_tables(view, most, _CLAUSES):
        cells = [[escape_markdown(cell) for cell in row] for row in rows]
        align = "l" + "c" * (len(head) - 2) + "l"
        lines += ["", *_table([escape_markdown(cell) for cell in head], cells, align)]
        if left:
            lines += ["", f"and {left}, which the report shows."]
    return lines


def _failures(view: RunView) -> list[str]:
    rows = [
        [
            escape_markdown(item.title),
            escape_markdown(_checks_text(case)),
            escape_markdown(_worst_text(case.notes.worst)),
        ]
        for item in view.with_status("failed")
        for case in item.cases
        if case.status == "failed"
    ]
    if not rows:
        return []
    head = ["landscape", "outside tolerance (value, tolerance)", "worst point"]
    return ["", "### Failed, worst first", "", *_table(head, rows, "lll")]


def _changes(view: RunView) -> list[str]:
    """Say what changed since the baseline, worse first; what did not is counted."""
    rows = change_rows(view)
    if not rows:
        return []
    counts = ", ".join(f"{n} {change}" for change, n in count_changes(rows).items())
    told = [row for row in rows if row.change != "same"]
    lines = ["", "### Since the baseline", "", f"{counts}."]
    if told:
        head = ["change", "landscape", "question", "what changed most"]
        lines += ["", *_table(head, [_change(row) for row in told[:_CHANGES]], "llll")]
    if len(told) > _CHANGES:
        lines += ["", f"and {len(told) - _CHANGES} more, which the report shows."]
    return lines


def _change(row: ChangeRow) -> list[str]:
    return [row.change, *map(escape_markdown, (row.title, row.question, row.text))]


def _declared(view: RunView) -> list[str]:
    """List the known failures, and those that passed all the same."""
    rows = [
        [
            WORDS[case.status],
            escape_markdown(item.title),
            escape_markdown(case.title),
            escape_markdown(case.notes.known_failure or NOTHING),
            case.notes.known_failure_expires or NOTHING,
        ]
        for item in view.slices
        for case in item.cases
        if case.status in ("known", "surprise")
    ]
    if not rows:
        return []
    head = ["", "landscape", "question", "reason", "until"]
    return ["", "### Declared as known failures", "", *_table(head, rows, "lllll")]


def _checks_text(case: CaseView) -> str:
    parts = []
    for check in case.failed_checks:
        words = check_words(check)
        unit = f" {words.unit}" if words.unit else ""
        parts.append(f"{words.title} {words.value}{unit} ({words.limit})")
    return "; ".join(parts) or NOTHING


def _worst_text(worst: WorstPoint | None) -> str:
    if worst is None:
        return NOTHING
    text = f"{number_text(worst.error_meV, 1, sign=True)} meV/atom at {place_text(worst.values)}"
    return f"{text}; {pair_text(worst.closest_pair)}" if worst.closest_pair else text


def _not_judged(view: RunView) -> list[str]:
    rows = [
        [
            escape_markdown(item.title),
            escape_markdown(case.title),
            escape_markdown(case.notes.message or NOTHING),
        ]
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
    return [
        escape_markdown(item.title),
        *(metric_text(m.name, m.of(item.judged)) for m in _TOLD),
    ]


def hull_summary(view: HullView) -> list[str]:
    """Return lines on the hulls and the crystals behind each failed check; none without hulls."""
    if not view.sentence:
        return []
    lines = ["", "### Hulls", "", f"{view.sentence[:1].upper()}{view.sentence[1:]}."]
    found = [(fail.name, fail.title, fail.value, fail.text) for fail in view.failures]
    rows = [[escape_markdown(cell) for cell in row] for row in found]
    head = ["case", "outside tolerance", "value", "crystals"]
    return [*lines, "", *_table(head, rows, "llrl")] if rows else lines


def _notices(view: RunView) -> list[str]:
    lines = []
    for item in view.slices:
        told = {case.notes.message for case in item.cases}
        notes = [n for n in view.notices(item) if n not in told] + view.remarks(item)
        lines += [f"- {escape_markdown(item.title)}: {escape_markdown(note)}" for note in notes]
    return ["", "### Notes", "", *lines] if lines else []


def _table(head: list[str], rows: list[list[str]], align: str) -> list[str]:
    rules = {"l": ":--", "r": "--:", "c": ":-:"}
    lines = [head, [rules[a] for a in align], *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def escape_markdown(text: str) -> str:
    """Keep text from a file from being read as Markdown or HTML."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*\[\]|#~]|(?<!\w)_|_(?!\w))", r"\\\1", text)
