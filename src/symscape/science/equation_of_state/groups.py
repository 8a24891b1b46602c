"""Groups of the periodic table, by which crystals are gathered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_STARTS = np.array([1, 3, 11, 19, 37, 55, 87, 119])


def table_place(number: int) -> tuple[int, int]:
    """Return period and group of an element, 1 to 7 and 1 to 18; group 0 for f elements.

    Parameters
    ----------
    number
        Atomic number, 1 to 118. Lanthanum to lutetium and actinium to lawrencium are f elements.
    """
    period = int(np.searchsorted(_STARTS, number, side="right"))
    column = number - int(_STARTS[period - 1])
    length = int(_STARTS[period] - _STARTS[period - 1])
    if length == 32 and 2 <= column <= 16:
        return period, 0
    # the last columns of all periods stand below each other, the first two as well
    return period, column + 1 if column < 2 and number != 2 else column + 19 - length


def element_groups(numbers: Iterable[int]) -> dict[str, tuple[int, ...]]:
    """Return the elements of each group, ``group-1`` to ``group-18``; f elements are left out.

    Parameters
    ----------
    numbers
        Atomic numbers.
    """
    found: dict[int, list[int]] = {}
    for number in sorted(set(map(int, numbers))):
        found.setdefault(table_place(number)[1], []).append(number)
    return {f"group-{group}": tuple(found[group]) for group in sorted(found) if group}
