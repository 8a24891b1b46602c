"""All questions, those of other packages included, and their metrics by name."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module, metadata
from pkgutil import iter_modules

import numpy as np

from symscape import questions
from symscape.errors import SymscapeError, shown
from symscape.notebook import map_html, noun_html, table_html
from symscape.questions.case import CaseResult
from symscape.questions.metric import Metric
from symscape.questions.notes import Notes
from symscape.questions.question import Question

#: entry points whose values are a `Question` each
ENTRY_POINTS = "symscape.questions"

#: what stands where a tolerance has no end
_NO_END = "–"
#: what every case may keep
_NOTES = frozenset(field.name for field in fields(Notes))
#: modules of this package that look questions up, and so can hold none
_READERS = frozenset({"records", "registry"})


def _own() -> tuple[Question, ...]:
    """Return the questions that modules of this package hold, in the order of reports."""
    names = [info.name for info in iter_modules(questions.__path__) if info.name not in _READERS]
    modules = [import_module(f"{questions.__name__}.{name}") for name in names]
    values = [value for module in modules for value in vars(module).values()]
    # a module that imports another's question holds the same one
    own = {id(value): value for value in values if isinstance(value, Question)}
    return tuple(sorted(own.values(), key=lambda question: (question.place, question.name)))


def collect_questions(others: tuple[Question, ...] = ()) -> dict[str, Question]:
    """Return questions by name.

    Raises
    ------
    SymscapeError
        If a name is taken twice, or a metric of the same name means another thing, or a question
        keeps what every case may keep.
    """
    found: dict[str, Question] = {}
    meanings: dict[str, tuple[object, ...]] = {}
    for question in (*_own(), *others):
        if question.name in found:
            raise SymscapeError(
                f"question {question.name!r} is defined twice; give the other one its own name."
            )
        found[question.name] = question
        if taken := _NOTES.intersection(_kept(question)):
            raise SymscapeError(
                f"question {question.name!r} keeps {' and '.join(sorted(taken))}, which every case "
                "may keep; put it into the case's notes, or give the field a name of its own."
            )
        for metric in (*question.metrics, *question.derived):
            meaning = _meaning(metric)
            if meanings.setdefault(metric.name, meaning) != meaning:
                raise SymscapeError(
                    f"metric {metric.name!r} of question {question.name!r} means another thing "
                    "elsewhere; give it a name of its own."
                )
    return found


def _kept(question: Question) -> list[str]:
    """Return names of the fields that results of a question keep."""
    return [] if question.detail is None else [field.name for field in fields(question.detail)]


def _meaning(metric: Metric) -> tuple[object, ...]:
    """Return what must be the same wherever a metric's name stands; how it scores need not."""
    return metric.title, metric.unit, metric.ideal, metric.signed, metric.counts


def _installed() -> tuple[Question, ...]:
    """Questions that installed packages bring.

    Raises
    ------
    SymscapeError
        If an entry point is no question or can't be imported.
    """
    found = []
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        try:
            question = entry.load()
        except (ImportError, AttributeError) as error:
            raise SymscapeError(
                f"question {entry.name!r} of another package can't be imported ({error}); mend or "
                "uninstall that package."
            ) from error
        if not isinstance(question, Question):
            raise SymscapeError(
                f"entry point {entry.name!r} of {ENTRY_POINTS} is a {type(question).__name__}, but "
                "must be a symscape.questions.question.Question."
            )
        found.append(question)
    return tuple(found)


QUESTIONS: dict[str, Question] = collect_questions(_installed())
_METRICS: dict[str, Metric] = {
    metric.name: metric
    for question in reversed(QUESTIONS.values())
    for metric in (*question.metrics, *question.derived)
}


def question_named(name: str) -> Question:
    """Return a question.

    Raises
    ------
    SymscapeError
        If there is none of that name.
    """
    if name not in QUESTIONS:
        raise SymscapeError(f"{shown(name)} is no question; known: {', '.join(QUESTIONS)}.")
    return QUESTIONS[name]


def metric_named(name: str) -> Metric:
    """Return a metric; a name that no question knows is a fact without unit.

    Results files of other versions may hold such names.
    """
    return _METRICS.get(name) or Metric(name, name.replace("_", " "), ideal=None)


def metric_title(name: str) -> str:
    """Words for a metric: ``mean absolute error`` for ``mae``."""
    return metric_named(name).title


def question_title(name: str) -> str:
    """Words for a question; those of its name if it is of another version."""
    known = QUESTIONS.get(name)
    return known.title if known else name.replace("_", " ").capitalize()


def question_words(name: str) -> str:
    """Words for a question within a sentence: ``relative energies``."""
    title = question_title(name)
    return title[:1].lower() + title[1:]


@noun_html.register
def case_html(case: CaseResult) -> str:
    """Return a case's checks as a table and, where they are kept, its energies as a map."""
    rows = [
        (
            "✓" if c.passed else "✗",
            metric_title(c.metric),
            c.value,
            *(_NO_END if end is None else end for end in c.limit),
            c.unit,
        )
        for c in case.checks
    ]
    head = ("", f"{question_title(case.question)}: {case.status}", "value", "low", "high", "unit")
    if case.energies is None:
        return table_html(rows, head)
    energies = np.array(case.energies, dtype=float)
    return table_html(rows, head) + map_html(energies, f"energies of {case.subject.title}")
