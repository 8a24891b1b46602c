"""Files that are written at once, and their checksums.

A reader sees the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from uuid import uuid4


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits.

    Raises
    ------
    OSError
        If it can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: str | bytes) -> None:
    r"""Write a file under a temporary name in the same folder, then move it into place.

    What a killed writer of the same file left behind is removed first; what a living one is about
    to write is not.

    Parameters
    ----------
    content
        Text is written as UTF-8; half a character, which UTF-8 can't hold, as ``\ud800``.

    Raises
    ------
    OSError
        If the folder can't be made or written to; then no temporary file is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(path)
    with _trial_file(path) as (trial, file):
        file.write(content if isinstance(content, bytes) else _utf8(content))
        file.flush()
        os.fsync(file.fileno())
        if sys.platform == "win32":
            # what is open can't be moved there
            file.close()
        # still open, and locked, elsewhere: nobody can take it for left behind before it is moved
        os.replace(trial, path)


def write_checked(path: Path, content: str | bytes, check: Callable[[Path], object]) -> None:
    """Write a file that takes its place only if it passes a check.

    Parameters
    ----------
    check
        Takes a file of the same name in a folder of the same name and raises if something is
        wrong with it; then the old file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".incoming-", dir=path.parent) as folder:
        trial = Path(folder) / path.parent.name / path.name
        write_atomically(trial, content)
        check(trial)
        os.replace(trial, path)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", errors="backslashreplace")


def remove_stale(path: Path) -> None:
    """Remove the temporary files of writers of ``path`` that are no more.

    A writer holds a lock on its file, which ends with the process however that ends. Where there
    are no such locks nothing is removed.
    """
    for name in os.listdir(path.parent):
        if name.startswith(f".{path.name}.") and name.endswith(".tmp"):
            trial = path.with_name(name)
            # another process may remove it at the same time, or the folder may not be ours
            with contextlib.suppress(OSError), open(trial, "rb") as file:
                if _lock(file, wait=False):
                    trial.unlink()


@contextlib.contextmanager
def _trial_file(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a new locked file beside ``path``; it is gone in the end if it was not moved."""
    while True:
        trial = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
        with open(trial, "xb") as file:
            try:
                _lock(file, wait=True)
                # between opening and locking somebody may have taken it for left behind
                if trial.exists():
                    yield trial, file
                    return
            finally:
                if sys.platform == "win32":
                    file.close()
                trial.unlink(missing_ok=True)


def _lock(file: IO[bytes], *, wait: bool) -> bool:
    """Lock a file for this process; whether it is locked."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        # held by another process, or not known to the file system
        return False
    return True
