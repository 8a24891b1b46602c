"""Files of equations of state: their description, their tables and their checksums."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from symscape.crystal.search import find_dataset
from symscape.errors import ReferenceFileError, shown
from symscape.files import checksum
from symscape.references.schema import Row, read_json, read_record

#: the folder of a reference library that holds equations of state
FOLDER = "equations-of-state"
SCHEMA = "symscape-equations-of-state/1"
#: the tables beside the description, each a CSV file
TABLES = ("elements", "oxides")
#: the columns before those of single codes
_AVERAGE = ("V0", "B0", "B1")
_CODE = ("E0", "V0", "B0", "B1")


@dataclass(frozen=True)
class _PrototypeRecord:
    space_group: str
    lattice: tuple[Row, Row, Row]
    species: tuple[str, ...]
    positions: list[Row]


@dataclass(frozen=True)
class _Functional:
    functional: str


@dataclass(frozen=True)
class _Files:
    elements: str
    oxides: str


@dataclass(frozen=True)
class _Study:
    citation: str
    licence: str


@dataclass(frozen=True)
class _AboutRecord:
    method: _Functional
    codes: dict[str, str]
    prototypes: dict[str, _PrototypeRecord]
    files: _Files
    provenance: _Study


@dataclass(frozen=True, eq=False)
class Prototype:
    """A cubic structure type without free coordinates: the volume makes the structure.

    Parameters
    ----------
    name
        ``BCC``, ``XO2``.
    space_group
        Hermann-Mauguin symbol.
    lattice
        Primitive lattice vectors as rows, in units of the conventional cell's edge, shape (3, 3).
    species
        ``X`` or ``O``, an atom.
    positions
        Fractional, shape (n_atoms, 3).
    """

    name: str
    space_group: str
    lattice: np.ndarray
    species: tuple[str, ...]
    positions: np.ndarray

    def cells(self, volumes: np.ndarray) -> np.ndarray:
        """Return primitive cells of given volumes in angstrom^3, shape (n, 3, 3)."""
        edges = np.cbrt(volumes / abs(np.linalg.det(self.lattice)))
        return edges[:, None, None] * self.lattice

    def numbers(self, element: int) -> np.ndarray:
        """Return the atomic numbers where X is the element with this number."""
        return np.where(np.array(self.species) == "X", element, 8)


@dataclass(frozen=True, eq=False)
class About:
    """What ``about.json`` says.

    Parameters
    ----------
    codes
        Short name of each code, as the tables have it, and its full name.
    prototypes
        By name: ``BCC``, ``XO2``.
    checksums
        SHA-256 of each table.
    citation, licence
        Of the study whose figures these are.
    digest
        SHA-256 of the description, checksums included: it identifies the whole reference.
    """

    codes: Mapping[str, str]
    prototypes: Mapping[str, Prototype]
    checksums: Mapping[str, str]
    citation: str
    licence: str
    digest: str


@dataclass(frozen=True, eq=False)
class CurveTable:
    """One table as it stands in its file, extensive values a cell.

    Parameters
    ----------
    elements
        Atomic number of X, shape (n,).
    names
        Prototypes.
    n_atoms
        Atoms a cell, shape (n,).
    average
        V0, B0 and B1, shape (3, n).
    codes
        E0, V0, B0 and B1 of each code, shape (4, n), NaN where it has none.
    ids
        ``Ti-BCC``: what error messages call a crystal.
    """

    elements: np.ndarray
    names: tuple[str, ...]
    n_atoms: np.ndarray
    average: np.ndarray
    codes: dict[str, np.ndarray]
    ids: list[str]


def read_about(folder: Path) -> About:
    """Read the description of a folder of equations of state.

    Raises
    ------
    ReferenceFileError
        If a field is missing or a prototype is none; `check_space_group` looks at its space group.
    """
    path = folder / "about.json"
    record = read_record(path, _AboutRecord, read_json(path, SCHEMA))
    return About(
        record.codes,
        {name: _prototype(path, name, entry) for name, entry in record.prototypes.items()},
        {name: getattr(record.files, name) for name in TABLES},
        record.provenance.citation,
        record.provenance.licence,
        checksum(path),
    )


def _prototype(path: Path, name: str, entry: _PrototypeRecord) -> Prototype:
    lattice, species = np.array(entry.lattice), entry.species
    if len(entry.positions) != len(species):
        raise ReferenceFileError(
            f"{path}: prototype {name}: it has {len(species)} species, but {len(entry.positions)} "
            "positions; correct it."
        )
    if not set(species) <= {"X", "O"} or "X" not in species:
        raise ReferenceFileError(
            f"{path}: prototype {name}: species may be X and O, not {shown(species)}; correct it."
        )
    if abs(np.linalg.det(lattice)) < 1e-6:
        raise ReferenceFileError(f"{path}: prototype {name}: its lattice is flat; correct it.")
    return Prototype(name, entry.space_group, lattice, species, np.array(entry.positions))


@cache
def check_space_group(prototype: Prototype) -> None:
    """Refuse a prototype of another space group than it declares.

    Left to when structures are wanted, since spglib takes longer than everything else together.

    Raises
    ------
    ReferenceFileError
        If spglib finds another.
    """
    (cell,) = prototype.cells(np.array([20.0 * len(prototype.species)]))
    titanium = prototype.numbers(22)
    dataset = find_dataset((cell, prototype.positions, titanium))
    found = "no space group" if dataset is None else dataset.international
    if found != prototype.space_group:
        raise ReferenceFileError(
            f"{FOLDER}/about.json: prototype {prototype.name} is declared "
            f"{shown(prototype.space_group)}, but spglib finds {found}; correct it."
        )


def read_curve_table(path: Path, about: About) -> CurveTable:
    """Read a table of curves, after checking that it is the one whose checksum is stored.

    Raises
    ------
    ReferenceFileError
        If the table is missing, was changed, or names an unknown prototype or element.
    """
    from ase.data import atomic_numbers

    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReferenceFileError(f"{path}: the table can't be read ({error}).") from None
    if hashlib.sha256(data).hexdigest() != about.checksums[path.stem]:
        raise ReferenceFileError(
            f"{path}: the table is not the one whose checksum about.json holds: a number was "
            "changed; restore the file."
        )
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8")))
    wanted = ["element", "prototype", "n_atoms", *_AVERAGE]
    wanted += [f"{code} {quantity}" for code in about.codes for quantity in _CODE]
    if header != wanted:
        raise ReferenceFileError(f"{path}: its columns must be {', '.join(wanted)}.")
    ids = [f"{row[0]}-{row[1]}" for row in rows]
    for row in rows:
        if row[0] not in atomic_numbers:
            raise ReferenceFileError(f"{path}: there is no element {shown(row[0])}.")
        if row[1] not in about.prototypes:
            raise ReferenceFileError(
                f"{path}: {row[0]} has the unknown prototype {shown(row[1])}; the known ones are "
                f"{', '.join(about.prototypes)}."
            )
    values = _numbers(path, ids, rows)
    codes = {
        code: values[4 + len(_CODE) * i : 4 + len(_CODE) * (i + 1)]
        for i, code in enumerate(about.codes)
    }
    elements = np.array([atomic_numbers[row[0]] for row in rows])
    names = tuple(row[1] for row in rows)
    return CurveTable(elements, names, values[0].astype(int), values[1:4], codes, ids)


def _numbers(path: Path, ids: list[str], rows: list[list[str]]) -> np.ndarray:
    """Return the numbers of all rows, a column a row of the array; NaN where a code has none."""
    try:
        values = np.array([[float(cell or "nan") for cell in row[2:]] for row in rows]).T
    except ValueError as error:
        raise ReferenceFileError(f"{path}: not a table of numbers ({error}).") from None
    bad = ~np.isfinite(values[:4]).all(axis=0) | (values[:3] <= 0).any(axis=0)
    if bad.any():
        raise ReferenceFileError(
            f"{path}: {ids[int(bad.argmax())]} lacks its number of atoms, V0, B0 or B1."
        )
    return values
