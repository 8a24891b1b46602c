"""Energies kept on disk, so that no number is computed twice."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.models import cache_tables as tables
from symscape.models.cache_tables import CacheEntry

#: bytes above which the entries that have not been used for longest are dropped
DEFAULT_MAX_BYTES = 1_000_000_000
_FILE = "energies-2.sqlite3"  # the number is the schema's
#: files of earlier schemas, which know other fingerprints and are never read
_EARLIER = ("energies-1.sqlite3",)
#: how long a process waits for another that writes, seconds
PATIENCE = 60.0
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

T = TypeVar("T")


class CacheWarning(UserWarning):
    """The cache is damaged or can't be used; the run goes on without it."""


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds: its file, the file's size in bytes and entries by model name.

    ``earlier`` is the size in bytes of what earlier versions of symscape left in the folder.
    """

    path: Path
    size: int
    max_size: int
    entries: dict[str, int]
    earlier: int = 0


def structure_keys(structures: Structures) -> list[bytes]:
    """Return a hash of the exact content of each structure: atomic numbers, positions, cell."""
    numbers = np.ascontiguousarray(structures.numbers, dtype="<i4")
    # adding zero makes -0.0 and 0.0 the same bytes
    positions = np.ascontiguousarray(structures.positions, dtype="<f8") + 0.0
    cells = np.ascontiguousarray(structures.cells, dtype="<f8") + 0.0
    keys = []
    for i in range(len(structures)):
        own = slice(structures.offsets[i], structures.offsets[i + 1])
        content = hashlib.blake2b(numbers[own].tobytes(), digest_size=16)
        content.update(cells[i].tobytes())
        content.update(positions[own].tobytes())
        keys.append(content.digest())
    return keys


def default_folder() -> Path:
    """Return ``$SYMSCAPE_CACHE_DIR`` or the user's cache folder."""
    named = os.environ.get("SYMSCAPE_CACHE_DIR")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("symscape", appauthor=False))


