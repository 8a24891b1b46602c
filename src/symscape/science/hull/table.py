"""One row a crystal: what it is made of and how symmetric it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from symscape.crystal.crystal import Crystal
from symscape.errors import HullError
from symscape.references.crystals import CrystalReference

#: what a group of the periodic table makes of a compound whose most electronegative element it is
_CHEMISTRY = {
    13: "boride",
    14: "tetrelide",
    15: "pnictide",
    16: "chalcogenide",
    17: "halide",
}


def crystal_table(crystals: Iterable[CrystalReference]) -> pd.DataFrame:
    """Describe the crystals of a library.

    Returns
    -------
    DataFrame
        The columns of `describe`, and ``id``, ``system``, ``material``, ``prototype``, ``n_atoms``
        of the computed cell, ``volume`` (angstrom^3/atom) and ``energy`` (DFT, eV/atom).

    Raises
    ------
    HullError
        If there are no crystals.
    """
    rows = [
        {
            "id": crystal.id,
            "system": crystal.system,
            "material": crystal.material,
            "prototype": crystal.prototype,
            "n_atoms": crystal.n_atoms,
            **describe(crystal.crystal),
            "volume": crystal.volume_per_atom,
            "energy": crystal.energy_per_atom,
        }
        for crystal in crystals
    ]
    if not rows:
        raise HullError("there are no crystals to compare; relax or import some first.")
    return pd.DataFrame(rows)


def describe(crystal: Crystal) -> dict[str, Any]:
    """Describe a crystal's composition and symmetry.

    Returns
    -------
    dict
        ``formula``; ``space_group`` (number), ``symbol``, ``crystal_system``; ``n_lattice`` and
        ``n_wyckoff``, the free lattice parameters and Wyckoff coordinates; ``site_symmetries`` of
        the occupied positions, highest order first; ``site_symmetry_order``, the highest one;
        ``chemistry``.
    """
    orders = site_symmetry_orders(crystal)
    symbols = [orbit.site_symmetry for orbit in crystal.orbits]
    ranked = sorted(zip(orders, symbols, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return {
        "formula": crystal.formula,
        "space_group": crystal.space_group_number,
        "symbol": crystal.symbol,
        "crystal_system": crystal.system,
        "n_lattice": crystal.n_lattice,
        "n_wyckoff": crystal.n_wyckoff,
        "site_symmetries": " ".join(symbol for _, symbol in ranked),
        "site_symmetry_order": max(orders),
        "chemistry": chemistry(crystal.formula),
    }


def site_symmetry_orders(crystal: Crystal) -> list[int]:
    """Return the order of each orbit's site-symmetry group: operations over multiplicity."""
    operations = len(crystal.group.rotations)
    return [operations // orbit.multiplicity for orbit in crystal.orbits]


def chemistry(formula: str) -> str:
    """Name the kind of compound: ``element``, ``intermetallic``, or after its anion.

    The most electronegative element names it (``pnictide``, ``oxide``, ...) unless all are metals.
    """
    from pymatgen.core import Composition

    elements = Composition(formula).elements
    if len(elements) == 1:
        return "element"
    if all(element.is_metal for element in elements):
        return "intermetallic"
    anion = max(elements, key=lambda element: element.X)
    if anion.symbol == "O":
        return "oxide"
    return _CHEMISTRY.get(anion.group, "other")


def check_table(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that no hull can be made of.

    Raises
    ------
    HullError
        If it is empty, lacks a column, names a crystal twice, or holds an energy that is no number.
    """
    if table.empty:
        raise HullError("there are no crystals to compare; relax or import some first.")
    missing = [name for name in ("id", "formula", *columns) if name not in table]
    if missing:
        raise HullError(f"the table of crystals has no column {missing[0]!r}; add it.")
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise HullError(f"the crystal {twice.iloc[0]!r} is listed twice; rename or remove one.")
    for name in columns:
        bad = table["id"][~np.isfinite(table[name].to_numpy(dtype=float))]
        if len(bad):
            raise HullError(
                f"{name} of the crystal {bad.iloc[0]!r} is no number; leave the crystal out or "
                "compute it anew."
            )
