"""What verdicts keep for reports: dataclasses of the questions, as plain data in results.

A question writes its own with `plain` and whoever reports on it reads the same with `kept`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from symscape.decode import DecodeError, decode, encode
from symscape.questions.case import CaseResult

Detail = TypeVar("Detail")

#: why a surface without an energy at DFT's minimum is not judged
NO_ZERO = "the model gave no energy at the DFT minimum, so that there is no common zero"


@dataclasses.dataclass(frozen=True)
class Unjudged:
    """What a case keeps that could not be judged: why."""

    message: str


def plain(value: Any) -> Any:
    """Return a detail as results keep it: what may be missing and is None is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {f.name: (f, getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {
            name: plain(item)
            for name, (field, item) in found.items()
            if not (item is None and field.default is None)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return encode(value)


def kept(kind: type[Detail], case: CaseResult) -> Detail:
    """Return what a case keeps; nothing where it is not as it should be: it may be anybody's.

    Parameters
    ----------
    kind
        A dataclass whose fields all have defaults.
    """
    try:
        detail: Detail = decode(kind, encode(case.detail), "detail")
    except DecodeError:
        return kind()
    return detail


def sound_rows(kind: type[Detail], rows: Any) -> Iterable[Detail]:
    """Yield the rows of a list that are as they should be; none where it is no list."""
    for row in rows if isinstance(rows, list | tuple) else ():
        try:
            yield decode(kind, encode(row), "row")
        except (DecodeError, TypeError):
            continue
