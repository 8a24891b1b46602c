"""Tables of energies (CSV) that go with structures from other files.

Matbench Discovery's ``wbm-summary.csv`` is one: ``material_id``, ``uncorrected_energy`` (eV per
cell), ``e_correction_per_atom_mp2020`` (eV/atom).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.reading.beside import FORMULA_KEYS, GROUP_COLUMNS, group_beside
from symscape.dataset.corrections import Maker, Stated, together
from symscape.dataset.declared import check_formula
from symscape.dataset.files import open_binary
from symscape.dataset.record import BadRecord, CrystalRecord, Reject
from symscape.errors import DatasetError, StructureFileError

if TYPE_CHECKING:
    import pandas as pd

#: names of columns that are looked for, the first one found is taken
ID_NAMES = ("material_id", "id", "entry_id", "mp_id", "name")
FILE_NAMES = ("file", "filename", "cif", "path")
ENERGY_NAMES = (
    "uncorrected_energy", "uncorrected_energy_per_atom", "energy", "energy_eV", "total_energy",
    "energy_per_atom",
)  # fmt: skip
#: of atoms in the cell
_SITES = ("n_sites", "nsites", "n_atoms", "natoms")
CORRECTION_NAMES = ("e_correction_per_atom_mp2020", "correction_per_atom", "correction")


@dataclass(frozen=True)
class Columns:
    """Names of a table's columns; those left empty are looked for by the usual names.

    Parameters
    ----------
    id, energy, correction
        Names of columns; a column of corrections that is named here holds MP2020's.
    per_atom
        Whether energies and corrections are per atom; None to tell it from ``per_atom`` in the
        columns' names (per cell where they lack it).
    """

    id: str = ""
    energy: str = ""
    correction: str = ""
    per_atom: bool | None = None


class EnergyTable:
    """Energies by identifier.

    Parameters
    ----------
    path
        A CSV file, compressed or not.
    columns
        What its columns are called.

    Raises
    ------
    DatasetError
        If it can't be read or lacks identifiers, or both energies and corrections.
    """

    def __init__(self, path: Path, columns: Columns = Columns()) -> None:
        self.path = path
        names = _names(path)
        key = _find(path, names, columns.id, ID_NAMES)
        files = _find(path, names, "", FILE_NAMES)
        energy = _find(path, names, columns.energy, ENERGY_NAMES)
        correction = _find(path, names, columns.correction, CORRECTION_NAMES)
        if key is None and files is None:
            raise DatasetError(
                f"{path}: no column names the crystals (of {', '.join(names[:6])}); name it with "
                "--id-column."
            )
        if energy is None and correction is None:
            raise DatasetError(
                f"{path}: no column holds energies (of {', '.join(names[:6])}); name it with "
                "--energy-column."
            )
        declared = [name for name in names if name in (*FORMULA_KEYS, *_SITES, *GROUP_COLUMNS)]
        wanted = (key, files, energy, correction, *declared)
        frame = _read(path, list(dict.fromkeys(name for name in wanted if name)))
        self._declared = frame[[name for name in declared if name in frame]]
        self._energy, self._energy_per_atom = _values(frame, energy, columns.per_atom)
        self._correction, self._correction_per_atom = _values(frame, correction, columns.per_atom)
        # a column that the user names is MP2020's by the user's word
        named = bool(columns.correction) or "mp2020" in (correction or "")
        self._maker = Maker.MP2020 if named else Maker.UNNAMED
        self._ids = [text.strip() for text in frame[key or files]]
        self._rows: dict[str, int] = {}
        self._double: list[int] = []
        for row, name in enumerate(self._ids):
            if self._rows.setdefault(name, row) != row:
                self._double.append(row)
        if files is not None and files != key:
            for row, name in enumerate(frame[files]):
                self._rows.setdefault(name.strip(), row)
        self._used = bytearray(len(self._ids))

    def complete(self, record: CrystalRecord, rename: bool = False) -> CrystalRecord:
        """Return a record with what the table knows of it and its own file does not.

        Parameters
        ----------
        rename
            Whether it gets the table's identifier, for a file that has no better one.

        Raises
        ------
        BadRecord
            If the row declares another crystal.
        """
        names = (record.id, *record.aliases)
        row = next((self._rows[name] for name in names if name in self._rows), None)
        if row is None:
            return record
        self._used[row] = 1
        group = self._group_declared(row, record)
        n = record.n_atoms
        energy = self._energy[row] * (n if self._energy_per_atom else 1)
        correction = float(self._correction[row] * (n if self._correction_per_atom else 1))
        stated = () if np.isnan(correction) else together([Stated(self._maker, correction)])
        return replace(
            record,
            id=self._ids[row] if rename else record.id,
            energy_eV=energy if np.isnan(record.energy_eV) else record.energy_eV,
            stated=record.stated or stated,
            space_group=record.space_group or group,
        )

    def _group_declared(self, row: int, record: CrystalRecord) -> int:
        """Compare what a row says of its crystal, and return the space group that it states."""
        place = {str(name): str(value) for name, value in self._declared.iloc[row].items()}
        check_formula(place, record)
        for key in _SITES:
            count = place.get(key, "").strip()
            if count.removesuffix(".0").isdecimal() and float(count) != record.n_atoms:
                raise BadRecord(
                    "contradiction",
                    f"the table's {key} is {count}, but the structure has {record.n_atoms} sites.",
                )
        try:
            return group_beside(place)
        except StructureFileError as error:
            raise BadRecord("contradiction", f"of the table, {error}") from None

    def left(self) -> Iterator[Reject]:
        """Yield the rows that went with no structure, and those that name a crystal again."""
        double = set(self._double)
        for row, name in enumerate(self._ids):
            # the first line of the file holds the names of the columns
            where = f"row {row + 1}"
            if self._used[row]:
                continue
            if row in double:
                reason = f"an earlier row of the table has the id {name!r}."
                yield Reject(name, self.path.name, where, "duplicate id", reason)
            else:
                reason = "no structure goes with this row of the table."
                yield Reject(name, self.path.name, where, "no structure", reason)


def completed(
    record: CrystalRecord, tables: list[EnergyTable], file: str, rename: bool
) -> CrystalRecord | Reject:
    """Return a record with what tables know of it, or why a table is of another crystal.

    Parameters
    ----------
    file
        What the record is from, for the list of rejects.
    rename
        As `EnergyTable.complete`.
    """
    try:
        for table in tables:
            record = table.complete(record, rename)
    except BadRecord as error:
        return Reject(record.id, file, record.where, error.kind, error.reason)
    return record


def _read(path: Path, columns: list[str] | None = None, rows: int | None = None) -> pd.DataFrame:
    """Read columns of a table as text: identifiers such as 0012 keep their zeros."""
    import pandas as pd

    with open_binary(path) as file:
        try:
            frame = pd.read_csv(
                file,
                dtype=str,
                keep_default_na=False,
                nrows=rows,
                usecols=None if columns is None else lambda name: name.strip() in columns,
            )
        except ValueError as error:
            why = str(error).strip().splitlines()[0].rstrip(".")
            raise DatasetError(f"{path}: the table can't be read ({why}).") from error
    return frame.rename(columns=str.strip)


def _names(path: Path) -> list[str]:
    """Return the names of the columns.

    Raises
    ------
    DatasetError
        If two that are looked for by name have the same one, of which pandas renames the second.
    """
    names = list(_read(path, rows=0).columns)
    with open_binary(path) as file:
        line = file.readline().decode("utf-8", errors="replace").removeprefix("\ufeff")
    written = [name.strip() for name in next(csv.reader([line]), [])]
    double = {name for name in written if name and written.count(name) > 1}
    if wanted := sorted(double & {*ID_NAMES, *FILE_NAMES, *ENERGY_NAMES, *CORRECTION_NAMES}):
        raise DatasetError(
            f"{path}: two columns are called {wanted[0]!r}; rename one of them, or take it out."
        )
    return names


def _find(path: Path, names: list[str], wanted: str, usual: tuple[str, ...]) -> str | None:
    if not wanted:
        return next((name for name in usual if name in names), None)
    if wanted not in names:
        raise DatasetError(
            f"{path}: there is no column {wanted!r}; there are {', '.join(names[:12])}."
        )
    return wanted


def _values(
    frame: pd.DataFrame, column: str | None, per_atom: bool | None
) -> tuple[np.ndarray, bool]:
    """Return the numbers of a column, NaN for anything else, and whether they are per atom."""
    import pandas as pd

    if column is None:
        return np.full(len(frame), np.nan), False
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
    return values, "per_atom" in column if per_atom is None else per_atom
