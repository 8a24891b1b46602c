"""Frozen dataclasses to JSON and back, checked field by field.

The type hints of the dataclasses are the schema; every complaint names the field by its path, as in
``cases[3].checks[0].limit``.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from functools import cache, partial
from math import isfinite
from typing import Any, ClassVar, NewType, Self

import numpy as np

from symscape.errors import shown

#: in a type hint: a number that is neither NaN nor infinite, where null won't do
Finite = NewType("Finite", float)

_PLAIN = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    float: "a number",
    date: "a day, as in 2027-03-31",
}
#: values of just these types are what JSON knows
_ENCODED = frozenset({type(None), bool, int, str})
#: made once: a file has tens of thousands of values
_PLAIN_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class DecodeError(ValueError):
    """A field is missing or of the wrong type; the message says which and how."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpenRecord:
    """A part of a file that may say more than its fields, and that is written as it was read.

    `encode` keeps the order of the keys, what else they say, and numbers that were not changed as
    they stood (520 stays 520). Fields that are empty by default are left out.

    Parameters
    ----------
    as_read
        The part as it stood in the file; empty if it is from nowhere.
    """

    #: whether it may say more even in a file that is closed
    says_more: ClassVar[bool] = True

    as_read: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)


class WrittenShort(ABC):
    """A dataclass that a file writes as less than a table, such as a number."""

    @classmethod
    @abstractmethod
    def written(cls, value: object) -> Self:
        """Read what a file writes.

        Raises
        ------
        ValueError
            If it is something else; the message says what it must be.
        """


def is_finite(value: Any) -> bool:
    """Whether a value of a file is a number that fits a float and is not NaN or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return isfinite(value)
    except OverflowError:
        return False


@cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """Return the names of a dataclass's fields; None for any other type."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


def encode(value: Any) -> Any:
    """Turn dataclasses, arrays and containers into what JSON knows.

    Fields keep the order in which they are declared, keys of dictionaries theirs. Numbers that are
    not finite become None: JSON has no NaN.

    Raises
    ------
    TypeError
        If something in ``value`` has no JSON form.
    """
    kind: type = type(value)
    if kind in _ENCODED:
        return value
    if kind is float:
        return value if isfinite(value) else None
    if kind is dict:
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, OpenRecord):
        return _encode_open(value)
    if (names := _fields(kind)) is not None:
        return {name: encode(getattr(value, name)) for name in names}
    if isinstance(value, int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return encode(value.tolist())
    if isinstance(value, list | tuple):
        kinds = set(map(type, value))
        if kinds == {float}:  # rows of grids are most of what there is
            return [item if isfinite(item) else None for item in value]
        return list(value) if kinds <= _ENCODED else [encode(item) for item in value]
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, float):
        return value if isfinite(value) else None
    raise TypeError(f"{kind.__name__} has no form in a results file")


def _encode_open(value: OpenRecord) -> dict[str, Any]:
    fields = [f for f in dataclasses.fields(value) if f.name != "as_read"]
    own = {f.name: encode(getattr(value, f.name)) for f in fields}
    empty = {
        f.name
        for f in fields
        if f.default is not f.default_factory and own[f.name] in (None, "", [], {})
    }
    # False is no number here: JSON's 0 is kept, and so is what a field has no default for
    empty |= {f.name for f in fields if f.default is False and own[f.name] is False}
    written = {
        key: own[key] if key in own and own[key] != raw else raw
        for key, raw in value.as_read.items()
        if key not in empty or own[key] == raw
    }
    return written | {
        name: item for name, item in own.items() if name not in written and name not in empty
    }


def decode(kind: Any, value: Any, where: str, *, closed: bool = False) -> Any:
    """Turn JSON or TOML into ``kind``: a dataclass, a container or a plain type.

    Where a ``float`` is wanted, None gives NaN; a `Finite` takes no None. Fields with a default may
    be missing.

    Parameters
    ----------
    kind
        A type hint; of several in a union the first that fits is taken. A ``Mapping`` becomes a
        dict, a ``Sequence`` a tuple.
    where
        Path of ``value`` in the document, for the complaint.
    closed
        Whether a key that a dataclass does not have is refused: what a person writes may be
        misspelled. Otherwise it is ignored, so that a file with additions still loads. `OpenRecord`
        ones may say more in any file.

    Raises
    ------
    DecodeError
        If ``value`` does not fit.
    """
    return _decoder(kind)(value, where, closed)


#: turns a value into what one type hint asks for, given its path and whether the file is closed
_Decoder = Callable[[Any, str, bool], Any]


