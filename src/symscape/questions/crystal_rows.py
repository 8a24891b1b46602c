"""Which crystals a case is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symscape.questions.subjects import HullSystem, Subject, SymmetryClass, SystemCrystals

if TYPE_CHECKING:
    import pandas as pd


def rows_of_case(table: pd.DataFrame, subject: Subject) -> pd.DataFrame:
    """Return the rows of the crystals that a case is about.

    Parameters
    ----------
    table
        One row a crystal, as `symscape.science.hull.table.crystal_table` makes it.
    subject
        What the case is about.
    """
    from symscape.science.hull.phases import select_system
    from symscape.science.hull.statistics import with_classes

    match subject:
        case HullSystem(system):
            return select_system(table, system)
        case SystemCrystals(system):
            return table[table["system"] == system]
        case SymmetryClass(freedom, number):
            table = with_classes(table)
            return table[table[f"{freedom}_class"] == number]
    return table


def without_zeros(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the elements that define the zero of formation energies: they have no error."""
    zero = (table["chemistry"] == "element") & (table["formation_dft"] == 0)
    return table[~zero]
