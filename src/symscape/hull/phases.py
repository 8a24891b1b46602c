"""Formation energies and energies above the hull, each within one method.

A method's energies are compared with its own energies of the elements and of the competing phases
(Ong et al., Chem. Mater. 20, 1798 (2008)); pymatgen makes the hulls.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from symscape.errors import HullError
from symscape.hull.table import check_table

#: from so many systems on, that are no part of others, hulls are patched together
_MANY_SYSTEMS = 20


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
    fractions = _fractions(table["formula"])
    references: dict[str, float] = {}
    wanted: dict[str, str] = {}
    for name, parts, value in zip(table["id"], fractions, table[energy], strict=True):
        if len(parts) == 1:
            (element,) = parts
            references[element] = min(float(value), references.get(element, np.inf))
        for element in parts:
            wanted.setdefault(element, str(name))
    for element, name in wanted.items():
        if element not in references:
            raise HullError(
                f"the element {element} has no reference energy, which {name!r} needs; add a "
                f"crystal of {element}."
            )
    return references


def formation_energies(table: pd.DataFrame, energy: str = "energy") -> pd.Series:
    """Return energies of formation from the method's own elements, eV/atom.

    ``E_f = E - sum_i x_i E_i`` with the atomic fractions ``x_i``.

    Raises
    ------
    HullError
        As `element_references`.
    """
    references = element_references(table, energy)
    parts = [
        sum(x * references[element] for element, x in fractions.items())
        for fractions in _fractions(table["formula"])
    ]
    return table[energy].astype(float) - np.array(parts)


def energies_above_hull(table: pd.DataFrame, energy: str = "energy") -> pd.Series:
    """Return energies above the method's own hull, eV/atom.

    The hull of each chemical system is that of all crystals whose elements are among the system's.
    pymatgen's ``PhaseDiagram`` for few systems, ``PatchedPhaseDiagram`` for many.

    Raises
    ------
    HullError
        As `element_references`.
    """
    from pymatgen.analysis.phase_diagram import PatchedPhaseDiagram, PDEntry, PhaseDiagram
    from pymatgen.core import Composition

    # the hull does not depend on the zero, and formation energies are of its own size
    formation = formation_energies(table, energy).to_numpy()
    compositions = [Composition(formula) for formula in table["formula"]]
    entries = [
        PDEntry(composition, value * composition.num_atoms, name=str(name))
        for composition, value, name in zip(compositions, formation, table["id"], strict=True)
    ]
    elements = [frozenset(e.symbol for e in composition.elements) for composition in compositions]
    largest = _largest(set(elements))
    above = np.empty(len(table))
    if len(largest) >= _MANY_SYSTEMS:
        patched = PatchedPhaseDiagram(entries)
        above[:] = [patched.get_e_above_hull(entry) for entry in entries]
        return pd.Series(np.maximum(above, 0.0), index=table.index)
    for system in largest:
        own = [k for k, members in enumerate(elements) if members <= system]
        diagram = PhaseDiagram([entries[k] for k in own])
        for k in own:
            above[k] = diagram.get_e_above_hull(entries[k])
    return pd.Series(np.maximum(above, 0.0), index=table.index)


def select_system(table: pd.DataFrame, system: str) -> pd.DataFrame:
    """Return the crystals of a chemical system, its elements and its subsystems.

    Raises
    ------
    HullError
        If no crystal has all of the system's elements.
    """
    wanted = set(system.split("-"))
    members = [set(name.split("-")) for name in table["system"]]
    if wanted not in members:
        raise HullError(
            f"the chemical system {system} is empty: no crystal has all of its elements; add one "
            "or leave the system out."
        )
    return table[[name <= wanted for name in members]]


def _fractions(formulas: Iterable[str]) -> list[dict[str, float]]:
    """Return atomic fractions by element, computed once a formula."""
    from pymatgen.core import Composition

    known: dict[str, dict[str, float]] = {}
    found = []
    for formula in formulas:
        if formula not in known:
            fractional = Composition(formula).fractional_composition
            known[formula] = {element.symbol: float(x) for element, x in fractional.items()}
        found.append(known[formula])
    return found


def _largest(systems: set[frozenset[str]]) -> list[frozenset[str]]:
    """Return the systems that are no part of another one."""
    chosen: list[frozenset[str]] = []
    for system in sorted(systems, key=lambda s: (-len(s), sorted(s))):
        if not any(system <= other for other in chosen):
            chosen.append(system)
    return chosen
