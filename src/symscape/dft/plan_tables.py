"""Tables of a plan or list: read by the codec, refused in sentences that name the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from symscape.decode import DecodeError, decode
from symscape.errors import PlanError, SymscapeError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Table = TypeVar("Table", bound="DataclassInstance")


@contextmanager
def complaints_about(path: Path) -> Iterator[None]:
    """Let every complaint name the file that it is about.

    Raises
    ------
    PlanError
        In place of any other error of symscape's own.
    """
    try:
        yield
    except SymscapeError as error:
        text = str(error)
        if isinstance(error, PlanError) and text.startswith(str(path)):
            raise
        raise PlanError(f"{path}: {text}") from None


def read_table(kind: type[Table], values: Any, where: str) -> Table:
    """Read a table of a plan, or all of it; the fields of a dataclass say what may stand there.

    Raises
    ------
    PlanError
        If a key is unknown, or a value is missing or of another type.
    """
    try:
        table: Table = decode(kind, values, "", closed=True)
    except DecodeError as error:
        raise PlanError(f"{where}: {error}; correct it.") from None
    return table


def refuse_negative(table: DataclassInstance, names: Iterable[str], where: str) -> None:
    """Raise a PlanError that names the first of these fields that is not above zero."""
    for name in names:
        value = getattr(table, name)
        if not value > 0:
            raise PlanError(f"{where}: {name} is {value:g}, but must be a positive number.")
