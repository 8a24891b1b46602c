"""Classes of symmetry: how many free Wyckoff coordinates and lattice parameters go together."""

from __future__ import annotations

#: upper end and name of each class, and the name of what lies beyond
_WYCKOFF = (((0, "0"), (1, "1"), (2, "2"), (4, "3-4")), "5+")
_LATTICE = (((1, "1"), (2, "2"), (3, "3")), "4+")


def wyckoff_class(n_wyckoff: int) -> str:
    """Return the class of a number of free Wyckoff coordinates: 0, 1, 2, 3-4 or 5+."""
    return _name(n_wyckoff, *_WYCKOFF)


def lattice_class(n_lattice: int) -> str:
    """Return the class of a number of free lattice parameters: 1, 2, 3 or 4+."""
    return _name(n_lattice, *_LATTICE)


#: columns of free coordinates and parameters, and what names their classes
CLASS_OF = {"n_lattice": lattice_class, "n_wyckoff": wyckoff_class}


def _name(number: int, classes: tuple[tuple[int, str], ...], beyond: str) -> str:
    return next((name for upper, name in classes if number <= upper), beyond)
