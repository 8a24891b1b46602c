"""Reading the records of a JSON file one by one, however many there are.

pymatgen writes NaN into valid files (the uncertainties of energy adjustments), which strict
streaming parsers refuse. So the ends of records are found here and each is parsed by itself: one
that is damaged inside spoils no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from symscape.dataset.jsonlayout import (
    CONTAINERS,
    ENTRY_COLUMNS,
    ID_COLUMNS,
    Layout,
    Lies,
    layout_of,
)
from symscape.jsontext import parse_json

#: a record longer than this is taken for damage, bytes
LONGEST_RECORD = 256 * 2**20
_BLOCK = 2**18

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR_END = re.compile(rb"[,\]}\s]")
# what stands before the next bracket of the kind, whole strings included, and the bracket;
# possessive, so that a string which goes on beyond the buffer is no match rather than a search
_BEFORE = rb'(?:[^"%b]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+[%b]'
_BRACKETS = {
    ord("{"): re.compile(_BEFORE % (rb"{}", rb"{}"), re.DOTALL),
    ord("["): re.compile(_BEFORE % (rb"\[\]", rb"\[\]"), re.DOTALL),
}


class DamagedFile(Exception):
    """The file ends in the middle, or is not JSON outside of its records."""


class UnreadLayout(Exception):
    """The records lie in a way that can't be read one by one; says which other can."""


@dataclass(frozen=True)
class JsonValue:
    """A record as it stands in a file.

    Parameters
    ----------
    text
        UTF-8 JSON, not parsed yet.
    where
        ``record 17 at byte 52011`` (counted from 1 and 0), or ``line 17``.
    name
        The name that the table gives it; empty if none.
    columns
        What the items of an array are called, for the rows of a table; empty for other records.
    """

    text: bytes
    where: str
    name: str = ""
    columns: tuple[str, ...] = ()

    def parse(self) -> Any:
        """Return the value.

        Raises
        ------
        ValueError
            If it is not valid JSON, or nested without end.
        """
        value = parse_json(self.text)
        if not self.columns:
            return value
        if not isinstance(value, list) or len(value) != len(self.columns):
            raise ValueError(f"the row has not {len(self.columns)} items, as there are columns")
        return dict(zip(self.columns, value, strict=True))


def json_values(file: BinaryIO) -> Iterator[JsonValue]:
    """Yield the records of a file: bounded memory for any number of them.

    The file is an array; records line by line or one after the other; an object with an array
    ``data`` or ``entries``, or with arrays by name; an object of records by name, or of frames by
    name within one of materials (MPtrj); or a table as pandas writes it: entries in a column
    (``{"material_id": {"0": ...}, "computed_structure_entry": {"0": ...}}``), row by row, or split
    into ``columns``, ``index`` and ``data``. Names are kept, row numbers are not.

    Raises
    ------
    DamagedFile
        If it ends in the middle of something, or something else stands between the records or
        behind them.
    UnreadLayout
        If a record is spread over the file.
    """
    stream = _Stream(file)
    first = stream.peek()
    layout = layout_of(stream.head()) if first == ord("{") else Layout(Lies.BARE)
    if first == ord("["):
        yield from _array(stream)
    elif layout.lies is Lies.COLUMN:
        yield from _table(stream)
    elif layout.lies is Lies.NAMED:
        yield from _members(stream, layout.depth)
    elif layout.lies is Lies.SPLIT:
        yield from _split(stream)
    elif layout.lies is Lies.CONTAINED:
        yield from _container(stream, layout.array)
    elif _spread_over_lines(stream.head()):
        yield from _sequence(stream)
    else:
        yield from _lines(stream)
    if stream.peek() is not None:
        raise DamagedFile(f"at byte {stream.offset} something follows the records")


def _spread_over_lines(head: bytes) -> bool:
    line, newline, _ = head.partition(b"\n")
    return bool(newline) and line.rstrip().endswith((b",", b"{", b"[", b":"))


