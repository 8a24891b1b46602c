"""One crystal of a data set, and what makes one unusable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symscape.crystal.orbits import reduced_formula
from symscape.dataset.corrections import Stated
from symscape.dataset.stress_units import StatedStress

#: atoms closer than this overlap, angstrom; the shortest bond, that of H2, has 0.74
OVERLAP_A = 0.5
#: less volume an atom is none, angstrom^3; solid hydrogen at 500 GPa has more than 1
LEAST_VOLUME_A3 = 0.5
#: more volume an atom is a box around atoms or molecules, angstrom^3; caesium has 110
MOST_VOLUME_A3 = 250.0
#: an atom with no other this near is by itself, angstrom; caesium's are 5.3 apart
LONGEST_BOND_A = 7.0
#: where nearly all atoms have a neighbour, angstrom
_USUAL_BOND_A = 4.0
UNKNOWN = "unknown"
#: how many pairs of atoms are compared at a time
_PAIRS = 1_000_000


class BadRecord(Exception):
    """A record can't be imported.

    Parameters
    ----------
    kind
        What is wrong in a word or two, the same for all such records: ``no energy``.
    reason
        One sentence.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True)
class Reject:
    """A record that was not imported.

    Parameters
    ----------
    id
        Of the record; empty if it states none.
    file, where
        Where it stands: ``entries.json``, ``record 17 at byte 52011``.
    kind, reason
        As in `BadRecord`.
    """

    id: str
    file: str
    where: str
    kind: str
    reason: str


@dataclass(frozen=True, eq=False)
class CrystalRecord:
    """A crystal and its energy, as a file states them.

    Parameters
    ----------
    id
        Unique in its data set.
    numbers
        Atomic numbers, shape (n_atoms,).
    cell
        Lattice vectors as rows, angstrom, shape (3, 3).
    positions
        Fractional, shape (n_atoms, 3).
    energy_eV
        Of the cell as computed, without corrections; NaN while it is not known.
    correction_eV
        MP2020's correction of the cell's energy, once `corrections.settle` has decided on it; NaN
        where it is not known.
    level_of_theory
        Functional: ``PBE``, ``PBE+U``, ``r2SCAN``; ``unknown`` where not stated.
    source
        Where the record is from.
    where
        Its place in the file.
    aliases
        Other names that a table of energies may know it by.
    notices
        What the user should know of its file, one sentence each.
    stated
        What the source adds to the energy, one a maker.
    correction_origin
        ``stated`` or ``computed``; empty if there is none.
    hubbard_eV
        U by element, as the calculation had it; None where not stated.
    space_group
        Number that the source states of the crystal's group, 0 if it states none.
    stress
        As stated, with the convention of the format; None where not stated. It is compared with
        energies and not kept.
    """

    id: str
    numbers: np.ndarray
    cell: np.ndarray
    positions: np.ndarray
    energy_eV: float = np.nan
    correction_eV: float = np.nan
    level_of_theory: str = UNKNOWN
    source: str = ""
    where: str = ""
    aliases: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    stated: tuple[Stated, ...] = ()
    correction_origin: str = ""
    hubbard_eV: Mapping[str, float] | None = None
    space_group: int = 0
    stress: StatedStress | None = None

    @property
    def n_atoms(self) -> int:
        """Atoms in the cell."""
        return len(self.numbers)

    @property
    def volume(self) -> float:
        """Angstrom^3/atom."""
        return self.cell_volume / self.n_atoms

    @property
    def cell_volume(self) -> float:
        """Angstrom^3, of a cell without atoms as well."""
        with np.errstate(invalid="ignore"):  # a cell with a NaN has none
            return abs(float(np.linalg.det(self.cell)))

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return reduced_formula(self.numbers)

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols in alphabetical order."""
        from ase.data import chemical_symbols

        return tuple(sorted(str(chemical_symbols[z]) for z in np.unique(self.numbers)))

    @property
    def system(self) -> str:
        """Chemical system: ``Mg-Si``."""
        return "-".join(self.elements)


def check_geometry(record: CrystalRecord, close_atoms: bool = False) -> None:
    """Refuse what is no crystal.

    Parameters
    ----------
    close_atoms
        Whether atoms may be closer than `OVERLAP_A`.

    Raises
    ------
    BadRecord
        If it has no atoms, an unknown element, coordinates that are no numbers, no volume, atoms
        closer than `OVERLAP_A`, more volume than a crystal has, or an atom that is by itself.
    """
    if not len(record.numbers):
        raise BadRecord("no structure", "the structure has no atoms.")
    if record.numbers.min() < 1 or record.numbers.max() > 118:
        raise BadRecord("unknown element", "an atomic number is not in the periodic table.")
    if not (np.isfinite(record.cell).all() and np.isfinite(record.positions).all()):
        raise BadRecord("no numbers", "a coordinate or a lattice vector is no finite number.")
    if not LEAST_VOLUME_A3 <= record.volume < np.inf:
        raise BadRecord(
            "no volume", f"the cell has {record.volume:.3g} angstrom^3 an atom, which none has."
        )
    if not close_atoms:
        _check_distances(record)
    _check_alone(record)


def check_energy(record: CrystalRecord) -> None:
    """Refuse a record without a usable energy.

    Raises
    ------
    BadRecord
        If the energy is missing or no number, or the correction is infinite.
    """
    if not np.isfinite(record.energy_eV):
        raise BadRecord("no energy", "the energy is missing or no finite number.")
    if not all(np.isfinite(part.value_eV) for part in record.stated):
        raise BadRecord("no energy", "the energy correction is no finite number.")


def _check_alone(record: CrystalRecord) -> None:
    """Refuse atoms in a box: no crystal, and nobody's elemental reference."""
    if record.volume > MOST_VOLUME_A3:
        raise BadRecord(
            "isolated atoms",
            f"the cell has {record.volume:.0f} angstrom^3 an atom, a box rather than a crystal.",
        )
    # spheres of half that distance about such an atom and its images are disjoint
    if record.cell_volume < 4 / 3 * np.pi * (LONGEST_BOND_A / 2) ** 3:
        return
    if len(_with_neighbors(record, _USUAL_BOND_A)) == record.n_atoms:
        return
    near = _with_neighbors(record, LONGEST_BOND_A)
    if len(near) < record.n_atoms:
        alone = int(np.setdiff1d(np.arange(record.n_atoms), near)[0])
        raise BadRecord(
            "isolated atoms",
            f"the atom {alone} has no other within {LONGEST_BOND_A:g} angstrom.",
        )


