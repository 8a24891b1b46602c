"""The tables of the energy cache: what is asked of SQLite, and nothing else."""

from __future__ import annotations

import hashlib
import math
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_TOUCH_AFTER = 3600  # seconds; a finer record of use would turn every read into a write
_CHUNK = 500  # SQLite's limit on parameters was once 999
SCHEMA = """
CREATE TABLE IF NOT EXISTS models (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS energies (
    model INTEGER NOT NULL, structure BLOB NOT NULL, energy REAL NOT NULL,
    forces BLOB, stress BLOB, used INTEGER NOT NULL, checksum BLOB NOT NULL,
    PRIMARY KEY (model, structure)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (
    model INTEGER NOT NULL, question BLOB NOT NULL, outcome TEXT NOT NULL, checksum BLOB NOT NULL,
    PRIMARY KEY (model, question)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdicts (
    model INTEGER NOT NULL, question BLOB NOT NULL, verdict TEXT NOT NULL, used INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    PRIMARY KEY (model, question)) WITHOUT ROWID;
"""


@dataclass(frozen=True, eq=False)
class CacheEntry:
    """What is known about one structure.

    Parameters
    ----------
    energy
        eV.
    forces
        eV/angstrom, shape (n_atoms, 3), or None if never asked for.
    stress
        eV/angstrom^3, shape (3, 3), or None if never asked for.
    """

    energy: float
    forces: np.ndarray | None = None
    stress: np.ndarray | None = None

    def covers(self, forces: bool, stresses: bool) -> bool:
        """Whether everything asked for is known."""
        return (not forces or self.forces is not None) and (not stresses or self.stress is not None)


def read(
    connection: sqlite3.Connection, fingerprint: str, keys: Sequence[bytes]
) -> dict[bytes, CacheEntry]:
    """Return the entries of a model with these keys; damaged ones are forgotten."""
    model = _model(connection, fingerprint)
    if model is None:
        return {}
    found, stale, damaged = {}, [], []
    now = int(time.time())
    for key, entry, used in _rows(connection, fingerprint, model, keys):
        if entry is None:
            damaged.append((model, key))
            continue
        found[key] = entry
        if used < now - _TOUCH_AFTER:
            stale.append((now, model, key))
    if stale or damaged:
        with connection:
            connection.executemany(
                "UPDATE energies SET used = ? WHERE model = ? AND structure = ?", stale
            )
            connection.executemany(
                "DELETE FROM energies WHERE model = ? AND structure = ?", damaged
            )
    return found


def _rows(
    connection: sqlite3.Connection, fingerprint: str, model: int, keys: Sequence[bytes]
) -> Iterator[tuple[bytes, CacheEntry | None, int]]:
    """Yield key, entry (None for a damaged one) and time of the last use."""
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        marks = ",".join("?" * len(part))
        rows = connection.execute(
            "SELECT structure, energy, forces, stress, used, checksum FROM energies "
            f"WHERE model = ? AND structure IN ({marks})",
            (model, *part),
        )
        for key, energy, forces, stress, used, checksum in rows:
            expected = _checksum(fingerprint, key, energy, forces, stress)
            whole = isinstance(energy, float) and checksum == expected
            entry = CacheEntry(energy, _array(forces), _array(stress)) if whole else None
            yield key, entry, used if isinstance(used, int) else 0


def write(
    connection: sqlite3.Connection, fingerprint: str, name: str, entries: dict[bytes, CacheEntry]
) -> None:
    """Keep entries of a model, in one transaction."""
    now = int(time.time())
    with connection:
        model = _enter_model(connection, fingerprint, name)
        rows = _rows(connection, fingerprint, model, list(entries))
        known = {key: old for key, old, _ in rows}
        connection.executemany(
            "INSERT OR REPLACE INTO energies VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (model, *content, now, _checksum(fingerprint, *content))
                for content in (_merged(key, e, known.get(key)) for key, e in entries.items())
            ],
        )


def _merged(
    key: bytes, new: CacheEntry, old: CacheEntry | None
) -> tuple[bytes, float, bytes | None, bytes | None]:
    """Return what a row holds: forces and stress that were known before stay."""
    forces = new.forces if new.forces is not None or old is None else old.forces
    stress = new.stress if new.stress is not None or old is None else old.stress
    # adding zero: SQLite does not tell -0.0 from 0.0
    return key, float(new.energy) + 0.0, _blob(forces), _blob(stress)


def _model(connection: sqlite3.Connection, fingerprint: str) -> int | None:
    """Return a model's number, None if nothing is kept of it."""
    row = connection.execute(
        "SELECT id FROM models WHERE fingerprint = ?", (fingerprint,)
    ).fetchone()
    return None if row is None else int(row[0])


def _checksum(*content: object) -> bytes:
    """Return a digest of a row: its model, its key and values of whatever type a file gives.

    The model is there by its fingerprint, so that a row under another's number is damaged too.
    """
    digest = hashlib.blake2b(digest_size=8)
    for value in content:
        part = value if isinstance(value, bytes) else repr(value).encode("utf-8", "replace")
        digest.update(f"{type(value).__name__} {len(part)};".encode() + part)
    return digest.digest()


