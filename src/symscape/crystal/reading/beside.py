"""Group, formula and volume that stand beside a structure: in a document, a row or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symscape.crystal.orbits import atomic_numbers, reduced_formula
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
#: keys of a formula, of the cell or reduced
FORMULA_KEYS = ("formula", "formula_pretty", "pretty_formula", "reduced_formula", "full_formula")
#: an element and its number in a formula without brackets
_PART = re.compile(r"([A-Z][a-z]?)(\d+(?:\.\d*)?)?\s*")
#: a cell has no more atoms of an element
_MOST_OF_AN_ELEMENT = 10_000
#: a volume may be off by this share: rounding
_VOLUME = 0.01


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


def other_formula(place: Mapping[str, Any], own: str) -> str:
    """Say which formula or chemical system beside a structure is of another one, empty if none is.

    What is no plain list of elements and numbers, such as a formula with brackets, is not compared.

    Parameters
    ----------
    place
        Keys and values that are about the structure.
    own
        Its reduced formula.
    """
    for key in FORMULA_KEYS:
        text = place.get(key)
        stated = _reduced(text) if isinstance(text, str) else ""
        if stated and stated != own:
            return f"{key} is {shown(text)}, but the structure is {own}"
    system = place.get("chemsys")
    if isinstance(system, str) and re.fullmatch(r"[A-Z][a-z]?(-[A-Z][a-z]?)*", system):
        known = atomic_numbers()
        elements = {known.get(symbol) for symbol, _ in _PART.findall(own)}
        if {known.get(symbol) for symbol in system.split("-")} != elements:
            return f"chemsys is {system}, but the structure is {own}"
    return ""


def other_volume(place: Mapping[str, Any], lattice: np.ndarray, n_atoms: int) -> str:
    """Say that a volume beside a structure is neither its cell's nor an atom's, else nothing.

    Parameters
    ----------
    place
        Keys and values that are about the structure; ``volume`` is in cubic angstrom.
    lattice
        The structure's vectors as rows, angstrom, shape (3, 3).
    n_atoms
        Atoms in its cell.
    """
    stated = place.get("volume")
    if isinstance(stated, np.generic):
        stated = stated.item()
    if isinstance(stated, bool) or not isinstance(stated, int | float) or stated != stated:
        return ""
    own_A3 = abs(float(np.linalg.det(lattice)))
    if any(abs(stated - own) <= _VOLUME * own for own in (own_A3, own_A3 / n_atoms)):
        return ""
    return f"volume is {stated:g}, but the structure's cell has {own_A3:g} cubic angstrom"


def _reduced(formula: str) -> str:
    """Return the reduced formula of a plain one, empty for any other text."""
    text = formula.strip()
    if not re.fullmatch(f"(?:{_PART.pattern})+", text):
        return ""
    numbers: list[int] = []
    for symbol, count in _PART.findall(text):
        amount = float(count or 1)
        number = atomic_numbers().get(symbol, 0)
        if not number or not amount.is_integer() or not 0 < amount <= _MOST_OF_AN_ELEMENT:
            return ""
        numbers += [number] * int(amount)
    return reduced_formula(np.array(numbers))
