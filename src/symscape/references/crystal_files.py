"""Files of hull crystals: where they lie, what they list and their digest; nothing is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from symscape.decode import Finite, OpenRecord
from symscape.errors import ReferenceFileError
from symscape.references.method import Method
from symscape.references.provenance import CrystalsProvenance
from symscape.references.schema import Row, Voigt, read_json, read_record

SCHEMA = "symscape-crystals/1"
#: the folder of a reference library that holds crystals
FOLDER = "crystals"


@dataclass(frozen=True, kw_only=True)
class CheckedEnergy(OpenRecord):
    """A crystal's energy (eV per cell) at its stored geometry, with tighter settings."""

    cutoff_eV: Finite
    k_mesh: tuple[int, int, int]
    energy_eV: Finite


@dataclass(frozen=True, kw_only=True)
class StoredCrystal(OpenRecord):
    """A crystal's line of a file; docs/references.md describes the fields."""

    id: str
    formula: str
    prototype: str
    space_group_number: int
    space_group_symbol: str = ""
    n_lattice: int
    n_wyckoff: int
    energy_eV: float
    steps: int | None = None
    k_mesh: tuple[int, int, int]
    cell_A: tuple[Row, Row, Row]
    symbols: tuple[str, ...]
    positions: tuple[Row, ...]
    forces_eV_A: tuple[Row, ...]
    stress_GPa: Voigt
    start: str = ""
    checked: CheckedEnergy | None = None


@dataclass(frozen=True, kw_only=True)
class CrystalsRecord(OpenRecord):
    """What a file of crystals must say."""

    schema: str
    system: str
    method: Method
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


def read_crystals(path: Path) -> CrystalsRecord:
    """Read a file of crystals and check that every field is there and of the right type.

    Raises
    ------
    ReferenceFileError
        If the file can't be read or a field is missing.
    """
    return read_record(path, CrystalsRecord, read_json(path, SCHEMA))


def stored_crystals(library: Path, system: str) -> CrystalsRecord | None:
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
    return [
        CrystalEntry(crystal.id, record.system, crystal.n_lattice, crystal.n_wyckoff)
        for path in find_crystal_files(folders)
        for record in [read_crystals(path)]
        for crystal in record.crystals
    ]
