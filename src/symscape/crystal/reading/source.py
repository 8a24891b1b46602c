"""The bytes of a structure file: decompressed up to a limit, decoded, lines ended by newlines."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, cast

from symscape.errors import StructureFileError

#: Structure files are kilobytes; what is larger than this is a mistake or a trap.
MAX_SIZE_MB = 100.0
_PIECE = 2**20
#: how compressed files begin -> how they are called
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_ENDINGS = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True)
class Source:
    """What a structure file holds, without its compression.

    Parameters
    ----------
    path
        The file.
    name
        Its name without ``.gz`` and the like: what tells the format.
    data
        Decompressed.
    compressed
        Whether the file itself was compressed.
    """

    path: Path
    name: str
    data: bytes
    compressed: bool

    @property
    def ending(self) -> str:
        """The name's last ending in lower case: ``.cif``."""
        return Path(self.name).suffix.lower()

    @cached_property
    def text(self) -> str:
        """The content as text, without byte order mark, with newlines between lines."""
        if self.data.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = self.data.decode("utf-16", errors="replace")
        else:
            try:
                text = self.data.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = self.data.decode("latin-1")  # names of authors in old files
        return text.replace("\r\n", "\n").replace("\r", "\n")


def open_source(path: str | Path, max_size_MB: float = MAX_SIZE_MB) -> Source:
    """Read a file, decompressing gzip, bzip2, xz and zstd as it goes.

    Parameters
    ----------
    max_size_MB
        Largest size of the decompressed content in megabytes (10^6 bytes).

    Raises
    ------
    StructureFileError
        If the file is missing, unreadable, empty, damaged or larger than the limit.
    """
    path = Path(path)
    if not path.exists():
        raise StructureFileError(f"{path}: there is no such file; check the path.")
    if not path.is_file():
        raise StructureFileError(f"{path}: this is not a file; give a structure file.")
    limit = round(max_size_MB * 1e6)
    try:
        with path.open("rb") as raw:
            head = raw.read(8)
            raw.seek(0)
            kind = next((k for magic, k in _MAGIC.items() if head.startswith(magic)), "")
            data = _read_up_to(_opener(path, kind)(raw) if kind else raw, limit)
    except StructureFileError:
        raise
    except Exception as error:  # each library of compression has errors of its own
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        what = f"the {kind} file is damaged or cut off" if kind else "the file can't be read"
        raise StructureFileError(f"{path}: {what} ({why}).") from error
    if len(data) > limit:
        unpacked = "unpacks to more than" if kind else "is larger than"
        raise StructureFileError(
            f"{path}: the file {unpacked} {max_size_MB:g} MB, the limit for one structure file; "
            "raise it with --max-size if the file is what it should be."
        )
    if not data.strip():
        raise StructureFileError(f"{path}: the file is empty; give a structure file.")
    name = path.name
    while kind and name.lower().endswith(_ENDINGS):
        name = name[: name.rindex(".")]
    return Source(path, name, data, bool(kind))


def _opener(path: Path, kind: str) -> Callable[[IO[bytes]], IO[bytes]]:
    """Return what makes a decompressing stream of a raw one."""
    if kind == "zstd":
        try:
            import zstandard
        except ImportError as error:
            raise StructureFileError(
                f"{path}: this is a zstd file, which needs the package zstandard; install it, or "
                "unpack the file first."
            ) from error
        return lambda raw: cast(IO[bytes], zstandard.ZstdDecompressor().stream_reader(raw))
    return {
        "gzip": lambda raw: cast(IO[bytes], gzip.GzipFile(fileobj=raw)),
        "bzip2": lambda raw: cast(IO[bytes], bz2.BZ2File(raw)),
        "xz": lambda raw: cast(IO[bytes], lzma.LZMAFile(raw)),
    }[kind]


def _read_up_to(stream: IO[bytes], limit: int) -> bytes:
    """Read a stream to its end, or a little beyond ``limit`` bytes."""
    content = io.BytesIO()
    while content.tell() <= limit and (piece := stream.read(_PIECE)):
        content.write(piece)
    return content.getvalue()
