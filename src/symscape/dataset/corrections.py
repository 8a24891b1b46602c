"""Energy corrections: who made them, what MP2020 makes of a crystal, and which one counts.

A source may state MP2020's correction (Wang et al., Sci. Rep. 11, 15496 (2021)), one of an older
scheme, one that moves a GGA energy onto the r2SCAN hull (Kingsbury et al., npj Comput. Mater. 8,
195 (2022)), or a number without a maker. Only the first makes an MP2020 energy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from symscape.errors import HullError

if TYPE_CHECKING:
    import numpy as np

#: what is stated may differ from what is computed by this, eV/atom; rounding in files
AGREEMENT_eV = 1e-3
#: two energies that differ by less are the same number, eV/atom
_SAME_eV = 1e-6


class Maker(StrEnum):
    """Who made an energy correction."""

    MP2020 = "MP2020"
    MIXING = "GGA/r2SCAN mixing"
    LEGACY = "legacy"
    UNNAMED = "unnamed"


class Choice(StrEnum):
    """Which of two corrections counts where both are known."""

    STATED = "stated"
    COMPUTED = "computed"


@dataclass(frozen=True)
class Stated:
    """What a source adds to an energy.

    Parameters
    ----------
    maker
        Whose it is.
    value_eV
        For the cell.
    by_difference
        Whether it is the difference of two energies, with and without. Two that are the same may
        mean that nobody ever corrected the energy.
    """

    maker: Maker
    value_eV: float
    by_difference: bool = False


@dataclass(frozen=True)
class Settled:
    """MP2020's correction of a crystal's energy.

    Parameters
    ----------
    value_eV
        For the cell; NaN where it is neither stated nor can be computed.
    origin
        ``stated`` or ``computed``; empty if there is none.
    disagreement
        One sentence if what is stated is not what MP2020 gives; else empty.
    """

    value_eV: float = math.nan
    origin: str = ""
    disagreement: str = ""


#: pymatgen's classes that make corrections
_MAKERS = {
    "MaterialsProject2020Compatibility": Maker.MP2020,
    "MaterialsProjectDFTMixingScheme": Maker.MIXING,
    "MaterialsProjectCompatibility": Maker.LEGACY,
    "MITCompatibility": Maker.LEGACY,
    "MaterialsProjectAqueousCompatibility": Maker.LEGACY,
    "MITAqueousCompatibility": Maker.LEGACY,
}


def maker_of(adjustment: Mapping[str, Any]) -> Maker:
    """Return who made one of pymatgen's energy adjustments, by its class, or else by its name."""
    made = adjustment.get("cls")
    name = made.get("@class") if isinstance(made, Mapping) else None
    if isinstance(name, str) and name:
        return _MAKERS.get(name, Maker.UNNAMED)
    title = adjustment.get("name")
    if isinstance(title, str) and title.startswith("MP2020"):
        return Maker.MP2020
    if isinstance(title, str) and "mixing adjustment" in title:
        return Maker.MIXING
    return Maker.UNNAMED


def together(parts: list[Stated]) -> tuple[Stated, ...]:
    """Return one correction a maker: the sum of its parts.

    A number of 0 without a maker says nothing: pymatgen writes it for energies that nobody ever
    looked at.
    """
    sums: dict[Maker, float] = {}
    for part in parts:
        sums[part.maker] = sums.get(part.maker, 0.0) + part.value_eV
    return tuple(
        Stated(maker, value) for maker, value in sums.items() if value or maker != Maker.UNNAMED
    )


def is_nothing(stated: tuple[Stated, ...], n_atoms: int) -> bool:
    """Tell whether a source's energies with and without MP2020's correction are the same.

    Whether that means a correction of 0 or none at all, only the crystal can tell.
    """
    return any(s.by_difference and abs(s.value_eV) <= _SAME_eV * n_atoms for s in stated)


def settle(stated: tuple[Stated, ...], computed_eV: float, n_atoms: int, choice: Choice) -> Settled:
    """Decide on MP2020's correction of a crystal.

    Parameters
    ----------
    stated
        By the source, one a maker.
    computed_eV
        By pymatgen, for the cell; NaN where it can't be.
    n_atoms
        In the cell.
    choice
        What counts where MP2020's is both stated and computed. A correction of another maker never
        counts as MP2020's, nor do two equal energies where the scheme gives another number than 0.
    """
    own = sum((s.value_eV for s in stated if s.maker == Maker.MP2020), 0.0)
    possible = math.isfinite(computed_eV)
    nothing = is_nothing(stated, n_atoms) and possible and abs(computed_eV) > AGREEMENT_eV * n_atoms
    known = any(s.maker == Maker.MP2020 for s in stated) and not nothing
    if known and (choice is Choice.STATED or not possible):
        value, origin = own, "stated"
    elif possible:
        value, origin = computed_eV, "computed"
    else:
        return Settled()
    # a mixing adjustment comes on top of MP2020's: it moves energies between functionals
    rivals = [s for s in stated if s.maker != Maker.MIXING]
    total = sum(s.value_eV for s in rivals)
    if not rivals or not possible or abs(total - computed_eV) <= AGREEMENT_eV * n_atoms:
        return Settled(value, origin)
    makers = " and ".join(str(s.maker) for s in rivals)
    return Settled(
        value,
        origin,
        f"the stated correction ({makers}) is {total / n_atoms:+.4f} eV/atom, MP2020 gives "
        f"{computed_eV / n_atoms:+.4f}; the {origin} one is taken.",
    )


def computed_correction(
    cell: np.ndarray,
    numbers: np.ndarray,
    positions: np.ndarray,
    level_of_theory: str,
    hubbard_eV: Mapping[str, float] | None,
) -> float:
    """Return MP2020's correction of a cell's energy, eV; NaN where pymatgen can't tell.

    Parameters
    ----------
    cell, numbers, positions
        Lattice vectors (angstrom), atomic numbers and fractional coordinates.
    level_of_theory
        ``PBE`` or ``PBE+U``; the scheme is for no other.
    hubbard_eV
        U by element; None where not stated, which is none for ``PBE``.
    """
    if level_of_theory == "PBE+U" and hubbard_eV is None:
        return math.nan
    if level_of_theory not in ("PBE", "PBE+U"):
        return math.nan
    from pymatgen.core import Structure

    from symscape.science.hull.conventions import mp2020_correction

    structure = Structure(cell, [int(z) for z in numbers], positions)
    try:
        return mp2020_correction(structure, dict(hubbard_eV or {}))
    except HullError:
        return math.nan
