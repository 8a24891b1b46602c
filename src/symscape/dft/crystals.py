"""The crystal of a plan: from a structure file, or from cell and sites as papers print them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.read import CrystalFile, ReadOptions, crystal_from_file
from symscape.decode import is_finite
from symscape.dft.settings import refuse_unknown
from symscape.errors import PlanError, shown

_KEYS = [
    "file", "symprec", "hall_number", "block", "elements", "spacegroup", "setting", "cell", "sites",
]  # fmt: skip


def read_crystal(table: Mapping[str, Any], folder: Path) -> CrystalFile:
    """Make the crystal that a plan's ``[crystal]`` table describes, with the notices of its file.

    Parameters
    ----------
    table
        Either ``file`` (and ``symprec`` in angstrom, ``hall_number``, and for some files
        ``block`` or ``elements``, see `ReadOptions`), or ``cell`` (a, b, c in angstrom, alpha,
        beta, gamma in degrees), ``sites`` (``["O", "1/4", 0.25, 0]``, one atom of each orbit) and
        ``hall_number`` or ``spacegroup`` (number or symbol) with ``setting``.
    folder
        What ``file`` is relative to.

    Raises
    ------
    PlanError
        If something is missing, unknown or contradictory.
    """
    table = refuse_unknown(table, _KEYS, "[crystal]")
    if "file" in table:
        return _from_file(table, folder)
    for key in ("cell", "sites"):
        if key not in table:
            raise PlanError(f"[crystal] needs a file, or cell and sites; {key!r} is missing.")
    try:
        cell = [float(x) for x in table["cell"]]
        sites = [
            (str(site[0]), [float(Fraction(x) if isinstance(x, str) else x) for x in site[1:]])
            for site in table["sites"]
        ]
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise PlanError(f"[crystal]: cell or sites hold something unreadable ({error}).") from None
    if len(cell) != 6 or any(len(x) != 3 for _, x in sites):
        raise PlanError(
            "[crystal]: cell takes six numbers (a, b, c in angstrom, alpha, beta, gamma in "
            "degrees) and each site an element and three coordinates."
        )
    return CrystalFile(Crystal.from_sites(cell, _hall_number(table), sites))


def _from_file(table: Mapping[str, Any], folder: Path) -> CrystalFile:
    """Read the file that a table names."""
    file, symprec, hall = table["file"], table.get("symprec"), table.get("hall_number")
    block, elements = table.get("block", ""), table.get("elements", [])
    if not isinstance(file, str):
        raise PlanError(f"[crystal]: file is {shown(file)}, but must be a path.")
    if symprec is not None and (not is_finite(symprec) or not symprec > 0):
        raise PlanError(f"[crystal]: symprec is {shown(symprec)}, but must be positive.")
    if not isinstance(block, str):
        raise PlanError(f"[crystal]: block is {shown(block)}, but must be a name.")
    if not isinstance(elements, list) or not all(isinstance(x, str) for x in elements):
        raise PlanError(f"[crystal]: elements is {shown(elements)}, but must be a list of symbols.")
    return crystal_from_file(
        folder / file,
        None if symprec is None else float(symprec),
        None if hall is None else _checked_hall(hall),
        ReadOptions(block, tuple(elements)),
    )


def _checked_hall(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 530:
        raise PlanError(
            f"[crystal]: hall_number is {shown(value)}, but must be a whole number from 1 to 530."
        )
    return value


def _hall_number(table: Mapping[str, Any]) -> int:
    import spglib

    if "hall_number" in table:
        return _checked_hall(table["hall_number"])
    if "spacegroup" not in table:
        raise PlanError("[crystal] needs spacegroup (number or symbol) or hall_number.")
    wanted = table["spacegroup"]
    setting = table.get("setting")
    matching = []
    for hall in range(1, 531):
        kind = spglib.get_spacegroup_type(hall)
        symbols = (kind.number, str(kind.number), kind.international_short)
        if wanted in symbols and (setting is None or kind.choice == str(setting)):
            matching.append(hall)
    if not matching:
        choice = f" in the setting {shown(setting)}" if setting is not None else ""
        raise PlanError(f"[crystal]: there is no space group {shown(wanted)}{choice}.")
    return matching[0]


def crystal_digest(crystal: Crystal) -> str:
    """Return a short name of a crystal's exact geometry."""
    rounded = [np.round(array, 6) + 0.0 for array in (crystal.lattice, crystal.positions)]
    return hashlib.sha256(b"".join(array.tobytes() for array in rounded)).hexdigest()[:12]


def relaxed_path(plan_path: Path) -> Path:
    """Return where the relaxed crystal of a plan lies."""
    return plan_path.with_suffix(".relaxed.json")


def relaxed_crystal(plan_path: Path) -> dict[str, Any] | None:
    """Return what the relaxation of a plan left behind, or None.

    Raises
    ------
    PlanError
        If the file is damaged.
    """
    path = relaxed_path(plan_path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not {"lattice_A", "atoms"} <= content.keys():
        raise PlanError(f"{path}: the relaxed crystal is damaged; remove it and relax again.")
    return content
