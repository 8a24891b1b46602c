"""The crystal of a plan: from a structure file, or from cell and sites as papers print them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.read import CrystalFile, ReadOptions, crystal_from_file
from symscape.errors import PlanError, shown

#: a coordinate as papers print it: ``0.25`` or ``"1/4"``
Coordinate = float | str


@dataclass(frozen=True, kw_only=True)
class CrystalTable:
    """A plan's ``[crystal]``: a structure file, or cell and sites.

    Parameters
    ----------
    file
        Path of the structure file.
    symprec, block, elements, close_atoms
        How it is read: tolerance in angstrom, and for some files see `ReadOptions`.
    hall_number
        1 to 530: the setting, of the file or of the sites.
    spacegroup, setting
        In place of the Hall number where there is no file: number or symbol, and spglib's choice.
    cell
        a, b, c in angstrom, alpha, beta, gamma in degrees.
    sites
        ``["O", "1/4", 0.25, 0]``, one atom of each orbit.
    """

    file: str | None = None
    symprec: float | None = None
    block: str = ""
    elements: tuple[str, ...] = ()
    close_atoms: bool = False
    hall_number: int | None = None
    spacegroup: int | str | None = None
    setting: int | str | None = None
    cell: tuple[float, ...] | None = None
    sites: tuple[tuple[str, Coordinate, Coordinate, Coordinate], ...] | None = None


def read_crystal(table: CrystalTable, folder: Path) -> CrystalFile:
    """Make the crystal that a table describes, with the notices of its file.

    Parameters
    ----------
    table
        The table.
    folder
        What its ``file`` is relative to.

    Raises
    ------
    PlanError
        If something is missing or contradictory.
    """
    if table.file is not None:
        return _from_file(table, folder / table.file)
    if table.cell is None or table.sites is None:
        missing = "cell" if table.cell is None else "sites"
        raise PlanError(f"[crystal] needs a file, or cell and sites; {missing!r} is missing.")
    try:
        sites = [
            (symbol, [float(Fraction(x) if isinstance(x, str) else x) for x in place])
            for symbol, *place in table.sites
        ]
    except (ValueError, ArithmeticError) as error:
        raise PlanError(f"[crystal]: a coordinate is unreadable ({error}).") from None
    if len(table.cell) != 6:
        raise PlanError(
            "[crystal]: cell takes six numbers (a, b, c in angstrom, alpha, beta, gamma in "
            "degrees)."
        )
    return CrystalFile(Crystal.from_sites(table.cell, _hall_number(table), sites))


def _from_file(table: CrystalTable, file: Path) -> CrystalFile:
    """Read the file that a table names."""
    if table.symprec is not None and not table.symprec > 0:
        raise PlanError(f"[crystal]: symprec is {shown(table.symprec)}, but must be positive.")
    return crystal_from_file(
        file,
        table.symprec,
        None if table.hall_number is None else _checked_hall(table.hall_number),
        ReadOptions(table.block, table.elements, close_atoms=table.close_atoms),
    )


def _checked_hall(number: int) -> int:
    if not 1 <= number <= 530:
        raise PlanError(
            f"[crystal]: hall_number is {shown(number)}, but must be a whole number from 1 to 530."
        )
    return number


def _hall_number(table: CrystalTable) -> int:
    import spglib

    if table.hall_number is not None:
        return _checked_hall(table.hall_number)
    wanted, setting = table.spacegroup, table.setting
    if wanted is None:
        raise PlanError("[crystal] needs spacegroup (number or symbol) or hall_number.")
    for hall in range(1, 531):
        kind = spglib.get_spacegroup_type(hall)
        symbols = (kind.number, str(kind.number), kind.international_short)
        if wanted in symbols and (setting is None or kind.choice == str(setting)):
            return hall
    choice = f" in the setting {shown(setting)}" if setting is not None else ""
    raise PlanError(f"[crystal]: there is no space group {shown(wanted)}{choice}.")


def crystal_digest(crystal: Crystal) -> str:
    """Return a short name of a crystal's exact geometry."""
    rounded = [np.round(array, 6) + 0.0 for array in (crystal.lattice, crystal.positions)]
    return hashlib.sha256(b"".join(array.tobytes() for array in rounded)).hexdigest()[:12]