class EnergyCache:
    """Energies by model fingerprint and structure, in one SQLite file.

    Several processes may use one file at a time. Nothing here fails a run: a damaged file is set
    aside, and a folder that can't be written to switches the cache off, each with a warning.

    Parameters
    ----------
    folder
        Where the file is; default: `default_folder`. It should be on a local disk, since SQLite's
        write-ahead log does not work across a network.
    max_bytes
        Size above which the entries that have not been used for longest are dropped.
    """

    def __init__(self, folder: Path | str | None = None, max_bytes: int = DEFAULT_MAX_BYTES):
        self.folder = Path(folder).expanduser() if folder is not None else default_folder()
        self.max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self._off = False

    @property
    def unusable(self) -> bool:
        """Whether the file could not be used and was given up, with a warning."""
        return self._off

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / _FILE

    def get(self, fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, CacheEntry]:
        """Return what is known about the structures with these keys."""
        if not keys or not self.path.exists():
            return {}
        return self._guarded(lambda c: tables.read(c, fingerprint, keys), {})

    def put(self, fingerprint: str, name: str, entries: dict[bytes, CacheEntry]) -> None:
        """Keep results of one model, in one transaction.

        Parameters
        ----------
        fingerprint
            Identifies the model's energies.
        name
            The model's name, for `info`.
        entries
            By structure key; an entry replaces one that knows less.
        """
        if not entries:
            return
        self._guarded(lambda c: tables.write(c, fingerprint, name, entries), None)
        self.prune()

    def get_outcome(self, fingerprint: str, question: bytes) -> str | None:
        """Return what followed from many energies of a model, if it is known."""
        if not self.path.exists():
            return None
        return self._guarded(lambda c: tables.read_outcome(c, fingerprint, question), None)

    def put_outcome(self, fingerprint: str, name: str, question: bytes, outcome: str) -> None:
        """Keep what follows from many energies of a model, such as a relaxation.

        Parameters
        ----------
        fingerprint, name
            As for `put`.
        question
            A hash of all else that the outcome depends on.
        outcome
            A short text.
        """
        self._guarded(lambda c: tables.write_outcome(c, fingerprint, name, question, outcome), None)

    def get_verdict(self, fingerprint: str, question: bytes) -> str | None:
        """Return how a case of a model was judged, if it is known."""
        if not self.path.exists():
            return None
        return self._guarded(lambda c: tables.read_verdict(c, fingerprint, question), None)

    def put_verdict(self, fingerprint: str, name: str, question: bytes, verdict: str) -> None:
        """Keep how a case was judged; unlike outcomes, verdicts are quick to reach again.

        Parameters
        ----------
        fingerprint, name, question
            As for `put_outcome`.
        verdict
            Some kilobytes of text; what was used longest ago is dropped when the file is full.
        """
        self._guarded(lambda c: tables.write_verdict(c, fingerprint, name, question, verdict), None)

    def prune(self) -> int:
        """Drop the entries used longest ago until the file fits; return how many."""
        return self._guarded(lambda c: tables.prune(c, self.max_bytes), 0)

    def info(self) -> CacheInfo:
        """Return what the cache holds; makes no file."""
        earlier = sum(path.stat().st_size for path in self._earlier())
        if not self.path.exists():
            return CacheInfo(self.path, 0, self.max_bytes, {}, earlier)
        nothing: dict[str, int] = {}
        entries = self._guarded(tables.count, nothing)
        size = sum(p.stat().st_size for p in self.folder.glob(f"{_FILE}*"))
        return CacheInfo(self.path, size, self.max_bytes, entries, earlier)

    def clear(self, name: str | None = None) -> int:
        """Remove the entries of the models of that name, or all; return how many there were.

        With all goes what earlier versions of symscape kept in the same folder.
        """
        if name is None:
            for path in self._earlier():
                path.unlink(missing_ok=True)
        if not self.path.exists():
            return 0
        return self._guarded(lambda c: tables.clear_entries(c, name), 0)

    def _earlier(self) -> list[Path]:
        return [path for name in _EARLIER for path in self.folder.glob(f"{name}*")]

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection = None

    def __enter__(self) -> EnergyCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _guarded(self, action: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do something with the file; damage and refusals end in a warning."""
        if self._off:
            return otherwise
        for attempt in (1, 2):
            try:
                return action(self._open())
            except sqlite3.DatabaseError as error:
                damaged = getattr(error, "sqlite_errorcode", None) in _DAMAGED
                if not damaged or attempt == 2:
                    self._switch_off(str(error))
                    break
                self._set_aside()
            except OSError as error:
                self._switch_off(str(error))
                break
        return otherwise

    def _open(self) -> sqlite3.Connection:
        # a connection must not be used on the other side of a fork
        if self._connection is None or self._owner != os.getpid():
            from filelock import FileLock

            self.folder.mkdir(parents=True, exist_ok=True)
            # switching to the write-ahead log does not wait for other processes by itself
            with FileLock(self.folder / "open.lock"):
                connection = sqlite3.connect(self.path, timeout=PATIENCE)
                # a damaged name must not end in an error
                connection.text_factory = lambda text: text.decode(errors="replace")
                try:
                    if not self.path.stat().st_size:
                        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                    connection.execute("PRAGMA journal_mode = WAL")
                    # a crash of the machine may lose the last entries, never the file
                    connection.execute("PRAGMA synchronous = NORMAL")
                    connection.executescript(tables.SCHEMA)
                except BaseException:
                    connection.close()
                    raise
            self._connection, self._owner = connection, os.getpid()
        return self._connection

    def _set_aside(self) -> None:
        self.close()
        kept = self.path.with_name(f"{_FILE}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        if self.path.exists():
            os.replace(self.path, kept)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(_FILE + suffix).unlink(missing_ok=True)
        warnings.warn(
            f"The energy cache {self.path} is damaged; it was set aside as {kept.name} and a new "
            "one begun.",
            CacheWarning,
            stacklevel=4,
        )

    def _switch_off(self, reason: str) -> None:
        self.close()
        self._off = True
        warnings.warn(
            f"The energy cache {self.path} can't be used ({reason}); energies are not kept in "
            "this run. Name another folder with --cache-dir.",
            CacheWarning,
            stacklevel=4,
        )
