"""The journal of a plan: an append-only file, one JSON line for every event, synced to disk.

A process killed at any moment leaves at most one torn last line, which is dropped when the journal
is next opened; nothing else is ever rewritten.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from filelock import FileLock, Timeout

from symscape.decode import DecodeError, decode, encode
from symscape.dft.events import Event
from symscape.errors import PlanError, shown

Kind = TypeVar("Kind", bound=Event)


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def read_journal(path: Path, kinds: Iterable[type[Kind]]) -> list[Kind]:
    """Return the events of a journal in their order; none if there is no file.

    Parameters
    ----------
    path
        The file.
    kinds
        The events that it may hold.

    Raises
    ------
    PlanError
        If a line other than a torn last one is damaged, or is no event of these kinds.
    """
    known = {kind.event: kind for kind in kinds}
    return [_read(path, number, line, known) for number, line in _whole_lines(path)]


def _read(path: Path, number: int, line: bytes, known: Mapping[str, type[Kind]]) -> Kind:
    said = json.loads(line)
    name = said.get("event")
    kind = known.get(name) if isinstance(name, str) else None
    if kind is None:
        raise PlanError(
            f"{path}: line {number} of the journal is the event {shown(name)}, which is unknown "
            f"(known: {', '.join(known)}); update symscape, or restore the file."
        )
    try:
        event: Kind = decode(kind, said, "", closed=True)
    except DecodeError as error:
        raise PlanError(
            f"{path}: line {number} of the journal, the event {name!r}: {error}; restore the file "
            "or remove that line."
        ) from None
    return event


def _whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    lines = content.split(b"\n")
    torn = lines.pop()  # empty if the last line is whole
    for number, line in enumerate(lines, start=1):
        if not _is_object(line):
            raise PlanError(
                f"{path}: line {number} of the journal is damaged; restore the file or remove "
                "that line."
            )
        yield number, line
    if _is_object(torn):
        yield len(lines) + 1, torn


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


class Journal:
    """A journal opened for writing, by one process at a time.

    Parameters
    ----------
    path
        The file; it and its folder are made if need be.

    Raises
    ------
    PlanError
        If another process writes to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_name(f".{path.name}.lock"))
        self._file: int | None = None

    def __enter__(self) -> Journal:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise PlanError(
                f"{self.path}: another process is computing this plan; wait for it or stop it."
            ) from None
        whole = [line for _, line in _whole_lines(self.path)]
        # Windows would write a line's end as two bytes
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self.path, flags, 0o644)
        size = sum(len(line) + 1 for line in whole)
        on_disk = os.fstat(self._file).st_size
        if on_disk == size - 1 and whole:  # only the newline was lost
            os.write(self._file, b"\n")
        elif on_disk > size:
            os.ftruncate(self._file, size)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._lock.release()

    def append(self, event: Event) -> None:
        """Write one event and wait until it is on the disk."""
        if self._file is None:
            raise ValueError("the journal is not open")
        said = {"event": event.event, **encode(event)}
        line = json.dumps(said, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        view = memoryview(line)
        while view:
            view = view[os.write(self._file, view) :]
        os.fsync(self._file)
