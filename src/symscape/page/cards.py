"""What the list of cards can be filtered by: elements, questions, verdicts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symscape.page.case_views import OUTCOMES, Outcome
from symscape.questions.registry import QUESTIONS

if TYPE_CHECKING:
    from symscape.page.case_views import SliceView
    from symscape.page.view import RunView


@dataclass(frozen=True)
class CardChoices:
    """What a reader can choose from; only what occurs in the run.

    Parameters
    ----------
    outcomes
        Verdicts on a slice.
    questions
        Name and title of each question.
    elements
        Chemical symbols, in the order of the alphabet.
    """

    outcomes: tuple[Outcome, ...]
    questions: tuple[tuple[str, str], ...]
    elements: tuple[str, ...]


def elements_of(item: SliceView) -> tuple[str, ...]:
    """Return the elements of a slice's crystal or of a chemical system, in the alphabet's order."""
    if item.reference:
        return tuple(sorted(set(re.findall("[A-Z][a-z]?", item.reference.formula))))
    return tuple(sorted(item.subject.elements))


def card_choices(view: RunView) -> CardChoices:
    """Return what the cards of a run can be filtered by."""
    titles = {case.case.question: case.title for item in view.slices for case in item.cases}
    order = [*(name for name in QUESTIONS if name in titles), *sorted(set(titles) - set(QUESTIONS))]
    elements = {e for item in view.slices if item.reference for e in elements_of(item)}
    statuses = {item.status for item in view.slices}
    return CardChoices(
        outcomes=tuple(outcome for outcome in OUTCOMES if outcome in statuses),
        questions=tuple((name, titles[name]) for name in order),
        elements=tuple(sorted(elements)),
    )
