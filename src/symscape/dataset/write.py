"""Writing a data set: part by part into a folder of its own, which gets its name at the end."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np

from symscape.dataset.folder import (
    MANIFEST,
    NOTICES,
    REJECTS,
    DatasetInfo,
    Part,
    parquet,
    schema,
)
from symscape.dataset.record import BadRecord, CrystalRecord, Reject, check_energy, check_geometry
from symscape.dataset.stated_group import check_group
from symscape.errors import DatasetError, writing
from symscape.files import checksum

#: a part is written when it holds so many atoms or crystals; some 3 MB
PART_ATOMS = 100_000
PART_CRYSTALS = 5_000


class DatasetWriter:
    """Writes a data set; a context manager that leaves all of it or nothing.

    Parameters
    ----------
    path
        The folder to make.
    replace
        Whether a data set that is there already may be replaced.
    part_atoms
        How many atoms a part holds.
    complete
        Called with each crystal that is sound, for what is worked out from its structure.
    close_atoms
        Whether atoms may be nearer to each other than any bond.

    Raises
    ------
    DatasetError
        If something else is there already, another import writes it now, or the disk is full.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        replace: bool = False,
        part_atoms: int = PART_ATOMS,
        complete: Callable[[CrystalRecord], CrystalRecord] | None = None,
        close_atoms: bool = False,
    ) -> None:
        from filelock import FileLock

        self.path = Path(path).absolute()
        self.rejected: Counter[str] = Counter()
        self.crystals = 0
        self.atoms = 0
        self._replace = replace
        self._part_atoms = part_atoms
        self._close_atoms = close_atoms
        self._complete = complete or (lambda record: record)
        #: of imported crystals, the crystal's id before each
        self.notices: list[tuple[str, str]] = []
        self._partial = self.path.with_name(f".{self.path.name}.partial")
        self._lock = FileLock(self.path.with_name(f".{self.path.name}.lock"))
        self._parts: list[Part] = []
        self._ids: set[str] = set()
        self._waiting: list[CrystalRecord] = []
        self._waiting_atoms = 0
        self._rejects: TextIO | None = None
        self._finished = False

    def __enter__(self) -> DatasetWriter:
        from filelock import Timeout

        parquet()
        self._check_target()
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise DatasetError(
                    f"{self.path}: another import is writing it; wait for it to end."
                ) from None
        try:
            with self._writing():
                # what an import that was killed has left
                shutil.rmtree(self._partial, ignore_errors=True)
                self._partial.mkdir()
                self._rejects = (self._partial / REJECTS).open("w", encoding="utf-8")
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._rejects is not None:
            self._rejects.close()
        if not self._finished:
            shutil.rmtree(self._partial, ignore_errors=True)
        self._release()

    def _release(self) -> None:
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def add(self, record: CrystalRecord, file: str = "") -> bool:
        """Take a crystal, or reject it with the reason.

        Parameters
        ----------
        record
            What was read; its energy is known by now if it ever is.
        file
            Name of the file that it is from, for the list of rejects.

        Returns
        -------
        bool
            Whether it was taken.
        """
        try:
            check_geometry(record, self._close_atoms)
            check_energy(record)
            if record.id in self._ids:
                raise BadRecord("duplicate id", f"an earlier record has the id {record.id!r}.")
            record = check_group(record)
        except BadRecord as error:
            self.reject(Reject(record.id, file, record.where, error.kind, error.reason))
            return False
        self._ids.add(record.id)
        record = self._complete(record)
        self.notices += [(record.id, notice) for notice in record.notices]
        self._waiting.append(record)
        self._waiting_atoms += record.n_atoms
        self.crystals += 1
        self.atoms += record.n_atoms
        if self._waiting_atoms >= self._part_atoms or len(self._waiting) >= PART_CRYSTALS:
            self._write_part()
        return True

    def reject(self, reject: Reject) -> None:
        """Note a record that was not taken."""
        self.rejected[reject.kind] += 1
        assert self._rejects is not None, "a DatasetWriter is used in a with statement"
        with self._writing():
            self._rejects.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")

    def finish(self, settings: dict[str, Any]) -> DatasetInfo:
        """Give the data set its name.

        Parameters
        ----------
        settings
            How it was made; JSON.

        Returns
        -------
        DatasetInfo
            Of the data set. If it has no crystals, only the list of rejects is left.
        """
        self._write_part()
        info = DatasetInfo(
            self.path, self.crystals, self.atoms, tuple(self._parts), settings, dict(self.rejected)
        )
        assert self._rejects is not None, "a DatasetWriter is used in a with statement"
        with self._writing():
            self._rejects.close()
            if self.crystals:
                (self._partial / MANIFEST).write_text(info.dump(), encoding="utf-8")
                if self.notices:
                    (self._partial / NOTICES).write_text(_lines(self.notices), encoding="utf-8")
            for file in self._partial.iterdir():
                _sync(file)
            _put_in_place(self._partial, self.path)
        self._finished = True
        return info

    def _check_target(self) -> None:
        if not self.path.exists():
            return
        if (self.path / MANIFEST).is_file():
            if not self._replace:
                raise DatasetError(
                    f"{self.path}: there is a data set already; give another name or --replace."
                )
        elif not self.path.is_dir() or {p.name for p in self.path.iterdir()} - {REJECTS}:
            raise DatasetError(
                f"{self.path}: there is something that is no data set; give another name."
            )

    def _write_part(self) -> None:
        if not self._waiting:
            return
        file = self._partial / f"crystals-{len(self._parts):05d}.parquet"
        with self._writing():
            parquet().write_table(_table(self._waiting), file, compression="zstd")
            part = Part(file.name, len(self._waiting), self._waiting_atoms, checksum(file))
        self._parts.append(part)
        self._waiting, self._waiting_atoms = [], 0

    def _writing(self) -> AbstractContextManager[None]:
        """Return a context in which nothing but the disk can refuse what is written."""
        advice = "make room or give another place"
        return writing(self.path, "the data set", advice, DatasetError)


def _lines(notices: list[tuple[str, str]]) -> str:
    return "".join(
        json.dumps({"id": name, "notice": notice}, ensure_ascii=False) + "\n"
        for name, notice in notices
    )


def _put_in_place(made: Path, path: Path) -> None:
    """Give a folder its name, in place of the one that has it."""
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    made.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    # Windows syncs only what may be written to
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _table(records: list[CrystalRecord]) -> Any:
    """Return records as a ``pyarrow.Table``."""
    import pyarrow as pa

    columns = {
        "id": [r.id for r in records],
        "formula": [r.formula for r in records],
        "system": [r.system for r in records],
        "n_atoms": [r.n_atoms for r in records],
        "volume": [r.volume for r in records],
        "energy": [r.energy_eV / r.n_atoms for r in records],
        "correction": [
            None if math.isnan(r.correction_eV) else r.correction_eV / r.n_atoms for r in records
        ],
        "energy_cell": [r.energy_eV for r in records],
        "level_of_theory": [r.level_of_theory for r in records],
        "source": [r.source for r in records],
        "correction_origin": [r.correction_origin for r in records],
        "correction_stated": [
            sum(part.value_eV for part in r.stated) / r.n_atoms if r.stated else None
            for r in records
        ],
        "correction_makers": [" + ".join(part.maker for part in r.stated) for r in records],
        "numbers": [r.numbers.astype(np.uint8) for r in records],
        "cell": [r.cell.ravel() for r in records],
        "scaled_positions": [r.positions.ravel() for r in records],
    }
    return pa.table(columns, schema=schema())
