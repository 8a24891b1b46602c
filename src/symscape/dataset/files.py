"""Opening files to import: gzip anywhere, positions for progress bars, formats by content."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from symscape.errors import DatasetError

FORMATS = ("json", "extxyz", "cif", "table")
#: how much of a file is looked at to recognize it, bytes
_HEAD = 65536
_BUFFER = 2**18
_GZIP = b"\x1f\x8b"
#: what has such a name is no table, whatever its first line looks like
_STRUCTURES = {".cif", ".xyz", ".extxyz"}
_PACKED = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PAR1": "Parquet",
    b"\x28\xb5\x2f\xfd": "zstd",
}

#: called with the bytes of a file that have been read so far
Progress = Callable[[int], None]


@contextmanager
def open_binary(path: Path, progress: Progress | None = None) -> Iterator[BinaryIO]:
    """Open a file to read, unpacked if it is gzip.

    Parameters
    ----------
    progress
        Called with the position in the file as it lies on disk, whenever some of it is read.

    Raises
    ------
    DatasetError
        If it can't be opened or read, or the gzip is damaged or cut off.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise DatasetError(f"{path}: the file can't be opened ({error.strerror}).") from error
    with raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        watched = _Watched(raw, progress)
        file = gzip.GzipFile(fileobj=cast(IO[bytes], watched)) if packed else watched
        with io.BufferedReader(_Guarded(path, cast(BinaryIO, file)), _BUFFER) as guarded:
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

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DatasetError(
                f"{self._path}: the gzip file is damaged or cut off ({error}); fetch it again."
            ) from error
        except OSError as error:
            why = error.strerror or error
            raise DatasetError(f"{self._path}: the file can't be read ({why}).") from error
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
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            if path.suffixes[-2:-1] in ([".cif"], [".mcif"]):
                return "cif"  # whose reader unpacks what this one does not
            raise DatasetError(f"{path}: this is a {name} file; unpack it first, or use gzip.")
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
