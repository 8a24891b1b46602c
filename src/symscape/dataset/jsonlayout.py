"""How the records of a JSON object lie: told from where its first structure stands.

Whoever writes documents puts their fields in an order of their own, so that the first key says
little. A structure says much: what encloses it are the names, tables and lists that records lie in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from symscape.jsontext import parse_json

#: columns of a table that was written column by column, as pandas does by default
ID_COLUMNS = ("material_id", "mat_id", "id", "entry_id", "mp_id", "matpes_id")
ENTRY_COLUMNS = ("computed_structure_entry", "entry", "cse")
#: what a response holds its records as, an array
CONTAINERS = ("data", "entries", "docs", "results", "materials")
_TABLE_COLUMNS = (*ID_COLUMNS, "formula", "formula_from_cse", "formula_pretty", "n_sites")
_ENTRY_FIELDS = (
    "@module", "@class", "@version", "energy", "composition", "structure", "entry_id",
    "correction", "energy_adjustments", "parameters", "data",
)  # fmt: skip
#: what the dictionary of a crystal may hold first
_RECORD_FIELDS = {
    *_ENTRY_FIELDS, *_TABLE_COLUMNS, *ENTRY_COLUMNS, "uncorrected_total_energy",
    "corrected_total_energy", "energy_per_atom", "uncorrected_energy_per_atom",
}  # fmt: skip
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],]', re.DOTALL)
_OPENS = re.compile(rb"\s*:\s*([{\[])")
#: keys of a structure and what their values begin with
_OF_STRUCTURE = {"lattice": b"{", "sites": b"["}
#: parts of an entry or of a calculation's document, not names of records
_PARTS = ("data", "parameters", "input", "output")
#: stands for the items of an array in a path
ITEM = ""
_FIRST_MEMBER = re.compile(
    rb'\s*\{\s*"([^"\\]*)"\s*:\s*(\S)\s*(?:"([^"\\]*)"\s*:\s*(\S)\s*(?:"([^"\\]*)"\s*:)?)?'
)


class Lies(Enum):
    """Where records lie in a file that begins with an object."""

    #: the object is the first record
    BARE = auto()
    #: by name
    NAMED = auto()
    #: in arrays among its members
    CONTAINED = auto()
    #: in a column of pandas's, beside others
    COLUMN = auto()
    #: as rows of pandas's ``orient="split"``
    SPLIT = auto()


@dataclass(frozen=True)
class Layout:
    """Where records lie, how many names deep, and the array that holds them."""

    lies: Lies
    depth: int = 1
    array: str = ""


def layout_of(head: bytes) -> Layout:
    """Tell the layout of an object.

    Parameters
    ----------
    head
        JSON from its opening bracket on; it may be cut off anywhere.
    """
    found = (_layout_around(path) for path in _structures(head))
    return next(filter(None, found), None) or _by_first_member(head)


def _layout_around(path: tuple[str, ...]) -> Layout | None:
    """Return the layout whose first structure has this path; None if it tells nothing."""
    outer = list(path)
    if any(name in _PARTS and after != ITEM for name, after in pairwise(outer)):
        return None  # a part of a record
    if outer[-1:] == ["structure"]:
        outer.pop()
        if outer[-1:] and outer[-1] in ENTRY_COLUMNS:
            outer.pop()
        elif outer[-2:-1] == ["entries"] and outer[-1] != ITEM:
            del outer[-2:]  # a thermo document's entry by functional
    elif outer[-2:] != [ITEM, ITEM] and outer[:-1] != ["structure"]:
        return None
    if outer == ["data", ITEM, ITEM]:
        return Layout(Lies.SPLIT)
    if ITEM in outer:
        held = len(outer) == 2 and outer[1] == ITEM
        return Layout(Lies.CONTAINED, array=outer[0]) if held else None
    if len(outer) == 2 and outer[0] in ("structure", *ENTRY_COLUMNS):
        return Layout(Lies.COLUMN)
    return Layout(Lies.NAMED, len(outer)) if outer else Layout(Lies.BARE)


def _structures(head: bytes) -> Iterator[tuple[str, ...]]:
    """Yield the paths of structures: names of members, `ITEM` for an array's."""
    inside: list[bytes] = []
    path: list[str] = []
    key, may_be_key = ITEM, False
    for token in _TOKEN.finditer(head):
        text = token[0]
        if text in b"{[":
            if inside:
                path.append(key if inside[-1] == b"{" else ITEM)
            inside.append(text)
            may_be_key = text == b"{"
        elif text in b"}]":
            inside.pop()
            if not inside:
                return
            path.pop()
        elif text == b",":
            may_be_key = inside[-1] == b"{"
        elif may_be_key:
            may_be_key = False
            key = _name(text)
            opens = _OPENS.match(head, token.end())
            if opens and _OF_STRUCTURE.get(key) == opens[1]:
                yield tuple(path)


def _name(text: bytes) -> str:
    try:
        return str(parse_json(text))
    except ValueError:
        return "?"


def _by_first_member(head: bytes) -> Layout:
    """Tell the layout of records that begin without a structure, by the first names."""
    found = _FIRST_MEMBER.match(head)
    if not found:
        return Layout(Lies.BARE)
    first = found[1].decode("latin-1")
    if _is_column(found):
        return Layout(Lies.COLUMN)
    if depth := _names(found):
        return Layout(Lies.NAMED, depth)
    if first in ("columns", "index") and found[2] == b"[":
        return Layout(Lies.SPLIT)
    if first == "meta" or (first in CONTAINERS and found[2] == b"["):
        return Layout(Lies.CONTAINED, array="data")
    return Layout(Lies.BARE)


def _is_column(found: re.Match[bytes]) -> bool:
    column = found[1].decode("latin-1")
    if found[2] != b"{":
        return False
    inner = (found[3] or b"").decode("latin-1")
    return column in _TABLE_COLUMNS or (column in ENTRY_COLUMNS and inner not in _ENTRY_FIELDS)


def _names(found: re.Match[bytes]) -> int:
    """Return how many names deep the records of an object lie: 1, or 2 for MPtrj; 0 if none."""
    first, inner, innermost = ((found[k] or b"").decode("latin-1") for k in (1, 3, 5))
    if found[2] != b"{" or first in _RECORD_FIELDS or first in CONTAINERS or first == "meta":
        return 0
    if inner in _RECORD_FIELDS:
        return 1
    return 2 if found[4] == b"{" and innermost in _RECORD_FIELDS else 0
