"""Occupied Wyckoff positions and their free coordinates: nouns and the way they are written."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import gcd, lcm

import numpy as np

from symscape.crystal.rational import GRAIN, AffineSpace
from symscape.crystal.sites import wrap
from symscape.crystal.spacegroup import SpaceGroup

LETTERS = "xyz"
#: Sequence of the nonmetals in formulas (IUPAC Red Book 1990, table IV).
_NONMETALS = [
    "Rn",
    "Xe",
    "Kr",
    "Ar",
    "Ne",
    "He",
    "B",
    "Si",
    "C",
    "Sb",
    "As",
    "P",
    "N",
    "H",
    "Te",
    "Se",
    "S",
    "At",
    "I",
    "Br",
    "Cl",
    "O",
    "F",
]


@dataclass(frozen=True, eq=False)
class Orbit:
    """An occupied Wyckoff position.

    Parameters
    ----------
    element
        Chemical symbol.
    label
        ``O1``, ``O2`` in the order of first atoms; plain ``Ti`` if the element has one orbit.
    multiplicity
        Number of atoms in the conventional cell.
    letter
        Wyckoff letter in the crystal's setting.
    site_symmetry
        Oriented site-symmetry symbol, as spglib gives it.
    atoms
        Indices of the atoms, ascending, shape (multiplicity,).
    representative
        The atom that ``form`` is the position of.
    form
        Offset, reduced row-echelon basis and pivots, exact, in fractional coordinates.
    pinned
        Letters of the coordinates that are held because the group is polar.
    """

    element: str
    label: str
    multiplicity: int
    letter: str
    site_symmetry: str
    atoms: np.ndarray
    representative: int
    form: AffineSpace
    pinned: tuple[str, ...]

    @property
    def wyckoff(self) -> str:
        """Multiplicity and letter: ``4e``."""
        return f"{self.multiplicity}{self.letter}"

    @property
    def free(self) -> tuple[str, ...]:
        """Letters of the free coordinates, the pinned ones left out."""
        return tuple(
            LETTERS[pivot] for pivot in self.form.pivots if LETTERS[pivot] not in self.pinned
        )

    @property
    def coordinates(self) -> str:
        """The representative's coordinates as the International Tables write them."""
        return coordinates_text(self.form)


@dataclass(frozen=True, eq=False)
class FreeCoordinate:
    """A number that may change while the space group stays.

    Parameters
    ----------
    name
        Label of the orbit and letter of the coordinate: ``O1_y``.
    orbit
        Label of the orbit.
    letter
        ``x``, ``y`` or ``z``.
    value
        Its value in the crystal: that component of the representative's position.
    period
        Smallest change that brings every atom of the orbit to a lattice translate of its place.
    """

    name: str
    orbit: str
    letter: str
    value: float
    period: float


def coordinates_text(form: AffineSpace) -> str:
    """Write a form as the International Tables do: ``(x, 2x, z+1/2)``."""
    parts = []
    for k in range(3):
        text = ""
        for vector, pivot in zip(form.basis, form.pivots, strict=True):
            if vector[k]:
                size = "" if abs(vector[k]) == 1 else str(abs(vector[k]))
                sign = "-" if vector[k] < 0 else ("+" if text else "")
                text += f"{sign}{size}{LETTERS[pivot]}"
        rest = form.offset[k] % 1
        if rest or not text:
            text += f"+{rest}" if text else str(rest)
        parts.append(text)
    return f"({', '.join(parts)})"


def smallest_period(motion: np.ndarray, group: SpaceGroup) -> float:
    """Smallest positive multiple of ``motion`` that is a lattice translation for each atom."""
    steps = [Fraction(x).limit_denominator(GRAIN) for x in np.unique(motion[motion != 0])]
    whole = Fraction(
        lcm(*(step.denominator for step in steps)),
        gcd(*(abs(step.numerator) for step in steps)),
    )
    parts = np.arange(GRAIN, 0, -1)
    moved = motion * (float(whole) / parts)[:, None, None]
    gaps = wrap(moved[:, :, None] - group.centring_translations)
    fits = np.abs(gaps).max(axis=-1).min(axis=-1).max(axis=-1) < 1e-6
    if fits.any():
        return float(whole / int(parts[fits.argmax()]))
    raise AssertionError("a whole number of lattice vectors is always a period")


def reduced_formula(numbers: np.ndarray) -> str:
    """Return the reduced formula, metals first and then in IUPAC's sequence: ``SiO2``.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (n_atoms,).
    """
    from ase.data import chemical_symbols

    kinds, counts = np.unique(numbers, return_counts=True)
    counts = counts // np.gcd.reduce(counts)
    amounts = {str(chemical_symbols[z]): int(n) for z, n in zip(kinds, counts, strict=True)}
    ordered = sorted(amounts, key=lambda e: (e in _NONMETALS and _NONMETALS.index(e) + 1, e))
    return "".join(e + (str(amounts[e]) if amounts[e] > 1 else "") for e in ordered)


@cache
def atomic_numbers() -> dict[str, int]:
    """Return atomic numbers by symbol; deuterium and tritium are hydrogen to a potential."""
    from ase.data import chemical_symbols

    known = {str(symbol): z for z, symbol in enumerate(chemical_symbols) if z > 0}
    return {**known, "D": 1, "T": 1}