def _enter_model(connection: sqlite3.Connection, fingerprint: str, name: str) -> int:
    """Return a model's number, a new one if it has none."""
    connection.execute(
        "INSERT INTO models (fingerprint, name) VALUES (?, ?) "
        "ON CONFLICT (fingerprint) DO UPDATE SET name = excluded.name",
        (fingerprint, name),
    )
    row = connection.execute("SELECT id FROM models WHERE fingerprint = ?", (fingerprint,))
    return int(row.fetchone()[0])


def read_outcome(connection: sqlite3.Connection, fingerprint: str, question: bytes) -> str | None:
    """Return an outcome of a model, if it is known; a damaged one is forgotten."""
    return _read_text(connection, "outcomes", "outcome", fingerprint, question)


def write_outcome(
    connection: sqlite3.Connection, fingerprint: str, name: str, question: bytes, outcome: str
) -> None:
    """Keep an outcome of a model."""
    with connection:
        model = _enter_model(connection, fingerprint, name)
        connection.execute(
            "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)",
            (model, question, outcome, _checksum(fingerprint, question, outcome.encode())),
        )


def read_verdict(connection: sqlite3.Connection, fingerprint: str, question: bytes) -> str | None:
    """Return a verdict on a model, if it is known; a damaged one is forgotten."""
    found = _read_text(connection, "verdicts", "verdict", fingerprint, question)
    if found is not None:
        now = int(time.time())
        with connection:
            connection.execute(
                "UPDATE verdicts SET used = ? WHERE model = ? AND question = ? AND used < ?",
                (now, _model(connection, fingerprint), question, now - _TOUCH_AFTER),
            )
    return found


def write_verdict(
    connection: sqlite3.Connection, fingerprint: str, name: str, question: bytes, verdict: str
) -> None:
    """Keep a verdict on a model."""
    checksum = _checksum(fingerprint, question, verdict.encode())
    with connection:
        model = _enter_model(connection, fingerprint, name)
        connection.execute(
            "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?)",
            (model, question, verdict, int(time.time()), checksum),
        )


def _read_text(
    connection: sqlite3.Connection, table: str, column: str, fingerprint: str, question: bytes
) -> str | None:
    """Return a text of a model that is what was written, and forget one that is not."""
    model = _model(connection, fingerprint)
    # as bytes: damaged text need not be UTF-8, on which SQLite's own conversion would give up
    row = connection.execute(
        f"SELECT CAST({column} AS BLOB), checksum FROM {table} WHERE model = ? AND question = ?",
        (model, question),
    ).fetchone()
    if row is None:
        return None
    text, checksum = row
    if isinstance(text, bytes) and checksum == _checksum(fingerprint, question, text):
        return text.decode()
    with connection:
        connection.execute(
            f"DELETE FROM {table} WHERE model = ? AND question = ?", (model, question)
        )
    return None


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {what}").fetchone()[0]
        for what in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def prune(connection: sqlite3.Connection, max_bytes: int) -> int:
    """Drop the energies and verdicts used longest ago until the file fits; return how many."""
    if _used_bytes(connection) <= max_bytes:
        return 0
    dropped = 0
    # stop well below the limit, or every write from now on would prune again
    while _used_bytes(connection) > 0.8 * max_bytes:
        gone = _drop_oldest(connection, "energies", "structure")
        gone += _drop_oldest(connection, "verdicts", "question")
        if gone == 0:
            break
        dropped += gone
    _shrink(connection)
    return dropped


def _drop_oldest(connection: sqlite3.Connection, table: str, key: str) -> int:
    """Drop the fifth of a table that has not been used for longest."""
    (entries,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    with connection:
        return connection.execute(
            f"DELETE FROM {table} WHERE (model, {key}) IN "
            f"(SELECT model, {key} FROM {table} ORDER BY used LIMIT ?)",
            (math.ceil(entries / 5),),
        ).rowcount


def clear_entries(connection: sqlite3.Connection, name: str | None) -> int:
    """Remove the entries of the models of that name, or all; return how many there were."""
    with connection:
        if name is None:
            removed = connection.execute("DELETE FROM energies").rowcount
            connection.execute("DELETE FROM outcomes")
            connection.execute("DELETE FROM verdicts")
            connection.execute("DELETE FROM models")
        else:
            own = "model IN (SELECT id FROM models WHERE name = ?)"
            removed = connection.execute(f"DELETE FROM energies WHERE {own}", (name,)).rowcount
            connection.execute(f"DELETE FROM outcomes WHERE {own}", (name,))
            connection.execute(f"DELETE FROM verdicts WHERE {own}", (name,))
            connection.execute("DELETE FROM models WHERE name = ?", (name,))
    _shrink(connection)
    return removed


def _shrink(connection: sqlite3.Connection) -> None:
    # execute() would take a single step of the vacuum, that is one page
    connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")


def count(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many entries each model has."""
    rows = connection.execute(
        "SELECT name, count(structure) FROM models "
        "LEFT JOIN energies ON energies.model = models.id GROUP BY name ORDER BY name"
    )
    return {name: count for name, count in rows if count}


def _array(blob: bytes | None) -> np.ndarray | None:
    return None if blob is None else np.frombuffer(blob, dtype="<f8").reshape(-1, 3)


def _blob(array: np.ndarray | None) -> bytes | None:
    return None if array is None else np.ascontiguousarray(array, dtype="<f8").tobytes()
