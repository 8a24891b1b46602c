"""Arguments of the Python interface, checked by their type hints: swapped ones are named."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import PurePath
from typing import ParamSpec, TypeVar

from symscape.errors import ArgumentError, shown

P = ParamSpec("P")
R = TypeVar("R")

_PLAIN: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "Path": PurePath,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "None": type(None),
}


def named_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse arguments of another type than the hints say, by name.

    Hints are compared as they are written, ``LandscapeReference`` with the names of a value's
    classes, so that nothing is imported for it; aliases and containers are not looked into.

    Raises
    ------
    ArgumentError
        When the function is called with such an argument.
    """
    signature = inspect.signature(function)
    kinds = {
        name: tuple(str(parameter.annotation).split(" | "))
        for name, parameter in signature.parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    known = vars(inspect.getmodule(function))
    kinds = {
        name: parts
        for name, parts in kinds.items()
        if all(_is_class(part, known) for part in parts)
    }

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind_partial(*args, **kwargs).arguments
        for name, value in given.items():
            if name in kinds and not any(_is(value, kind) for kind in kinds[name]):
                raise ArgumentError(
                    f"{function.__name__}: {name} is {_a(type(value).__name__)} "
                    f"({shown(value)}) instead of {' or '.join(map(_a, kinds[name]))}; look at the "
                    f"order of the arguments: {', '.join(signature.parameters)}."
                )
        return function(*args, **kwargs)

    return checked


def _is_class(kind: str, known: Mapping[str, object]) -> bool:
    """Whether a hint is the name of a class; one of an import for type checkers alone counts."""
    if kind in _PLAIN:
        return True
    return kind != "Any" and kind.isidentifier() and isinstance(known.get(kind, type), type)


def _is(value: object, kind: str) -> bool:
    if kind in _PLAIN:
        return isinstance(value, _PLAIN[kind])
    return any(known.__name__ == kind for known in type(value).__mro__)


def _a(kind: str) -> str:
    if kind in ("None", "NoneType"):
        return "None"
    return f"an {kind}" if kind[0] in "AEIOUaeiou" else f"a {kind}"
