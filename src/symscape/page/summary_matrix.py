"""The table of a summary: landscapes and groups of crystals against questions, in marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symscape.page.diagnosis import diagnose
from symscape.questions.registry import QUESTIONS

if TYPE_CHECKING:
    from symscape.page.view import Outcome, RunView, SliceView

SYMBOLS: dict[Outcome, str] = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "known": "✗",
    "surprise": "✓!",
}
#: rows of each table; a summary is one screen
_MOST_ROWS = {"slices": 20, "crystals": 10}


def mark_tables(view: RunView) -> list[tuple[list[str], list[list[str]], int]]:
    """Return one table for slices and one for crystals, as far as there are such.

    Returns
    -------
    list
        Head, rows (name, a mark for each question, what is wrong) and how many rows were left out;
        text as it came from files, not escaped.
    """
    tables = []
    for about, noun in (("slices", "landscape"), ("crystals", "crystals")):
        items = [item for item in view.slices if item.about == about]
        if items:
            names = _questions(items)
            titles = [name.replace("_", " ") for name in names]
            rows = [_row(item, names) for item in items[: _MOST_ROWS[about]]]
            left = len(items) - len(rows)
            tables.append(([noun, *titles, "what is wrong"], rows, left))
    return tables


def _questions(items: Sequence[SliceView]) -> list[str]:
    """Names of the questions that were asked, in the order in which reports tell them."""
    asked = {case.case.question for item in items for case in item.cases}
    return [*(name for name in QUESTIONS if name in asked), *sorted(asked - set(QUESTIONS))]


def _row(item: SliceView, names: Sequence[str]) -> list[str]:
    marks = {case.case.question: SYMBOLS[case.status] for case in item.cases}
    return [item.id, *(marks.get(name, "") for name in names), diagnose(item)]
