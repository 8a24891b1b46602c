"""Whether a record's structure has the space group that its source states beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symscape.crystal.engines import found_symmetry
from symscape.crystal.search import find_dataset
from symscape.crystal.spacegroup import space_group
from symscape.crystal.tolerance import SYMPREC, WIDEST_SYMPREC, agreement
from symscape.dataset.record import BadRecord, CrystalRecord

#: degrees by which angles may be off for pymatgen and the Materials Project
_PYMATGEN_ANGLE = 5.0


def check_group(record: CrystalRecord) -> CrystalRecord:
    """Refuse a structure that hasn't the space group stated at any tolerance of the search.

    A record that states none costs nothing, another one a symmetry search where the usual
    tolerance gives what is stated.

    Returns
    -------
    CrystalRecord
        With a notice if its atoms have more symmetry than is stated.

    Raises
    ------
    BadRecord
        If they have less or another one.
    """
    stated = record.space_group
    if stated <= 1:  # programs write P1 where they have not looked
        return record
    cell = np.asarray(record.cell, dtype=float)
    if np.linalg.det(cell) < 0:  # the same crystal in right-handed vectors
        cell = -cell
        positions = -record.positions
    else:
        positions = record.positions

    def group_at(symprec: float) -> int:
        found = found_symmetry(cell, positions, record.numbers, symprec)
        return 0 if found is None else space_group(found.hall_number).number

    side, found = agreement(stated, group_at)
    if side == 0 or (side < 0 and _pymatgens(cell, positions, record.numbers) == stated):
        return record
    names = f"{_name(stated)}, but its atoms have {_name(found)}"
    if side > 0:
        notice = f"the record states space group {names}"
        return replace(record, notices=(*record.notices, notice))
    raise BadRecord(
        "contradiction",
        f"the record states space group {names} within {SYMPREC:g} angstrom, and the stated one "
        f"not even within {WIDEST_SYMPREC:g}.",
    )


def _pymatgens(cell: np.ndarray, positions: np.ndarray, numbers: np.ndarray) -> int:
    """Return the group that pymatgen finds with the Materials Project's tolerances, 0 for none."""
    dataset = find_dataset(
        (cell, positions, numbers), WIDEST_SYMPREC, angle_tolerance=_PYMATGEN_ANGLE
    )
    return 0 if dataset is None else int(dataset.number)


def _name(number: int) -> str:
    if not number:
        return "none"
    import gemmi

    return f"{gemmi.find_spacegroup_by_number(number).short_name()} (No. {number})"
