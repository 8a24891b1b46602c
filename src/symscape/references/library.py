"""Finding reference files, without reading them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from symscape.errors import ReferenceFileError


@dataclass(frozen=True, order=True)
class ReferenceEntry:
    """Where a reference lies; its name comes from its path, so that listing reads no file."""

    material: str
    slice: str
    path: Path

    @property
    def id(self) -> str:
        """``PbTiO3-P4mm-Ti_z-O_z``."""
        return f"{self.material}-{self.slice}"


def find_references(folders: Iterable[str | Path]) -> list[ReferenceEntry]:
    """List the slices stored as ``<folder>/<material>/<slice>.json``, sorted by name.

    Raises
    ------
    ReferenceFileError
        If a folder does not exist, or two files hold the same material and slice.
    """
    entries: dict[str, ReferenceEntry] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise ReferenceFileError(f"{folder}: there is no such folder of references.")
        for path in sorted(folder.glob("*/*.json")):
            if path.parent.name.startswith(".") or path.parent.name in NOT_MATERIALS:
                continue
            entry = ReferenceEntry(path.parent.name, path.stem, path)
            if entry.id in entries:
                raise ReferenceFileError(
                    f"{path}: the slice {entry.id} is stored in {entries[entry.id].path} as well; "
                    "remove one of them."
                )
            entries[entry.id] = entry
    return sorted(entries.values())


#: folders inside a reference library that hold something other than slices
NOT_MATERIALS = frozenset({"plans", "crystals", "equations-of-state", "all-electron"})


def formula_of(material: str) -> str:
    """Return the formula that the name of a material begins with: ``PbTiO3`` of ``PbTiO3-P4mm``."""
    return material.split("-", 1)[0]


def select_materials(
    entries: list[ReferenceEntry], materials: Iterable[str]
) -> list[ReferenceEntry]:
    """Keep the entries of the named materials (``PbTiO3-P4mm`` or a formula: ``PbTiO3``).

    Raises
    ------
    ReferenceFileError
        If a name fits no material; the sentence lists the nearest ones.
    """
    known = {entry.material for entry in entries}
    chosen: set[str] = set()
    for name in materials:
        fitting = {m for m in known if m == name or formula_of(m) == name}
        if not fitting:
            near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.3)
            hint = f"did you mean {', '.join(near)}?" if near else "see the folders in references/."
            raise ReferenceFileError(f"material {name!r} is not in the references; {hint}")
        chosen |= fitting
    return [entry for entry in entries if entry.material in chosen]
