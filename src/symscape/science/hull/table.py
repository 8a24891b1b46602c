"""One row a crystal: what it is made of and how symmetric it is."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from symscape.crystal.crystal import Crystal
from symscape.errors import HullError
from symscape.references.crystals import CrystalReference

if TYPE_CHECKING:
    from pymatgen.core import Element

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
            "formula": crystal.crystal.formula,
            **asdict(symmetry_of(crystal.crystal)),
            "volume": crystal.volume_per_atom,
            "energy": crystal.energy_per_atom,
        }
        for crystal in crystals
    ]
    if not rows:
        raise HullError("there are no crystals to compare; relax or import some first.")
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Symmetry:
    """How symmetric a crystal is, and what kind of compound: columns of tables.

    Parameters
    ----------
    space_group, symbol, crystal_system
        Number (0 if there is none), short international symbol, name.
    n_lattice, n_wyckoff
        Free lattice parameters and Wyckoff coordinates, polar translations not counted; -1 if
        there is no group.
    site_symmetries
        Of the occupied positions, highest order first.
    site_symmetry_order
        The highest one.
    chemistry
        ``element``, ``intermetallic``, or after the anion.
    """

    space_group: int = 0
    symbol: str = ""
    crystal_system: str = ""
    n_lattice: int = -1
    n_wyckoff: int = -1
    site_symmetries: str = ""
    site_symmetry_order: int = 0
    chemistry: str = ""


def symmetry_of(crystal: Crystal) -> Symmetry:
    """Describe a crystal's symmetry and chemistry."""
    orders = site_symmetry_orders(crystal)
    symbols = [orbit.site_symmetry for orbit in crystal.orbits]
    ranked = sorted(zip(orders, symbols, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return Symmetry(
        space_group=crystal.space_group_number,
        symbol=crystal.symbol,
        crystal_system=crystal.system,
        n_lattice=crystal.n_lattice,
        n_wyckoff=crystal.n_wyckoff,
        site_symmetries=" ".join(symbol for _, symbol in ranked),
        site_symmetry_order=max(orders),
        chemistry=chemistry(crystal.formula),
    )


def site_symmetry_orders(crystal: Crystal) -> list[int]:
    """Return the order of each orbit's site-symmetry group: operations over multiplicity."""
    operations = len(crystal.group.rotations)
    return [operations // orbit.multiplicity for orbit in crystal.orbits]


def chemistry(formula: str) -> str:
    """Name the kind of compound: ``element``, ``intermetallic``, or after its anion.

    The most electronegative element names it (``pnictide``, ``oxide``, ...) unless all are metals.
    """
    from pymatgen.core import Composition

    return chemistry_of(Composition(formula).elements)


def chemistry_of(elements: Sequence[Element]) -> str:
    """Name the kind of compound of some elements, each listed once, as `chemistry` does."""
    if len(elements) == 1:
        return "element"
    if all(element.is_metal for element in elements):
        return "intermetallic"
    anion = max(elements, key=_anion_rank)
    if anion.symbol == "O":
        return "oxide"
    return _CHEMISTRY.get(anion.group, "other")


def _anion_rank(element: Element) -> tuple[float, int]:
    """Return by what an element is the anion: the scale, and of equal ones the later group.

    Copper and silicon are equal on it, and so are carbon and selenium; helium, neon and argon are
    not on it and no anions, nor is it worth pymatgen's warning.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = float(element.X)
    return (known if np.isfinite(known) else -np.inf, element.group)


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
