"""What an exception in a test says of its case: a verdict that failed, a skip, or no verdict."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from symscape.errors import NotEvaluated, SymscapeError, message_of, printable

#: how pytest's own outcomes are raised; a model may raise them too
OUTCOMES = (pytest.skip.Exception, pytest.fail.Exception, pytest.exit.Exception)


class FailedVerdict(pytest.fail.Exception):  # type: ignore[name-defined,misc]
    """A case was judged and failed: all that a known failure or a marker can excuse."""

    # pytest prints it as what it is
    __module__, __qualname__ = "builtins", pytest.fail.Exception.__qualname__


@contextmanager
def no_outcome_of_pytest() -> Generator[None]:
    """Let a model that skips or fails a test have failed: only a test says what becomes of it.

    Raises
    ------
    NotEvaluated
        In place of what pytest would take for the test's own word.
    """
    try:
        yield
    except OUTCOMES as outcome:
        raised = f"pytest's {type(outcome).__name__}: {message_of(outcome, 300)}"
        raise NotEvaluated(f"the model raised {raised}.") from outcome


def why_not_judged(error: BaseException | None) -> str | None:
    """Say why a test's exception leaves its case without a verdict; None where it doesn't.

    Whatever it derives from: only a verdict that failed and a skip, which is counted apart, are no
    errors.
    """
    if error is None or isinstance(error, FailedVerdict | pytest.skip.Exception):
        return None
    if isinstance(error, SymscapeError):
        return printable(str(error).strip()) or type(error).__name__
    return f"{type(error).__name__}: {message_of(error, 300)}"
