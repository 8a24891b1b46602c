"""The small JSON files that a leaderboard keeps beside its results."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

from symscape.decode import DecodeError, decode, dumps, encode
from symscape.errors import ResultsFileError
from symscape.files import write_atomically
from symscape.jsontext import JsonTextError, parse_json


class _Kept(Protocol):
    @property
    def schema(self) -> str: ...


T = TypeVar("T", bound=_Kept)


def read_kept(kind: type[T], path: Path, advice: str, schema: str = "") -> T | None:
    """Return what a file of a leaderboard's folder holds; None where there is no such file.

    Parameters
    ----------
    kind
        A dataclass, as `decode` takes it.
    path
        The file.
    advice
        What to do about a damaged one.
    schema
        The only one that is taken; by default the caller looks at it.

    Raises
    ------
    ResultsFileError
        If the file can't be read, or is of another schema.
    """
    if not path.exists():
        return None
    try:
        found: T = decode(kind, parse_json(path.read_text(encoding="utf-8")), "")
    except (OSError, UnicodeDecodeError, JsonTextError, DecodeError) as error:
        raise ResultsFileError(f"{path}: {error}; {advice}.") from None
    if schema and found.schema != schema:
        raise ResultsFileError(f"{path}: its schema is not {schema}; {advice}.")
    return found


def write_kept(path: Path, document: object) -> None:
    """Write a dataclass as such a file: all of it or nothing."""
    write_atomically(path, dumps(encode(document)) + "\n")
