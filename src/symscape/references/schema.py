"""The stored form of a reference: which fields a file has, and one sentence for each that it lacks.

A file is JSON, ``references/<material>/<slice>.json``: a header that a person can read, then one
line per grid point, so that a diff shows which points changed. docs/references.md describes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from symscape.errors import ReferenceFileError, shown
from symscape.jsontext import JsonTextError, parse_json

SCHEMA = "symscape-landscape/1"

#: field, type; nested fields with dots
SLICE_FIELDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("material", str),
    ("slice", str),
    ("kind", str),
    ("crystal.formula", str),
    ("crystal.space_group_number", int),
    ("crystal.space_group_symbol", str),
    ("crystal.hall_number", int),
    ("crystal.lattice_A", list),
    ("crystal.atoms", list),
    ("axes", list),
    ("mask_ratio", (int, float)),
)
_FIELDS = (
    *SLICE_FIELDS,
    ("method.code", str),
    ("method.functional", str),
    ("provenance.licence", str),
    ("provenance.command", str),
    ("points", list),
)
AXIS_FIELDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("name", str),
    ("terms", dict),
    ("start", (int, float)),
    ("stop", (int, float)),
    ("points", int),
    ("origin", (int, float)),
)


def read_document(path: Path) -> dict[str, Any]:
    """Read a reference file and check that every field is there and of the right type.

    Raises
    ------
    ReferenceFileError
        If the file is missing, is not JSON, has another schema, or lacks a field.
    """
    document = read_json(path, SCHEMA)
    check_fields(path, document, _FIELDS, "")
    if len(document["axes"]) != 2:
        raise ReferenceFileError(
            f"{path}: a slice has two axes, but 'axes' lists {len(document['axes'])}."
        )
    for number, axis in enumerate(document["axes"]):
        check_fields(path, axis, AXIS_FIELDS, f"axes[{number}].")
        if axis["points"] < 2:
            raise ReferenceFileError(f"{path}: axes[{number}] needs at least two points.")
    return document


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


def check_fields(
    path: Path,
    document: Any,
    fields: tuple[tuple[str, type | tuple[type, ...]], ...],
    prefix: str,
) -> None:
    """Raise a ReferenceFileError that names the first field that is missing or of another type.

    Parameters
    ----------
    fields
        Name (dots for nested ones) and type of each field.
    prefix
        What the sentence puts before the name: ``crystals[3].``.
    """
    for name, kind in fields:
        value = document
        for key in name.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, kind) or isinstance(value, bool):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wanted = " or ".join(k.__name__ for k in kinds)
            problem = "is missing" if value is None else f"is not of type {wanted}"
            raise ReferenceFileError(f"{path}: field '{prefix}{name}' {problem}.")


def dump_document(document: dict[str, Any], rows: str = "points") -> str:
    """Write a reference as JSON text: header indented, one grid point (or crystal) per line."""
    header = {key: value for key, value in document.items() if key != rows}
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in document[rows])
    # the header's closing bracket makes room for the rows
    return f'{_indented(header, 0)[:-2]},\n "{rows}": [\n{lines}\n ]\n}}\n'


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
