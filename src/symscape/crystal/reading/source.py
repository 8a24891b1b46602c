"""The bytes of a structure file: decompressed up to a limit, decoded, lines ended by newlines."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from symscape.crystal.reading.packing import DAMAGED, LONGEST, PACKINGS, packing_of, unpacked
from symscape.errors import StructureFileError

#: Structure files are kilobytes; what is larger than this is a mistake or a trap.
MAX_SIZE_MB = 100.0
_PIECE = 2**20


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
            head = raw.read(LONGEST)
            raw.seek(0)
            kind = packing_of(head)
            data = _read_up_to(unpacked(raw, kind, path), limit)
    except DAMAGED as error:
        why = getattr(error, "strerror", None) or error
        what = f"the {kind} file is damaged or cut off" if kind else "the file can't be read"
        raise StructureFileError(f"{path}: {what} ({why}).") from error
    if len(data) > limit:
        beyond = "unpacks to more than" if kind else "is larger than"
        raise StructureFileError(
            f"{path}: the file {beyond} {max_size_MB:g} MB, the limit for one structure file; "
            "raise it with --max-size if the file is what it should be."
        )
    if not data.strip():
        raise StructureFileError(f"{path}: the file is empty; give a structure file.")
    name = path.name
    while kind and name.lower().endswith(tuple(PACKINGS.values())):
        name = name[: name.rindex(".")]
    return Source(path, name, data, bool(kind))


def _read_up_to(stream: IO[bytes], limit: int) -> bytes:
    """Read a stream to its end, or a little beyond ``limit`` bytes."""
    content = io.BytesIO()
    while content.tell() <= limit and (piece := stream.read(_PIECE)):
        content.write(piece)
    return content.getvalue()
