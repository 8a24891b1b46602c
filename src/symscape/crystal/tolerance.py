"""The tolerance of the symmetry search: one that gives the group which a file states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from symscape.errors import StructureFileError, SymscapeError

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.crystal.crystal import Crystal

#: Distance tolerance of the symmetry search in angstrom.
SYMPREC = 0.01
#: What is tried after it when the user has named none: smaller, then larger.
_OTHER_SYMPRECS = (1e-3, 1e-4, 1e-5, 0.03, 0.1)
#: the last of them, which is pymatgen's and the Materials Project's
WIDEST_SYMPREC = _OTHER_SYMPRECS[-1]


@dataclass(frozen=True)
class StatedGroup:
    """What a file states of its space group.

    Parameters
    ----------
    number
        In the International Tables, 0 if it states none. 1 is no statement: programs write P1
        where they have not looked.
    operations
        How many symmetry operations it states for its cell; 1 if it states none.
    """

    number: int = 0
    operations: int = 1

    def __str__(self) -> str:
        return f"space group No. {self.number}" if self.number else "other operators"

    def compare(self, crystal: Crystal, volume: float) -> int:
        """Return 1 if a crystal has more symmetry than is stated, -1 if less or another, else 0.

        Parameters
        ----------
        volume
            Of the file's cell in cubic angstrom.
        """
        if self.operations > 1:
            # all operations stated hold for atoms made by them, so that counting is enough
            own = len(crystal.group) / abs(float(np.linalg.det(crystal.lattice)))
            ratio = own * volume / self.operations
            return int(ratio > 1.1) - int(ratio < 0.9)
        return 0 if self.number <= 1 else _side(crystal.space_group_number, self.number)


@dataclass(frozen=True, eq=False)
class FoundCrystal:
    """A standardized crystal and how it was found.

    Parameters
    ----------
    crystal
        The crystal.
    symprec
        The tolerance that it was found with, in angstrom.
    notices
        What the user should know of it, one sentence each.
    """

    crystal: Crystal
    symprec: float
    notices: tuple[str, ...] = ()


def find_crystal(
    atoms: Atoms, stated: StatedGroup, symprec: float | None, hall_number: int | None
) -> FoundCrystal:
    """Standardize a structure with the first tolerance that gives the group which its file states.

    Atoms displaced by less than the tolerance seem to have more symmetry than the file states: a
    smaller tolerance decides. Where none gives the group stated, the one next above it is taken,
    for a crystal may have more symmetry than its file makes use of.

    Parameters
    ----------
    symprec
        spglib's distance tolerance in angstrom; None for 0.01, and some others after it.
    hall_number
        The setting to standardize to; spglib's standard one if None.

    Raises
    ------
    SymscapeError
        If no tolerance gives a group that fits, or only one lower than the one stated.
    """
    from symscape.crystal.crystal import Crystal

    volume = abs(float(atoms.cell.volume))
    failures: list[SymscapeError] = []
    above: list[tuple[Crystal, float]] = []
    for tolerance in (SYMPREC, *_OTHER_SYMPRECS) if symprec is None else (symprec,):
        if above and tolerance > above[0][1]:
            break
        try:
            crystal = Crystal.from_structure(atoms, tolerance, hall_number)
            side = stated.compare(crystal, volume)
            if side < 0:
                raise _too_low(stated, crystal, tolerance)
        except SymscapeError as error:
            failures.append(error)
            continue
        if side == 0 or hall_number:
            reason = _why_not(stated, above, failures)
            return FoundCrystal(crystal, tolerance, _used(tolerance, reason))
        above.append((crystal, tolerance))
    if not above:
        raise failures[0]
    # the first of those with the fewest operations
    crystal, tolerance = min(above, key=lambda found: _operations_per_volume(found[0]))
    used = () if tolerance in (SYMPREC, symprec) else _used(tolerance, _why_not(stated, above, []))
    return FoundCrystal(
        crystal,
        tolerance,
        (
            *used,
            f"the file states {stated}, but its atoms have {_name(crystal)}, which was taken",
        ),
    )


def agreement(stated: int, group_at: Callable[[float], int]) -> tuple[int, int]:
    """Compare a space group that is stated alone with those of all tolerances, as `find_crystal`.

    Parameters
    ----------
    stated
        Its number.
    group_at
        Gives the number of the group that is found with a tolerance in angstrom, 0 for none.

    Returns
    -------
    side : int
        0 if a tolerance gives the group stated, 1 if only one above it, else -1.
    found : int
        The group to name: the one stated, the lowest above it, or what the usual tolerance gives.
    """
    usual, above = 0, 0
    for tolerance in (SYMPREC, *_OTHER_SYMPRECS):
        if above and tolerance > SYMPREC:
            break
        found = group_at(tolerance)
        usual = found if tolerance == SYMPREC else usual
        side = _side(found, stated) if found else -1
        if side == 0:
            return 0, stated
        if side > 0:
            above = found
    return (1, above) if above else (-1, usual)


def _side(number: int, stated: int) -> int:
    """Return 0 if a space group is the one stated, 1 if it is above it, else -1."""
    if number == stated:
        return 0
    return 1 if _is_above(number, stated) else -1


def _operations_per_volume(crystal: Crystal) -> float:
    return round(len(crystal.group) / abs(float(np.linalg.det(crystal.lattice))), 3)


@cache
def _is_above(number: int, below: int) -> bool:
    """Whether a space group has another as a subgroup with fewer rotations."""
    import gemmi
    from pymatgen.symmetry.groups import SpaceGroup

    more, fewer = (
        len(gemmi.find_spacegroup_by_number(n).operations().sym_ops) for n in (number, below)
    )
    return more > fewer and bool(
        SpaceGroup.from_int_number(below).is_subgroup(SpaceGroup.from_int_number(number))
    )


def _name(crystal: Crystal) -> str:
    return f"{crystal.symbol} (No. {crystal.space_group_number})"


def _too_low(stated: StatedGroup, crystal: Crystal, symprec: float) -> StructureFileError:
    return StructureFileError(
        f"the file states {stated}, but only {_name(crystal)} is found within "
        f"symprec={symprec:g} angstrom; check its coordinates."
    )


def _why_not(
    stated: StatedGroup, above: list[tuple[Crystal, float]], failures: list[SymscapeError]
) -> str:
    """Return why the default tolerance was not used; empty if it was."""
    if above and above[0][1] == SYMPREC:
        return f"{_name(above[0][0])} is found, but the file states {stated}"
    return str(failures[0]).split(";")[0] if failures else ""


def _used(symprec: float, reason: str) -> tuple[str, ...]:
    if not reason:
        return ()
    return (f"symprec = {symprec:g} angstrom was used, for with {SYMPREC:g} {reason}",)
