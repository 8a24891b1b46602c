"""Formation energies and energies above the hull of a table of crystals, each within one method.

A method's energies are compared with its own energies of the elements and of the competing phases
(Ong et al., Chem. Mater. 20, 1798 (2008)). `symscape.science.hull.convex` holds the array
functions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from symscape.errors import HullError
from symscape.science.hull.compositions import Compositions, compositions
from symscape.science.hull.convex import above_elements, above_hull, element_energies
from symscape.science.hull.systems import elements_of_system
from symscape.science.hull.table import check_table


def element_references(table: pd.DataFrame, energy: str = "energy") -> dict[str, float]:
    """Return the lowest energy of each element's crystals, eV/atom.

    Parameters
    ----------
    table
        Columns ``id``, ``formula`` and ``energy``.
    energy
        Name of the column of total energies, eV/atom.

    Raises
    ------
    HullError
        If the table is malformed, or has no crystal of an element that another one contains.
    """
    check_table(table, [energy])
    parts = compositions(table["formula"])
    found = element_energies(parts, table[energy].to_numpy(dtype=float), table["id"])
    return dict(zip(parts.elements, found.tolist(), strict=True))


def formation_energies(table: pd.DataFrame, energy: str = "energy", method: str = "") -> pd.Series:
    """Return energies of formation from the method's own elements, eV/atom.

    ``E_f = E - sum_i x_i E_i`` with the atomic fractions ``x_i``.

    Parameters
    ----------
    table, energy
        As `element_references`.
    method
        Whose energies they are, for messages.

    Raises
    ------
    HullError
        As `element_references`.
    """
    return pd.Series(_formation(table, energy, method)[1], index=table.index)


def energies_above_hull(table: pd.DataFrame, energy: str = "energy", method: str = "") -> pd.Series:
    """Return energies above the method's own hull, eV/atom.

    The hull of each chemical system is that of all crystals whose elements are among the system's.

    Parameters
    ----------
    table, energy, method
        As `formation_energies`.

    Raises
    ------
    HullError
        As `element_references`.
    """
    # the hull does not depend on the zero, and formation energies are of its own size
    return pd.Series(above_hull(*_formation(table, energy, method)), index=table.index)


def _formation(table: pd.DataFrame, energy: str, method: str) -> tuple[Compositions, np.ndarray]:
    """Return compositions and energies of formation, eV/atom, shape (n,)."""
    check_table(table, [energy])
    parts = compositions(table["formula"])
    values = table[energy].to_numpy(dtype=float)
    references = element_energies(parts, values, table["id"], method)
    return parts, above_elements(parts, values, references)


def select_system(table: pd.DataFrame, system: str) -> pd.DataFrame:
    """Return the crystals of a chemical system, its elements and its subsystems.

    Raises
    ------
    HullError
        If no crystal has all of the system's elements.
    """
    wanted = set(elements_of_system(system))
    members = [set(elements_of_system(name)) for name in table["system"]]
    if wanted not in members:
        raise HullError(
            f"the chemical system {system} is empty: no crystal has all of its elements; add one "
            "or leave the system out."
        )
    return table[[name <= wanted for name in members]]
