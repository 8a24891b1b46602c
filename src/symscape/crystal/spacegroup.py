"""Space groups in a stated setting, from spglib's Hall database."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property

import numpy as np

from symscape.crystal.rational import GRAIN, Vector, solve, to_fraction
from symscape.errors import SymscapeError, shown

#: Rows of the primitive cell in terms of the conventional one, as spglib chooses them.
_PRIMITIVE_CELLS = {
    "P": np.eye(3),
    "A": np.array([[1, 0, 0], [0, 0.5, 0.5], [0, -0.5, 0.5]]),
    "B": np.array([[0.5, 0, -0.5], [0, 1, 0], [0.5, 0, 0.5]]),
    "C": np.array([[0.5, -0.5, 0], [0.5, 0.5, 0], [0, 0, 1]]),
    "I": np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    "F": np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}


@dataclass(frozen=True, eq=False)
class SpaceGroup:
    """A space group in one of the 530 settings of the Hall database.

    Make one with `space_group`, which keeps them.

    Parameters
    ----------
    hall_number
        spglib's number of the setting, 1 to 530.
    number
        Number in the International Tables, 1 to 230.
    symbol
        Short international symbol, ``P4mm``.
    choice
        Which of several settings (``1``, ``H``, ``b1``); empty where there is only one.
    rotations
        Rotation parts acting on fractional columns, shape (n_operations, 3, 3), integer.
    translations
        Translation parts, shape (n_operations, 3); the centring translations are included.
    """

    hall_number: int
    number: int
    symbol: str
    choice: str
    rotations: np.ndarray
    translations: np.ndarray

    def __len__(self) -> int:
        return len(self.rotations)

    def __str__(self) -> str:
        setting = f", setting {self.choice}" if self.choice else ""
        return f"{self.symbol} (No. {self.number}{setting})"

    @property
    def system(self) -> str:
        """Crystal system: triclinic, monoclinic, ... cubic."""
        last = {2: "triclinic", 15: "monoclinic", 74: "orthorhombic", 142: "tetragonal"}
        last |= {167: "trigonal", 194: "hexagonal", 230: "cubic"}
        return next(name for number, name in last.items() if self.number <= number)

    @property
    def rhombohedral_axes(self) -> bool:
        """Whether the setting has a = b = c and alpha = beta = gamma without being cubic."""
        return self.choice == "R"

    @cached_property
    def numerators(self) -> np.ndarray:
        """The translation parts in 24ths, whole numbers, shape (n_operations, 3)."""
        return np.round(self.translations * GRAIN).astype(int)

    @cached_property
    def exact_translations(self) -> tuple[Vector, ...]:
        """The translation parts as fractions."""
        return tuple(tuple(to_fraction(x) for x in t) for t in self.translations)

    @cached_property
    def centring_translations(self) -> np.ndarray:
        """Translations of the lattice within the conventional cell, zero first, shape (k, 3)."""
        pure = np.all(self.rotations == np.eye(3, dtype=int), axis=(1, 2))
        vectors = self.translations[pure] % 1.0
        return vectors[np.lexsort(vectors.T[::-1])]

    @cached_property
    def centring(self) -> str:
        """Letter of the lattice: P, A, B, C, I, F or R (obverse hexagonal axes)."""
        vectors = {tuple(round(x * GRAIN) for x in vector) for vector in self.centring_translations}
        half, third = GRAIN // 2, GRAIN // 3
        if len(vectors) == 1:
            return "P"
        if len(vectors) == 4:
            return "F"
        if (2 * third, third, third) in vectors:
            return "R"
        (letter,) = (
            letter
            for letter, vector in {
                "A": (0, half, half),
                "B": (half, 0, half),
                "C": (half, half, 0),
                "I": (half, half, half),
            }.items()
            if vector in vectors
        )
        return letter

    @cached_property
    def primitive_cell(self) -> np.ndarray:
        """Rows of the primitive cell in units of the conventional one, shape (3, 3)."""
        return _PRIMITIVE_CELLS[self.centring]

    @cached_property
    def polar_basis(self) -> tuple[tuple[Vector, ...], tuple[int, ...]]:
        """Rigid translations that commute with the group: echelon rows and their pivots.

        Empty for a group that is not polar; the energy does not depend on these directions.
        """
        rotations = np.unique(self.rotations, axis=0)
        zero = (Fraction(0),) * 3
        space = solve(rotations - np.eye(3, dtype=int), [zero] * len(rotations))
        return space.basis, space.pivots

    @cached_property
    def unique_axis(self) -> int:
        """0, 1 or 2: the axis along the twofold axis of a monoclinic group."""
        for rotation in self.rotations:
            proper = rotation * round(float(np.linalg.det(rotation)))
            if np.trace(proper) == -1:
                return int(np.argmax(np.diag(proper)))
        raise ValueError(f"{self} is not monoclinic")


@cache
def space_group(hall_number: int) -> SpaceGroup:
    """Return the space group of a Hall number.

    Raises
    ------
    SymscapeError
        If the number is not one of 1 to 530.
    """
    import spglib

    if not isinstance(hall_number, int | np.integer) or not 1 <= hall_number <= 530:
        raise SymscapeError(
            f"Hall number {shown(hall_number)} does not exist; give an integer from 1 to 530."
        )
    kind = spglib.get_spacegroup_type(int(hall_number))
    operations = spglib.get_symmetry_from_database(int(hall_number))
    translations = np.round(operations["translations"] * GRAIN) / GRAIN
    group = SpaceGroup(
        int(hall_number),
        int(kind.number),
        str(kind.international_short),
        str(kind.choice),
        operations["rotations"].astype(int),
        translations,
    )
    group.rotations.setflags(write=False)
    group.translations.setflags(write=False)
    return group


@cache
def standard_hall_number(number: int) -> int:
    """Return the Hall number of spglib's standard setting of space group ``number``.

    The standard setting is the first of the database: unique axis b and cell choice 1, hexagonal
    axes, origin choice 1.

    Raises
    ------
    SymscapeError
        If the number is not one of 1 to 230.
    """
    import spglib

    if not 1 <= number <= 230:
        raise SymscapeError(f"space group number {number} does not exist; give one from 1 to 230.")
    return next(h for h in range(1, 531) if spglib.get_spacegroup_type(h).number == number)
