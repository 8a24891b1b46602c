"""Which crystals a case is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symscape.questions.crystals import ALL, ALL_CRYSTALS, OF_CONTRACTS, OF_HULL

if TYPE_CHECKING:
    import pandas as pd


def rows_of_case(table: pd.DataFrame, material: str, name: str) -> pd.DataFrame:
    """Return the rows of the crystals that a case is about.

    Parameters
    ----------
    table
        One row a crystal, as `symscape.hull.table.crystal_table` makes it.
    material, name
        ``Mg-Si`` and ``hull``, ``crystals`` and ``n_wyckoff-3-4``.
    """
    from symscape.hull.phases import select_system
    from symscape.hull.statistics import with_classes

    if name == OF_HULL:
        return select_system(table, material)
    if name == OF_CONTRACTS:
        return table[table["system"] == material]
    if material == ALL_CRYSTALS and name != ALL:
        column, _, group = name.partition("-")
        table = with_classes(table)
        return table[table[f"{column}_class"] == group]
    return table


def without_zeros(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the elements that define the zero of formation energies: they have no error."""
    zero = (table["chemistry"] == "element") & (table["formation_dft"] == 0)
    return table[~zero]
