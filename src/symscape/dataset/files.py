"""Opening files to import: compressed or not, positions for progress bars, formats by content."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from symscape.crystal.reading.packing import DAMAGED, LONGEST, packing_of, unpacked
from symscape.errors import DatasetError, StructureFileError

FORMATS = ("json", "extxyz", "cif", "table")
#: how much of a file is looked at to recognize it, bytes
_HEAD = 65536
_BUFFER = 2**18
#: what has such a name is no table, whatever its first line looks like
_STRUCTURES = {".cif", ".xyz", ".extxyz"}
#: what isn't read, by how it begins
_FOREIGN = {b"PK\x03\x04": "zip", b"PAR1": "Parquet"}

#: called with the bytes of a file that have been read so far
Progress = Callable[[int], None]


@contextmanager
def open_binary(path: Path, progress: Progress | None = None) -> Iterator[BinaryIO]:
    """Open a file to read, unpacked if it is compressed (gzip, bzip2, xz, zstd).

    Parameters
    ----------
    progress
        Called with the position in the file as it lies on disk, whenever some of it is read.

    Raises
    ------
    DatasetError
        If it can't be opened or read, or it is damaged or cut off.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise DatasetError(f"{path}: the file can't be opened ({error.strerror}).") from error
    with raw:
        packing = packing_of(raw.read(LONGEST))
        raw.seek(0)
        watched = cast(IO[bytes], _Watched(raw, progress))
        try:
            file = unpacked(watched, packing, path)
        except StructureFileError as error:
            raise DatasetError(str(error)) from error
        with io.BufferedReader(_Guarded(path, file, packing), _BUFFER) as guarded:
            yield cast(BinaryIO, guarded)


class _Watched:
    """A binary file that reports its position after each reading."""

    def __init__(self, file: BinaryIO, progress: Progress | None) -> None:
        self._file = file
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if self._progress:
            self._progress(self._file.tell())
        return data


class _Guarded(io.RawIOBase):
    """A binary file whose failures are sentences."""

    def __init__(self, path: Path, file: IO[bytes], packing: str) -> None:
        self._path = path
        self._file = file
        self._packing = packing

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except DAMAGED as error:
            why = getattr(error, "strerror", None)
            if self._packing and not why:
                raise DatasetError(
                    f"{self._path}: the {self._packing} file is damaged or cut off ({error}); "
                    "fetch it again."
                ) from error
            raise DatasetError(f"{self._path}: the file can't be read ({why or error}).") from error
        buffer[: len(data)] = data
        return len(data)


def recognize(path: Path) -> str:
    """Return the format of a file or folder, told from its content.

    Returns
    -------
    str
        ``json`` (any layout of `jsonstream.json_values`), ``extxyz``, ``cif`` (a file or a folder
        of them) or ``table`` (CSV).

    Raises
    ------
    DatasetError
        If it is missing, empty, or none of these.
    """
    if path.is_dir():
        return "cif"
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder; check the path.")
    with open_binary(path) as file:
        head = file.read(_HEAD)
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            raise DatasetError(f"{path}: this is a {name} file; unpack it first.")
    text = head.decode("utf-8", errors="replace").removeprefix("\ufeff").lstrip()
    if not text:
        raise DatasetError(f"{path}: the file is empty; give one with crystals or energies.")
    if text[0] in "[{":
        return "json"
    lines = text.splitlines()
    if lines[0].strip().isdigit() and len(lines) > 1 and "=" in lines[1]:
        return "extxyz"
    if re.search(r"^(data_\S|_cell_length_a\b)", text, re.MULTILINE):
        return "cif"
    if "," in lines[0] and not _STRUCTURES & set(path.suffixes):
        return "table"
    raise DatasetError(
        f"{path}: the format is not recognized; give JSON, extxyz, CIF or CSV, or name it with "
        "--format."
    )
