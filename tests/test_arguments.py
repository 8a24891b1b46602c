"""Functions of the Python interface name an argument of the wrong type."""

from __future__ import annotations

import inspect

import pytest

import symscape
from symscape.errors import ArgumentError, SymscapeError

FUNCTIONS = [name for name in symscape.__all__ if inspect.isfunction(getattr(symscape, name, None))]


class Stranger:
    """Nothing that any function takes."""


def test_there_are_functions():
    assert {"write_report", "figure", "judge", "load_reference"} <= set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_argument_is_named(name):
    """Each argument in turn; what any object may be is left to the function."""
    function = getattr(symscape, name)
    for parameter in inspect.signature(function).parameters.values():
        hint = str(parameter.annotation)
        if any(part in hint for part in ("Any", "[", "ndarray", "Layout", "FigureKind")):
            continue
        with pytest.raises(ArgumentError, match=f"^{name}: {parameter.name} is a Stranger") as told:
            function(**{parameter.name: Stranger()})
        assert isinstance(told.value, SymscapeError)
        assert isinstance(told.value, TypeError)


def test_swapped_arguments_are_named_with_their_order(tmp_path):
    run = symscape.RunResults.__new__(symscape.RunResults)
    with pytest.raises(ArgumentError, match="write_report: folder is a RunResults") as told:
        symscape.write_report(run, tmp_path)
    assert "the order of the arguments: folder, run" in str(told.value)


def test_a_missing_argument_stays_pythons_own_error():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        symscape.figure()
