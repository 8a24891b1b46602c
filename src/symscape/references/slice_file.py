"""Slices without energies: what ``symscape slices --write`` writes and ``symscape draw`` reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from symscape.crystal.slice import Slice
from symscape.references.landscape_files import build_slice
from symscape.references.schema import SliceRecord, read_json, read_slice_record

SLICE_SCHEMA = "symscape-slice/1"


@dataclass(frozen=True, kw_only=True)
class WrittenSlice(SliceRecord):
    """A slice beside the file of its structures.

    Parameters
    ----------
    pinned
        Coordinates that are held where the origin is free.
    structures
        Name of the file of the grid's structures.
    mask
        A line of the grid each, ``#`` where two atoms are too close.
    grid_symmetries
        Names of the operations that map the grid onto itself.
    """

    pinned: tuple[str, ...]
    structures: str
    mask: tuple[str, ...]
    grid_symmetries: tuple[str, ...]


def load_slice(path: str | Path) -> Slice:
    """Read a slice that `symscape.references.landscape_files.slice_record` described.

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
