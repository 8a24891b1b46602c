"""Slices without energies: what ``symscape slices --write`` writes and ``symscape draw`` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symscape.crystal.slice import Slice
from symscape.errors import ReferenceFileError
from symscape.references.schema import AXIS_FIELDS, SLICE_FIELDS, check_fields, read_json
from symscape.references.store import build_document, build_slice

SLICE_SCHEMA = "symscape-slice/1"


def slice_document(the_slice: Slice, kind: str) -> dict[str, Any]:
    """Return a slice as plain data; crystal, axes, kind and mask ratio as in a stored reference."""
    crystal = the_slice.crystal
    document = build_document(
        material=f"{crystal.formula}-{crystal.symbol.replace('/', '')}",
        the_slice=the_slice,
        points=[],
        method={},
        provenance={},
        kind=kind,
    )
    for energies in ("points", "method", "provenance"):
        document.pop(energies)
    return document | {"schema": SLICE_SCHEMA}


def load_slice(path: str | Path) -> Slice:
    """Read a slice that `slice_document` described.

    Raises
    ------
    ReferenceFileError
        If the file can't be read, is of another schema, or describes no slice.
    """
    path = Path(path)
    document = read_json(path, SLICE_SCHEMA)
    check_fields(path, document, SLICE_FIELDS, "")
    if len(document["axes"]) != 2:
        raise ReferenceFileError(
            f"{path}: a slice has two axes, but 'axes' lists {len(document['axes'])}."
        )
    for number, axis in enumerate(document["axes"]):
        check_fields(path, axis, AXIS_FIELDS, f"axes[{number}].")
    return build_slice(path, document)


def is_slice_file(path: Path) -> bool:
    """Whether a file says that it describes a slice; its head is enough to tell."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return SLICE_SCHEMA in file.read(200)
    except OSError:
        return False
