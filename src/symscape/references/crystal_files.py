"""Files of hull crystals: where they lie, what they list and their digest; nothing is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symscape.errors import ReferenceFileError
from symscape.references.schema import MethodRecord, ProvenanceRecord, read_json, read_record

SCHEMA = "symscape-crystals/1"
#: the folder of a reference library that holds crystals
FOLDER = "crystals"


@dataclass(frozen=True)
class LeftOut:
    """Why a crystal that was computed is not listed, and what it was computed from."""

    reason: str = ""
    start: str = ""
    k_mesh: tuple[int, ...] = ()


@dataclass(frozen=True)
class CrystalsProvenance(ProvenanceRecord):
    """What a file says of where its crystals are from, and of those that it leaves out."""

    failed: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredCrystal:
    """A crystal's line of a file; `crystals` reads its arrays."""

    id: str
    formula: str
    prototype: str
    space_group_number: int
    n_lattice: int
    n_wyckoff: int
    energy_eV: float
    k_mesh: tuple[int, int, int]
    cell_A: list[Any]
    symbols: list[str]
    positions: list[Any]
    forces_eV_A: list[Any]
    stress_GPa: list[Any]


@dataclass(frozen=True)
class CrystalsRecord:
    """What a file of crystals must say."""

    system: str
    method: MethodRecord
    provenance: CrystalsProvenance
    crystals: tuple[StoredCrystal, ...]


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


def read_crystals(path: Path) -> tuple[CrystalsRecord, dict[str, Any]]:
    """Read a file of crystals and check that every field is there and of the right type.

    Returns
    -------
    record : CrystalsRecord
        What every file says.
    document : dict
        All of it: method, provenance and crystals may hold more.

    Raises
    ------
    ReferenceFileError
        If the file can't be read or a field is missing.
    """
    document = read_json(path, SCHEMA)
    return read_record(path, CrystalsRecord, document), document


def stored_document(library: Path, system: str) -> dict[str, Any] | None:
    """Return what a library's file of a chemical system says, as `read_crystals`, or None."""
    path = library / FOLDER / f"{system}.json"
    return read_crystals(path)[1] if path.exists() else None


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
    return [
        CrystalEntry(crystal.id, record.system, crystal.n_lattice, crystal.n_wyckoff)
        for path in find_crystal_files(folders)
        for record, _ in [read_crystals(path)]
        for crystal in record.crystals
    ]
