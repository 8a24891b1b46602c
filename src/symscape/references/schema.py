"""The stored form of a reference: which fields a file has, and one sentence for each that it lacks.

A file is JSON, ``references/<material>/<slice>.json``: a header that a person can read, then one
line per grid point, so that a diff shows which points changed. docs/references.md describes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from symscape.decode import DecodeError, Finite, OpenRecord, decode, encode
from symscape.errors import ReferenceFileError, shown
from symscape.files import write_checked
from symscape.jsontext import JsonTextError, parse_json
from symscape.references.method import Method
from symscape.references.provenance import GridProvenance

SCHEMA = "symscape-landscape/1"

Record = TypeVar("Record")
Row = tuple[Finite, Finite, Finite]
#: xx, yy, zz, yz, xz, xy
Voigt = tuple[Finite, Finite, Finite, Finite, Finite, Finite]


@dataclass(frozen=True, kw_only=True)
class AxisRecord(OpenRecord):
    """An axis as a file states it; see `Axis`."""

    name: str
    terms: dict[str, Finite]
    start: Finite
    stop: Finite
    points: int
    origin: Finite
    period: Finite | None = None


@dataclass(frozen=True, kw_only=True)
class CellRecord(OpenRecord):
    """A slice's crystal as a file states it.

    ``lattice_A`` is the conventional cell, rows in angstrom; ``atoms`` are symbols with fractional
    coordinates.
    """

    formula: str
    space_group_number: int
    space_group_symbol: str
    hall_number: int
    lattice_A: tuple[Row, Row, Row]
    atoms: list[Any]


@dataclass(frozen=True, kw_only=True)
class SliceRecord(OpenRecord):
    """What a file says of a slice."""

    schema: str
    material: str
    slice: str
    kind: str
    crystal: CellRecord
    axes: list[AxisRecord]
    mask_ratio: Finite


@dataclass(frozen=True, kw_only=True)
class LandscapeRecord(SliceRecord):
    """What a reference file says; `read_points` reads its points."""

    method: Method
    provenance: GridProvenance
    points: list[Any]


Described = TypeVar("Described", bound=SliceRecord)


def read_document(path: Path) -> LandscapeRecord:
    """Read a reference file and check that every field is there and of the right type.

    Raises
    ------
    ReferenceFileError
        If the file is missing, is not JSON, has another schema, or lacks a field.
    """
    return read_slice_record(path, LandscapeRecord, read_json(path, SCHEMA))


def read_slice_record(path: Path, kind: type[Described], document: Any) -> Described:
    """Read what a file says of a slice, which has two axes of two points or more.

    Raises
    ------
    ReferenceFileError
        If a field is missing or of the wrong type.
    """
    record = read_record(path, kind, document)
    if len(record.axes) != 2:
        raise ReferenceFileError(
            f"{path}: a slice has two axes, but 'axes' lists {len(record.axes)}."
        )
    for number, axis in enumerate(record.axes):
        if axis.points < 2:
            raise ReferenceFileError(f"{path}: axes[{number}] needs at least two points.")
    return record


def read_record(path: Path, kind: type[Record], value: Any, where: str = "") -> Record:
    """Read a part of a file of the library.

    Parameters
    ----------
    path
        The file, for the complaint.
    kind
        A dataclass; its type hints say which fields there are.
    value
        The part, as JSON has it.
    where
        Where it lies in the file: ``crystals[3]``.

    Raises
    ------
    ReferenceFileError
        If a field is missing or of the wrong type; it is named.
    """
    try:
        record: Record = decode(kind, value, where)
    except DecodeError as error:
        raise ReferenceFileError(f"{path}: {error}; correct or restore the file.") from None
    return record


def read_json(path: Path, schema: str) -> dict[str, Any]:
    """Read a file of the reference library and check that it has the schema.

    Raises
    ------
    ReferenceFileError
        If the file is missing, is not JSON, or has another schema.
    """
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReferenceFileError(f"{path}: there is no such reference file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReferenceFileError(f"{path}: the reference can't be read ({error}).") from None
    except JsonTextError as error:
        raise ReferenceFileError(f"{path}: not valid JSON ({error}); restore the file.") from None
    if not isinstance(document, dict) or document.get("schema") != schema:
        found = document.get("schema") if isinstance(document, dict) else None
        raise ReferenceFileError(
            f"{path}: schema is {shown(found)}, but this version of symscape reads {schema!r}; "
            "update symscape or convert the file."
        )
    return document


def dump_document(document: dict[str, Any], rows: str = "points") -> str:
    """Write a reference as JSON text: header indented, one grid point (or crystal) per line."""
    header = {key: value for key, value in document.items() if key != rows}
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in document[rows])
    # the header's closing bracket makes room for the rows
    return f'{_indented(header, 0)[:-2]},\n "{rows}": [\n{lines}\n ]\n}}\n'


class FileRecord(Protocol):
    """What a file of the library says, a dataclass that the codec writes."""

    @property
    def schema(self) -> str:
        """Name and version of the format."""


def write_document(
    path: Path, record: FileRecord, rows: str, check: Callable[[Path], object]
) -> Path:
    """Write a file of the library: whole or not at all, and only if it loads.

    Parameters
    ----------
    path
        Where it goes.
    record
        What it says.
    rows
        The field that holds the grid points, crystals or curves, a line each.
    check
        Loads a file, in a folder of the same name, as the library does.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    ReferenceFileError
        If there is a file that this version can't read or that holds more than the new one, which
        isn't complete, or if what was written does not load; then the old file stays.
    """
    document: dict[str, Any] = encode(record)
    if path.exists():
        there = read_json(path, record.schema)
        before, after = _computed(there, rows), _computed(document, rows)
        if after < before and not document["provenance"].get("complete", True):
            raise ReferenceFileError(
                f"{path}: {before} of its {rows} are computed, but only {after} of what would take "
                "its place, which is not complete; compute the others, or move the file away."
            )
    write_checked(path, dump_document(document, rows), check)
    return path


def _computed(document: Mapping[str, Any], rows: str) -> int:
    """Return how many rows have numbers, or are left out for a reason that was found."""
    listed, provenance = document.get(rows), document.get("provenance")
    held = [
        row
        for row in (listed if isinstance(listed, list) else ())
        if isinstance(row, dict) and not {"masked", "failed"} & row.keys()
    ]
    left_out = provenance.get("left_out", {}) if isinstance(provenance, dict) else {}
    return len(held) + len(left_out)


def _indented(value: Any, depth: int) -> str:
    """Write JSON with one entry a line, but arrays without arrays or objects in them on one."""
    if isinstance(value, dict) and value:
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_indented(item, depth + 1)}"
            for key, item in value.items()
        ]
        opening, closing = "{", "}"
    elif isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        parts = [_indented(item, depth + 1) for item in value]
        opening, closing = "[", "]"
    else:
        return json.dumps(value, ensure_ascii=False)
    pad = " " * (depth + 1)
    inner = ",\n".join(pad + part for part in parts)
    return f"{opening}\n{inner}\n{pad[:-1]}{closing}"
