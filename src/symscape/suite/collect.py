"""Turning models and stored slices into parametrized cases, without loading either."""

from __future__ import annotations

from typing import Any

import pytest

from symscape.errors import SymscapeError
from symscape.suite.session import session_of


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
        cases: list[Any] = []
        for model in session.model_names:
            reason = session.missing(model)
            marks = [pytest.mark.skip(reason=reason)] if reason else []
            cases += [
                pytest.param((model, entry), id=f"{model}-{entry.id}", marks=marks)
                for entry in session.entries
            ]
    except SymscapeError as error:
        # of the exceptions that may be raised here, only this one is printed without a traceback
        raise pytest.Collector.CollectError(str(error)) from None
    metafunc.parametrize("landscape", cases, indirect=True)
