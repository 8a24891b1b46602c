"""How far formation energies move with tighter settings: the error budget of the crystals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from symscape.references.crystal_files import CheckedEnergy, StoredCrystal


def formation_changes(crystals: Iterable[StoredCrystal]) -> dict[str, float]:
    """Return the changes of formation energies with tighter settings, meV/atom, by id.

    Of compounds that were checked, as was the lowest crystal of each of their elements, with one
    cut-off; a formation energy is the difference from those.
    """
    every = list(crystals)
    lowest: dict[str, StoredCrystal] = {}
    for one in every:
        if len(set(one.symbols)) == 1:
            other = lowest.setdefault(one.symbols[0], one)
            if one.energy_eV / len(one.symbols) < other.energy_eV / len(other.symbols):
                lowest[one.symbols[0]] = one
    changes = {}
    for one in every:
        amounts = Counter(one.symbols)
        if one.checked is None or len(amounts) == 1:
            continue
        shifts = [_shift(lowest.get(element), one.checked) for element in amounts]
        if None not in shifts:
            parts = zip(amounts.values(), shifts, strict=True)
            own = one.checked.energy_eV - one.energy_eV
            apart = own - sum(n * shift for n, shift in parts if shift is not None)
            changes[one.id] = 1000.0 * apart / len(one.symbols)
    return changes


def _shift(element: StoredCrystal | None, like: CheckedEnergy) -> float | None:
    """Return by how much an atom of an element moves (eV), None if it was not checked so."""
    if element is None or element.checked is None:
        return None
    if element.checked.cutoff_eV != like.cutoff_eV:
        return None
    return (element.checked.energy_eV - element.energy_eV) / len(element.symbols)
