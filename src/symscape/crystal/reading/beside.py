"""The space group that stands beside a structure: in a document, a table's row, a comment line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symscape.errors import StructureFileError, shown

#: keys of a number or a symbol, or of an object with ``number`` and ``symbol``
_KEYS = (
    "symmetry", "spacegroup", "space_group", "spacegroup_number", "space_group_number",
    "spg_number", "spg_num", "spg", "sg_number", "sg_num", "sg", "spacegroup_symbol",
    "space_group_symbol", "spg_symbol", "sg_symbol",
)  # fmt: skip
#: what an object of that name holds, or a table's columns behind the name and a point
_MEMBERS = ("number", "symbol")
#: names of columns of a table that may hold a group
GROUP_COLUMNS = (*_KEYS, *(f"{key}.{member}" for key in _KEYS[:3] for member in _MEMBERS))


def group_beside(*places: Mapping[str, Any]) -> int:
    """Return the number of the space group that is stated beside a structure, 0 if none is.

    Parameters
    ----------
    places
        Keys and values that are about the structure. A number may be text or a whole float, as
        tables write them. A symbol is any that gemmi knows; other text states nothing.

    Raises
    ------
    StructureFileError
        If a number is none of a space group, or two statements differ.
    """
    known = [
        (key, value, number)
        for place in places
        for key, value in _statements(place)
        if (number := _number(key, value))
    ]
    for key, value, number in known[1:]:
        first_key, first, first_number = known[0]
        if number != first_number:
            raise StructureFileError(
                f"{first_key} is {shown(first)}, but {key} is {shown(value)}, which is another "
                "space group; correct one of them."
            )
    return known[0][2] if known else 0


def _statements(place: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is stated under the known keys, in whatever case they are written."""
    for key, value in place.items():
        if not isinstance(key, str) or key.lower() not in GROUP_COLUMNS:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", value[name]) for name in _MEMBERS if name in value)
        else:
            yield key, value


def _number(key: str, value: Any) -> int:
    """Return the number of a group that is stated by number or symbol, 0 for no statement."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        value = value.strip()
        if not re.fullmatch(r"[+-]?\d+(\.\d*)?", value):
            return _of_symbol(value)
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        return 0
    if not 1 <= value <= 230 or value != int(value):
        raise StructureFileError(
            f"{key} is {shown(value)}, which is no space group; correct it or leave it out."
        )
    return int(value)


def _of_symbol(text: str) -> int:
    import gemmi

    found = gemmi.find_spacegroup_by_name(text.replace("_", "")) if text else None
    return 0 if found is None else int(found.number)
