"""Slices without energies: what ``symscape slices --write`` writes and ``symscape draw`` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symscape.crystal.slice import Slice
from symscape.references.schema import SliceRecord, read_json, read_slice_record
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
    return build_slice(path, read_slice_record(path, SliceRecord, document))


def is_slice_file(path: Path) -> bool:
    """Whether a file says that it describes a slice; its head is enough to tell."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return SLICE_SCHEMA in file.read(200)
    except OSError:
        return False
