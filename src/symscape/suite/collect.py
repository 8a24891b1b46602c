"""Turning models and stored slices into parametrized cases, without loading either."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from symscape.errors import SymscapeError
from symscape.suite.session import session_of

if TYPE_CHECKING:
    from symscape.references.library import ReferenceEntry
    from symscape.suite.session import SuiteSession


def check_settings(config: pytest.Config) -> None:
    """Refuse before anything is collected what the user asked for and can't have.

    Raises
    ------
    pytest.UsageError
        If a model, material, folder or tolerance file that the user named is not there.
    """
    try:
        session = session_of(config)
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
        marker = metafunc.definition.get_closest_marker("landscape")
        question = marker.args[0] if marker and marker.args else "energies"
        cases = [
            pytest.param(
                (model, entry),
                id=f"{model}-{entry.id}",
                marks=_marks(session, question, model, entry),
            )
            for model in session.model_names
            for entry in session.entries
        ]
    except SymscapeError as error:
        # of the exceptions that may be raised here, only this one is printed without a traceback
        raise pytest.Collector.CollectError(str(error)) from None
    metafunc.parametrize("landscape", cases, indirect=True)


def _marks(
    session: SuiteSession, question: str, model: str, entry: ReferenceEntry
) -> list[pytest.MarkDecorator]:
    """Skip what can't run; expect a known failure, strictly, so that a pass is noticed."""
    if reason := session.missing(model):
        return [pytest.mark.skip(reason=reason)]
    known = session.known_failure(question, model, entry.material, entry.slice)
    if known is None or known.expired(date.today()):
        return []
    return [pytest.mark.xfail(reason=f"{known.reason} (until {known.expires})", strict=True)]
