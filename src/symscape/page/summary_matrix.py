"""The table of a summary: landscapes and groups of crystals against questions, in marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from symscape.page.diagnosis import diagnose
from symscape.questions.registry import QUESTIONS, question_title

if TYPE_CHECKING:
    from symscape.page.case_views import Outcome, SliceView
    from symscape.page.view import RunView

SYMBOLS: dict[Outcome, str] = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "known": "✗",
    "surprise": "✓!",
}


class MarkTable(NamedTuple):
    """Marks in words, as they came from files, not escaped.

    Parameters
    ----------
    head
        Of the columns: what the rows are, a question each, what is wrong.
    rows
        Name, a mark for each question, what is wrong.
    left
        What was left out: ``10 more (8 of them not passed)``; empty where nothing was.
    """

    head: list[str]
    rows: list[list[str]]
    left: str


def mark_tables(view: RunView, rows: tuple[int, int], clauses: tuple[int, int]) -> list[MarkTable]:
    """Return one table for slices and one for crystals, as far as there are such.

    Parameters
    ----------
    rows
        Most rows of either.
    clauses
        Most clauses that say what is wrong, of either.
    """
    tables = []
    for about, noun, most, told in zip(
        ("slices", "crystals"), ("landscape", "crystals"), rows, clauses, strict=True
    ):
        items = [item for item in view.slices if item.about == about]
        if items:
            names = _questions(items[:most])
            titles = [question_title(name) for name in names]
            shown = [_row(item, names, told) for item in items[:most]]
            tables.append(MarkTable([noun, *titles, "what is wrong"], shown, _left(items[most:])))
    return tables


def _questions(items: Sequence[SliceView]) -> list[str]:
    """Names of the questions that were asked, in the order in which reports tell them."""
    asked = {case.case.question for item in items for case in item.cases}
    return [*(name for name in QUESTIONS if name in asked), *sorted(asked - set(QUESTIONS))]


def _row(item: SliceView, names: Sequence[str], clauses: int) -> list[str]:
    marks = {case.case.question: SYMBOLS[case.status] for case in item.cases}
    return [item.title, *(marks.get(name, "") for name in names), diagnose(item, clauses)]


def _left(items: Sequence[SliceView]) -> str:
    """Count what a table leaves out."""
    if not items:
        return ""
    wrong = sum(item.status != "passed" for item in items)
    return f"{len(items)} more ({wrong} of them not passed)"
