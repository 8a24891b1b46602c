"""Files of hull crystals: where they lie, what they list and their digest; nothing is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symscape.errors import ReferenceFileError
from symscape.references.schema import check_fields, read_json

SCHEMA = "symscape-crystals/1"
#: the folder of a reference library that holds crystals
FOLDER = "crystals"

_Fields = tuple[tuple[str, type | tuple[type, ...]], ...]
HEADER: _Fields = (
    ("system", str),
    ("method.code", str),
    ("method.functional", str),
    ("provenance.licence", str),
    ("provenance.command", str),
    ("crystals", list),
)
CRYSTAL: _Fields = (
    ("id", str),
    ("formula", str),
    ("prototype", str),
    ("space_group_number", int),
    ("n_lattice", int),
    ("n_wyckoff", int),
    ("energy_eV", (int, float)),
    ("k_mesh", list),
    ("cell_A", list),
    ("symbols", list),
    ("positions", list),
    ("forces_eV_A", list),
    ("stress_GPa", list),
)


def find_crystal_files(folders: Iterable[str | Path]) -> list[Path]:
    """List ``<folder>/crystals/*.json``, sorted by name; reads nothing.

    Raises
    ------
    ReferenceFileError
        If two folders hold the same chemical system.
    """
    files: dict[str, Path] = {}
    for folder in map(Path, folders):
        for path in sorted((folder / FOLDER).glob("*.json")):
            if path.stem in files:
                raise ReferenceFileError(
                    f"{path}: the system {path.stem} is stored in {files[path.stem]} as well; "
                    "remove one of them."
                )
            files[path.stem] = path
    return [files[name] for name in sorted(files)]


def crystals_digest(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of these files together, which identifies a library in results."""
    hashed = hashlib.sha256()
    for path in paths:
        hashed.update(path.read_bytes())
    return hashed.hexdigest()


def read_crystals(path: Path) -> dict[str, Any]:
    """Read a file of crystals and check that every field is there and of the right type.

    Raises
    ------
    ReferenceFileError
        If the file can't be read or a field is missing.
    """
    document = read_json(path, SCHEMA)
    check_fields(path, document, HEADER, "")
    for number, record in enumerate(document["crystals"]):
        check_fields(path, record, CRYSTAL, f"crystals[{number}].")
    provenance = document["provenance"]
    left_out = provenance.get("left_out", {})
    for name, value in (("failed", provenance.get("failed", {})), ("left_out", left_out)):
        if not isinstance(value, dict):
            raise ReferenceFileError(f"{path}: provenance.{name} must name crystals; remove it.")
    for name, entry in left_out.items():
        if not isinstance(entry, dict):
            raise ReferenceFileError(
                f"{path}: provenance.left_out.{name} must be an object with reason, start and "
                "k_mesh; remove it."
            )
    return document


def stored_document(library: Path, system: str) -> dict[str, Any] | None:
    """Return what a library's file of a chemical system says, as `read_crystals`, or None."""
    path = library / FOLDER / f"{system}.json"
    return read_crystals(path) if path.exists() else None


@dataclass(frozen=True)
class CrystalEntry:
    """What a file says about a crystal, unchecked: enough to list cases."""

    id: str
    system: str
    n_lattice: int
    n_wyckoff: int


def list_crystals(folders: Iterable[str | Path]) -> list[CrystalEntry]:
    """List the crystals of reference libraries quickly; nothing but what is listed is checked.

    Raises
    ------
    ReferenceFileError
        If a file can't be read or a field is missing.
    """
    entries = []
    for path in find_crystal_files(folders):
        document = read_crystals(path)
        entries += [
            CrystalEntry(record["id"], document["system"], record["n_lattice"], record["n_wyckoff"])
            for record in document["crystals"]
        ]
    return entries
