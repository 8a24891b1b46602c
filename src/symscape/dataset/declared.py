"""What a source declares of its crystal beside the structure, and whether the structure has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from symscape.crystal.orbits import atomic_numbers
from symscape.crystal.reading.beside import other_formula, other_volume
from symscape.dataset.record import BadRecord, CrystalRecord
from symscape.errors import shown

#: what a species such as Fe3+ begins with
_SYMBOL = re.compile(r"[A-Z][a-z]?")


def check_formula(place: Mapping[str, Any], record: CrystalRecord) -> None:
    """Refuse a formula that is of other elements or in other proportions than the structure.

    Raises
    ------
    BadRecord
        If one of the usual keys holds such a formula.
    """
    if said := other_formula(place, record.formula):
        raise BadRecord("contradiction", f"{said}.")


def check_cell(entry: Mapping[str, Any], record: CrystalRecord) -> None:
    """Refuse an entry with a number of sites or a volume that is not its structure's.

    Raises
    ------
    BadRecord
        If it states another one.
    """
    if said := other_volume(entry, record.cell, record.n_atoms):
        raise BadRecord("contradiction", f"{said}.")
    for key in ("nsites", "n_sites", "natoms", "n_atoms"):
        value = entry.get(key)
        stated = number_of(value.item() if isinstance(value, np.generic) else value, key)
        if not np.isnan(stated) and stated != record.n_atoms:
            raise BadRecord(
                "contradiction",
                f"{key} is {stated:g}, but the structure has {record.n_atoms} sites.",
            )


def check_composition(stated: Any, record: CrystalRecord, whole: bool = True) -> None:
    """Refuse a composition that is not the structure's: the energy is of something else.

    Parameters
    ----------
    whole
        Whether it must be that of the cell; else its proportions are compared.
    """
    if not isinstance(stated, dict) or not stated:
        return
    counts: dict[int, float] = {}
    for name, amount in stated.items():
        symbol = _SYMBOL.match(name)
        number = atomic_numbers().get(symbol[0], 0) if symbol else 0
        counts[number] = counts.get(number, 0.0) + number_of(amount, "composition")
    own = {int(z): int((record.numbers == z).sum()) for z in np.unique(record.numbers)}
    if not whole and (total := sum(counts.values())) > 0:
        counts = {z: count * record.n_atoms / total for z, count in counts.items()}
    differ = [z for z in counts.keys() | own.keys() if abs(counts.get(z, 0) - own.get(z, 0)) > 1e-3]
    if differ:
        text = " ".join(
            f"{shown(name)[1:-1]}{number_of(amount, name):g}" for name, amount in stated.items()
        )
        raise BadRecord(
            "contradiction",
            f"the composition {text} is not that of the structure, {record.formula} with "
            f"{record.n_atoms} atoms.",
        )


def number_of(value: Any, name: str) -> float:
    """Return a number; NaN for none."""
    if value is None:
        return np.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRecord("malformed", f"{name} is {shown(value)}, not a number.")
    try:
        return float(value)
    except OverflowError:
        return np.inf
