"""A CIF's data blocks as columns of text, whatever the case and the dots of their tags."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symscape.errors import StructureFileError, shown


@dataclass(frozen=True, eq=False)
class CifBlock:
    """The items of one data block.

    Parameters
    ----------
    name
        Without ``data_``.
    columns
        Tag in lower case with underscores for dots -> its values without quotes; a single item is
        a column of one. The dictionary's ``.`` and ``?`` stay as they are if not quoted.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]

    def column(self, *tags: str) -> tuple[str, ...]:
        """Return the values of the first of some tags that the block has; empty if none."""
        return next((self.columns[tag] for tag in tags if tag in self.columns), ())

    def text(self, *tags: str) -> str:
        """Return the first value of the first tag that has one; empty if unknown."""
        for tag in tags:
            for value in self.columns.get(tag, ())[:1]:
                if not is_unknown(value) and value.strip():
                    return " ".join(value.split())
        return ""

    def number(self, *tags: str) -> float:
        """Return a number without its uncertainty; NaN if unknown or no number."""
        return as_number(self.text(*tags))

    @property
    def has_atoms(self) -> bool:
        """Whether a cell and atoms are in it."""
        return "_cell_length_a" in self.columns and any(
            tag in self.columns for tag in ("_atom_site_fract_x", "_atom_site_cartn_x")
        )


def is_cif(text: str) -> bool:
    """Whether a text of any name is a CIF of a crystal."""
    return bool(
        re.search(r"^data_\S", text, re.MULTILINE | re.IGNORECASE)
        and re.search(r"^_cell[_.]length_a\s", text, re.MULTILINE | re.IGNORECASE)
    )


def is_unknown(value: str) -> bool:
    """Whether a value is the dictionary's "inapplicable" or "unknown"."""
    return value in (".", "?")


def as_number(text: str) -> float:
    """Return the number that a CIF's value stands for: ``0.333(2)``, ``1/3``; NaN if none."""
    from gemmi import cif

    over, slash, under = text.partition("/")
    if slash:
        return as_number(over) / (as_number(under) or math.nan)
    return float(cif.as_number(text))


def cif_blocks(text: str) -> list[CifBlock]:
    """Return all data blocks of a CIF.

    Raises
    ------
    StructureFileError
        If the text is no CIF; the sentence names the line.
    """
    from gemmi import cif

    try:
        document = cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200].removeprefix("string:")
        raise StructureFileError(
            f"no structure could be read (not a CIF, line {reason})."
        ) from None
    blocks = []
    for block in document:
        columns: dict[str, tuple[str, ...]] = {}
        item: Any
        for item in block:
            if item.pair is not None:
                columns[_tag(item.pair[0])] = (_plain(item.pair[1]),)
            elif item.loop is not None:
                width, values = len(item.loop.tags), item.loop.values
                for k, tag in enumerate(item.loop.tags):
                    columns[_tag(tag)] = tuple(map(_plain, values[k::width]))
        blocks.append(CifBlock(block.name, columns))
    return blocks


def _tag(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _plain(value: str) -> str:
    from gemmi import cif

    return value if is_unknown(value) else str(cif.as_string(value))


def choose_block(blocks: list[CifBlock], wanted: str = "") -> tuple[CifBlock, tuple[str, ...]]:
    """Return the block to take, the last with atoms unless one is named, and a notice if need be.

    Raises
    ------
    StructureFileError
        If there is no block with atoms, or none of that name.
    """
    named = [block for block in blocks if block.has_atoms]
    names = ", ".join(block.name for block in named) or "none"
    if wanted:
        name = wanted.lower().removeprefix("data_")
        found = [block for block in named if block.name.lower() == name]
        if not found:
            raise StructureFileError(
                f"there is no data block {shown(wanted)} with a crystal; those with one are "
                f"{names}."
            )
        return found[-1], ()
    if not named:
        raise StructureFileError(
            "no structure could be read: no data block has both a cell and atoms; give a CIF of a "
            "crystal."
        )
    if len(named) == 1:
        return named[0], ()
    notice = (
        f"took the last of {len(named)} structures, data block {named[-1].name}, of {names}; "
        "--block NAME takes another"
    )
    return named[-1], (notice,)