def _array(stream: _Stream) -> Iterator[JsonValue]:
    for number, _ in enumerate(stream.items(), start=1):
        stream.peek()
        start = stream.offset
        yield JsonValue(stream.value(), f"record {number} at byte {start}")


def _sequence(stream: _Stream) -> Iterator[JsonValue]:
    number = 0
    while stream.peek() is not None:
        number += 1
        start = stream.offset
        yield JsonValue(stream.value(), f"record {number} at byte {start}")


def _lines(stream: _Stream) -> Iterator[JsonValue]:
    number = 0
    while (line := stream.line()) is not None:
        number += 1
        if line.strip():
            yield JsonValue(line, f"line {number}")


def _container(stream: _Stream, array: str) -> Iterator[JsonValue]:
    """Yield the items of arrays: of those with a usual name, or else of all."""
    for name in stream.members():
        wanted = name in CONTAINERS or array not in CONTAINERS
        if wanted and stream.peek() == ord("["):
            yield from _array(stream)
        else:
            stream.skip()


def _members(stream: _Stream, depth: int) -> Iterator[JsonValue]:
    number = 0
    for name in stream.members():
        if depth > 1 and stream.peek() == ord("{"):
            yield from _members(stream, depth - 1)
            continue
        number += 1
        stream.peek()
        where = f"record {number} at byte {stream.offset}"
        yield JsonValue(stream.value(), where, "" if name.isdigit() else name)


def _split(stream: _Stream) -> Iterator[JsonValue]:
    heads: dict[str, list[Any]] = {"columns": [], "index": []}
    for part in stream.members():
        if part in heads:
            start = stream.offset
            try:
                heads[part] = list(parse_json(stream.value()))
            except (ValueError, TypeError) as error:
                raise DamagedFile(f"{part!r} at byte {start}: {error}") from error
        elif part == "data" and not heads["columns"]:
            raise UnreadLayout(
                "the table's rows come before the names of its columns; write it by rows, as "
                "pandas does with orient='records'"
            )
        elif part == "data" and stream.peek() == ord("["):
            columns = tuple(map(str, heads["columns"]))
            for number, value in enumerate(_array(stream)):
                name = heads["index"][number] if number < len(heads["index"]) else ""
                named = name if isinstance(name, str) and not name.isdigit() else ""
                yield JsonValue(value.text, value.where, named, columns)
        else:
            stream.skip()


def _table(stream: _Stream) -> Iterator[JsonValue]:
    names: dict[str, Any] = {}
    number = 0
    for column in stream.members():
        if column in ID_COLUMNS and not names:
            start = stream.offset
            try:
                names = parse_json(stream.value())
            except ValueError as error:
                raise DamagedFile(f"the column {column!r} at byte {start}: {error}") from error
        elif column in ENTRY_COLUMNS and stream.peek() == ord("{"):
            for index in stream.members():
                number += 1
                stream.peek()
                start = stream.offset
                name = names.get(index, "" if index.isdigit() else index)
                where = f"record {number} at byte {start}"
                yield JsonValue(stream.value(), where, str(name))
        else:
            stream.skip()
    if not number:
        raise UnreadLayout(
            f"the table lies column by column and has no column {' or '.join(ENTRY_COLUMNS)}, so "
            "that structures are apart from energies; write it by rows, as pandas does with "
            "orient='records'"
        )


