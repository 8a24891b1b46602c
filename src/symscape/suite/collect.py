"""Turning models and stored slices into parametrized cases, without loading either."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

import pytest

from symscape.errors import SymscapeError
from symscape.models.devices import check_device
from symscape.questions.registry import question_named
from symscape.suite.choices import check_places
from symscape.suite.exceptions import FailedVerdict, no_outcome_of_pytest
from symscape.suite.roll import question_of
from symscape.suite.session import session_of

if TYPE_CHECKING:
    from symscape.questions.question import Question
    from symscape.questions.subjects import Subject
    from symscape.suite.session import SuiteSession


def check_settings(config: pytest.Config) -> None:
    """Refuse before anything is collected what the user asked for and can't have.

    Raises
    ------
    pytest.UsageError
        If a model, material, folder or tolerance file that the user named is not there.
    """
    try:
        with no_outcome_of_pytest():
            session = session_of(config)
            check_places(session.settings)
            for device in {spec.device for spec in session.settings.models} - {"auto"}:
                check_device(device)
            for model in session.model_names:
                session.missing(model)
            if session.settings.materials or config.getoption("--references"):
                _ = session.entries
    except SymscapeError as error:
        raise pytest.UsageError(str(error)) from None


def parametrize_landscapes(metafunc: pytest.Metafunc) -> None:
    """Make one case of every model, material and slice.

    Raises
    ------
    pytest.Collector.CollectError
        If there are no references, or the ini file names what is not there.
    """
    try:
        session = session_of(metafunc.config)
        question = question_named(question_of(metafunc.definition, "landscape")).name
        cases = [
            pytest.param(
                (model, entry),
                id=f"{model}-{entry.id}",
                marks=_marks(session, question, model, entry.material, entry.slice),
            )
            for model in session.model_names
            for entry in session.entries
        ]
    except SymscapeError as error:
        # of the exceptions that may be raised here, only this one is printed without a traceback
        raise pytest.Collector.CollectError(str(error)) from None
    metafunc.parametrize("landscape", cases, indirect=True)


def parametrize_hulls(metafunc: pytest.Metafunc) -> None:
    """Make one case of every model and chemical system, or symmetry class, as the question is.

    None where the references hold no crystals.

    Raises
    ------
    pytest.Collector.CollectError
        If a file of crystals can't be read.
    """
    from symscape.questions.occasions import crystal_subjects

    _parametrize(
        metafunc, "crystals", lambda asked, own: crystal_subjects(asked.subject, own.crystals)
    )


def parametrize_curves(metafunc: pytest.Metafunc) -> None:
    """Make one case of every model and group of the periodic table, or prototype.

    None where the references hold no equations of state.

    Raises
    ------
    pytest.Collector.CollectError
        If the equations of state can't be read.
    """
    _parametrize(metafunc, "curves", lambda asked, own: own.curve_subjects(asked))


def _parametrize(
    metafunc: pytest.Metafunc,
    fixture: str,
    find: Callable[[Question, SuiteSession], Iterable[Subject]],
) -> None:
    """Make one case of every model and what a question is asked about."""
    try:
        session = session_of(metafunc.config)
        question = question_named(question_of(metafunc.definition, fixture))
        cases = [
            pytest.param(
                (model, subject),
                id=f"{model}-{subject.id}",
                marks=_marks(session, question.name, model, subject.material, subject.slice),
            )
            for model in session.model_names
            for subject in find(question, session)
        ]
    except SymscapeError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    metafunc.parametrize(fixture, cases, indirect=True)


def _marks(
    session: SuiteSession, question: str, model: str, material: str, name: str
) -> list[pytest.MarkDecorator]:
    """Skip what can't run; expect a known failure, strictly, so that a pass is noticed."""
    if reason := session.missing(model):
        return [pytest.mark.skip(reason=reason)]
    known = session.known_failure(question, model, material, name)
    if known is None or known.expired(date.today()):
        return []
    # only a failed verdict is excused: what could not be evaluated is never as expected
    return [
        pytest.mark.xfail(
            reason=f"{known.reason} (until {known.expires})",
            raises=FailedVerdict,
            strict=True,
        )
    ]