def _with_neighbors(record: CrystalRecord, reach_A: float) -> np.ndarray:
    """Return which atoms have another one, or an image, within a distance, shape (n_such,)."""
    from pymatgen.optimization.neighbors import find_points_in_spheres

    cell = np.ascontiguousarray(record.cell, dtype=float)
    places = np.ascontiguousarray((record.positions - np.floor(record.positions)) @ cell)
    first, _, _, distances = find_points_in_spheres(
        places, places, r=reach_A, pbc=np.ones(3, dtype=np.int64), lattice=cell, tol=1e-8
    )
    return np.unique(first[distances > 1e-8])


def _check_distances(record: CrystalRecord) -> None:
    """Refuse overlapping atoms.

    In a cell whose faces are more than twice `OVERLAP_A` apart, wrapped fractional differences find
    every pair closer than that, without a reduction of the cell.
    """
    cell, positions = record.cell, record.positions - np.floor(record.positions)
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    if heights.min() <= 2 * OVERLAP_A:
        from symscape.crystal.contacts import closest_contact

        contact = closest_contact(record.numbers, positions @ cell, cell)
        if contact.distance < OVERLAP_A:
            raise BadRecord("overlapping atoms", f"atoms overlap: {contact}; see --close-atoms.")
        return
    n = len(positions)
    step = max(1, _PAIRS // n)
    for start in range(0, n, step):
        gaps = positions[start : start + step, None] - positions[None, start:]
        gaps -= np.round(gaps)
        squared = np.square(gaps @ cell).sum(axis=-1)
        rows = np.arange(len(squared))
        squared[rows, rows] = np.inf
        if squared.min() < OVERLAP_A**2:
            i, j = np.unravel_index(int(squared.argmin()), squared.shape)
            raise BadRecord(
                "overlapping atoms",
                f"the atoms {start + int(i)} and {start + int(j)} are "
                f"{np.sqrt(squared.min()):.3f} angstrom apart; see --close-atoms.",
            )