class _Stream:
    """Pulls values out of a file, holding no more of it than one of them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = b""
        self._position = 0
        #: where the buffer begins in the file
        self._base = 0
        if self.peek() is not None and self.head().startswith(b"\xef\xbb\xbf"):
            self._position += 3

    @property
    def offset(self) -> int:
        """Bytes before the current position."""
        return self._base + self._position

    def _more(self) -> bool:
        """Read on; what lies before the position is forgotten."""
        self._buffer = self._buffer[self._position :]
        self._base += self._position
        self._position = 0
        # twice as much each time: a long record is searched a few times, not thousands
        block = self._file.read(max(_BLOCK, len(self._buffer)))
        self._buffer += block
        return bool(block)

    def head(self) -> bytes:
        """Return what is at hand from the position on."""
        return self._buffer[self._position :]

    def peek(self) -> int | None:
        """Skip white space and return the next byte; None at the end."""
        while True:
            found = _SPACE.match(self._buffer, self._position)
            self._position = found.end() if found else self._position
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._more():
                return None

    def _expect(self, allowed: bytes) -> int:
        byte = self.peek()
        if byte is None:
            raise DamagedFile(f"it ends at byte {self.offset} in the middle of the list")
        if byte not in allowed:
            raise DamagedFile(f"byte {self.offset} is {chr(byte)!r} where it can't be")
        self._position += 1
        return byte

    def items(self) -> Iterator[None]:
        """Go from item to item of an array; each must be taken or skipped."""
        self._expect(b"[")
        if self.peek() == ord("]"):
            self._position += 1
            return
        while True:
            yield
            if self._expect(b",]") == ord("]"):
                return

    def members(self) -> Iterator[str]:
        """Go from member to member of an object; each value must be taken or skipped."""
        self._expect(b"{")
        if self.peek() == ord("}"):
            self._position += 1
            return
        while True:
            start = self.offset
            if self.peek() != ord('"'):
                raise DamagedFile(f"no name stands at byte {start}")
            try:
                name = parse_json(self.value())
            except ValueError as error:
                raise DamagedFile(f"the name at byte {start} is damaged") from error
            self._expect(b":")
            yield name
            if self._expect(b",}") == ord("}"):
                return

    def value(self) -> bytes:
        """Return the next value as it stands."""
        first = self.peek()
        if first in _BRACKETS:
            size = self._bracketed(keep=True)
        elif first == ord('"'):
            size = self._until(_STRING, whole=True)
        else:
            size = self._until(_SCALAR_END, whole=False)
            if not size:
                raise DamagedFile(f"no value stands at byte {self.offset}")
        text = self._buffer[self._position : self._position + size]
        self._position += size
        return text

    def skip(self) -> None:
        """Pass over the next value, however long it is."""
        if self.peek() in _BRACKETS:
            # the position moves while the end is looked for
            size = self._bracketed(keep=False)
            self._position += size
        else:
            self.value()

    def line(self) -> bytes | None:
        """Return the rest of the line; None at the end of the file."""
        scanned = 0
        while (end := self._buffer.find(b"\n", self._position + scanned)) < 0:
            scanned = len(self._buffer) - self._position
            self._refuse_long(scanned)
            if not self._more():
                break
        end = len(self._buffer) if end < 0 else end + 1
        text = self._buffer[self._position : end]
        self._position = end
        return text or None

    def _bracketed(self, keep: bool) -> int:
        """Return how far from the position the bracket there is closed."""
        opening = self._buffer[self._position]
        match = _BRACKETS[opening].match
        start = self.offset
        depth, scanned = 0, 0
        while True:
            at = self._position + scanned
            while found := match(self._buffer, at):
                at = found.end()
                depth += 1 if self._buffer[at - 1] == opening else -1
                if depth == 0:
                    return at - self._position
            scanned = at - self._position
            if not keep:
                self._position, scanned = at, 0
            self._refuse_long(len(self._buffer) - self._position)
            if not self._more():
                raise DamagedFile(f"what begins at byte {start} has no end")

    def _until(self, pattern: re.Pattern[bytes], whole: bool) -> int:
        """Return how far from the position a string (``whole``) or number ends."""
        while True:
            if whole:
                found = pattern.match(self._buffer, self._position)
            else:
                found = pattern.search(self._buffer, self._position)
            if found:
                return (found.end() if whole else found.start()) - self._position
            size = len(self._buffer) - self._position
            self._refuse_long(size)
            if not self._more():
                if whole:
                    raise DamagedFile(f"the text at byte {self.offset} has no end")
                return len(self._buffer)

    def _refuse_long(self, size: int) -> None:
        if size > LONGEST_RECORD:
            raise DamagedFile(f"what begins at byte {self.offset} has no end within reason")
