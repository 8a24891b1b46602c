"""Compressed files: told by how they begin, unpacked as they are read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from symscape.errors import StructureFileError

#: how compressed files begin -> how they are called
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
#: how many bytes of a file tell
LONGEST = max(map(len, _MAGIC))
_PIECE = 2**16
#: what reading raises: a file that can't be read, or whose packing is damaged or cut off
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)
#: what is unpacked, and how names of such files end
PACKINGS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst"}


def packing_of(head: bytes) -> str:
    """Return which of `PACKINGS` a file is that begins so; empty for none."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def unpacked(raw: IO[bytes], kind: str, path: Path) -> IO[bytes]:
    """Return the stream of what is in a compressed one.

    Reading from a damaged or cut file raises one of `DAMAGED`.

    Parameters
    ----------
    kind
        One of `PACKINGS`; empty for what is not compressed.
    path
        For messages.

    Raises
    ------
    StructureFileError
        If it is zstd and the package for it is not there.
    """
    if kind == "zstd":
        try:
            import zstandard
        except ImportError as error:
            raise StructureFileError(
                f"{path}: this is a zstd file, which needs the package zstandard; install it, or "
                "unpack the file first."
            ) from error
        start = zstandard.ZstdDecompressor().decompressobj
        return cast(IO[bytes], _Zstd(raw, start, zstandard.ZstdError))
    if kind == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if kind == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(raw))
    return cast(IO[bytes], lzma.LZMAFile(raw)) if kind else raw


class _Zstd:
    """A stream of zstd frames; one cut off is an error, where ``stream_reader`` just ends."""

    def __init__(self, raw: IO[bytes], start: Callable[[], Any], damage: type[Exception]) -> None:
        self._raw = raw
        self._damage = damage
        self._start = start
        self._frame: Any = None
        self._data = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or not self._data:
            packed = self._frame.unused_data if self._frame and self._frame.eof else b""
            packed = packed or self._raw.read(_PIECE)
            if not packed:
                if self._frame and not self._frame.eof:
                    raise EOFError("the last frame is not complete")
                break
            if self._frame is None or self._frame.eof:
                self._frame = self._start()
            try:
                self._data += self._frame.decompress(packed)
            except self._damage as error:
                raise OSError(str(error)) from error
        taken = self._data if size < 0 else self._data[:size]
        self._data = self._data[len(taken) :]
        return taken