@cache
def _decoder(kind: Any) -> _Decoder:
    """Return what decodes a type hint: a hint is looked at once, of values there are many."""
    if kind in (Any, object):
        return lambda value, where, closed: value
    if isinstance(kind, type) and issubclass(kind, WrittenShort):
        return partial(_decode_short, kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return partial(_decode_dataclass, kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union_decoder(arguments)
    if origin is typing.Literal:
        return partial(_decode_literal, arguments)
    if origin in (dict, Mapping):
        return partial(_decode_mapping, arguments[1])
    if origin in (list, tuple):
        return partial(_decode_sequence, origin, arguments)
    if origin is Sequence:
        return partial(_decode_sequence, tuple, (*arguments, ...))
    if kind is Finite:
        return _decode_finite
    if kind is float:
        return _decode_float
    return partial(_decode_plain, kind)


def _decode_short(kind: type[WrittenShort], value: Any, where: str, closed: bool) -> Any:
    try:
        return kind.written(value)
    except ValueError as error:
        raise DecodeError(f"field '{where}' is {shown(value)}, but must be {error}") from None


def _decode_literal(allowed: tuple[Any, ...], value: Any, where: str, closed: bool) -> Any:
    if value not in allowed:
        wanted = " or ".join(map(repr, allowed))
        raise DecodeError(f"field '{where}' is {shown(value)} instead of {wanted}")
    return value


def _decode_mapping(kind: Any, value: Any, where: str, closed: bool) -> Any:
    _expect(isinstance(value, dict), where, "an object")
    return {k: decode(kind, v, _spot(where, k), closed=closed) for k, v in value.items()}


def _decode_finite(value: Any, where: str, closed: bool) -> float:
    if type(value) is float and isfinite(value):  # nearly all of them
        return value
    _expect(is_finite(value), where, "a finite number")
    return float(value)


def _decode_float(value: Any, where: str, closed: bool) -> float:
    _expect(value is None or is_finite(value), where, _PLAIN[float])
    return math.nan if value is None else float(value)


def _decode_plain(kind: Any, value: Any, where: str, closed: bool) -> Any:
    if type(value) is kind:
        return value
    # JSON's true is a Python int, and a moment of TOML a day; neither is meant
    other = {int: bool, date: datetime}.get(kind, ())
    _expect(isinstance(value, kind) and not isinstance(value, other), where, _PLAIN[kind])
    return value


@cache
def _schema(kind: type) -> dict[str, tuple[Any, bool]]:
    """Type hint of each field, and whether it must be there; slower to find than to read a case."""
    hints = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is field.default_factory is missing)
        for field in dataclasses.fields(kind)
        if not (field.name == "as_read" and issubclass(kind, OpenRecord))
    }


def _spot(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _decode_dataclass(kind: type, value: Any, where: str, closed: bool) -> Any:
    _expect(isinstance(value, dict), where or "(the whole file)", "an object")
    known = _schema(kind)
    says_more = issubclass(kind, OpenRecord) and kind.says_more
    for key in value if closed and not says_more else ():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise DecodeError(f"the key {shown(_spot(where, key))} is unknown ({hint})")
    found: dict[str, Any] = {}
    for name, (hint, required) in known.items():
        if name in value:
            spot = f"{where}.{name}" if where else name
            found[name] = _decoder(hint)(value[name], spot, closed)
        elif required:
            raise DecodeError(f"field '{_spot(where, name)}' is missing")
    if issubclass(kind, OpenRecord):
        found["as_read"] = value
    return kind(**found)


def _union_decoder(kinds: tuple[Any, ...]) -> _Decoder:
    """Return what decodes with the first kind that takes the value."""
    some = tuple(kind for kind in kinds if kind is not type(None))
    if len(some) > 1:
        return partial(_decode_first, kinds, some)
    one = _decoder(some[0])
    if len(kinds) == 1:
        return one
    return lambda value, where, closed: None if value is None else one(value, where, closed)


def _decode_first(
    kinds: tuple[Any, ...], some: tuple[Any, ...], value: Any, where: str, closed: bool
) -> Any:
    if value is None and type(None) in kinds:
        return None
    complaints, own = [], f"field '{where}' is not "
    for kind in some:
        try:
            return decode(kind, value, where, closed=closed)
        except DecodeError as error:
            complaints.append(str(error))
    # what is wrong further inside says more: the container was of the right kind
    inner = [text for text in complaints if not text.startswith(own)]
    raise DecodeError(
        inner[-1] if inner else own + " or ".join(text.removeprefix(own) for text in complaints)
    )


def _decode_sequence(
    origin: Any, arguments: tuple[Any, ...], value: Any, where: str, closed: bool
) -> Any:
    _expect(isinstance(value, list), where, "a list")
    if origin is list or arguments[1:] == (...,):
        # rows of grids are most of a file
        if arguments[0] is int and all(type(item) is int for item in value):
            return origin(value)
        if arguments[0] in (float, float | None) and all(map(_is_number_or_none, value)):
            nothing = math.nan if arguments[0] is float else None
            return origin(nothing if item is None else float(item) for item in value)
        kinds = [arguments[0]] * len(value)
    else:
        _expect(len(value) == len(arguments), where, f"a list of {len(arguments)}")
        kinds = list(arguments)
    items = (
        decode(kind, item, f"{where}[{k}]", closed=closed)
        for k, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )
    return origin(items)


def _is_number_or_none(value: Any) -> bool:
    return value is None or is_finite(value)


def _expect(fits: bool, where: str, wanted: str) -> None:
    if not fits:
        raise DecodeError(f"field '{where}' is not {wanted}")


def dumps(document: Any, indent: int = 0) -> str:
    r"""Write JSON that reads and diffs well: lists of plain values on one line, the rest indented.

    Half a character (a lone surrogate), which no reader takes, becomes six: ``\ud800``.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    pad = "\n" + " " * (indent + 1)
    if isinstance(document, dict) and document:
        items = (
            f"{_plain_json(key)}: {dumps(value, indent + 1)}" for key, value in document.items()
        )
        return "{" + pad + f",{pad}".join(items) + "\n" + " " * indent + "}"
    if isinstance(document, list) and any(isinstance(item, dict | list) for item in document):
        items = (dumps(item, indent + 1) for item in document)
        return "[" + pad + f",{pad}".join(items) + "\n" + " " * indent + "]"
    return _plain_json(document)


def _plain_json(value: Any) -> str:
    text = _PLAIN_JSON(value)
    return text if text.isascii() else _HALF_CHARACTER.sub(_spelled_out, text)


def _spelled_out(found: re.Match[str]) -> str:
    return rf"\\u{ord(found[0]):04x}"
