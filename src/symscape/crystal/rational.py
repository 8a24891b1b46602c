"""Exact linear algebra on the small rational systems of crystallography."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

Vector = tuple[Fraction, ...]

#: Translations of all settings in the Hall database are multiples of 1/24.
GRAIN = 24


def to_fraction(value: float) -> Fraction:
    """Return the multiple of 1/24 that a tabulated translation stands for."""
    return Fraction(round(float(value) * GRAIN), GRAIN)


def row_echelon(rows: Iterable[Sequence[Fraction | int]]) -> tuple[list[list[Fraction]], list[int]]:
    """Return the non-zero rows of the reduced row-echelon form, and the pivot columns."""
    work = [[Fraction(entry) for entry in row] for row in dict.fromkeys(tuple(r) for r in rows)]
    done: list[list[Fraction]] = []
    pivots: list[int] = []
    for column in range(len(work[0]) if work else 0):
        chosen = next((row for row in work if row[column]), None)
        if chosen is None:
            continue
        work.remove(chosen)
        chosen = [entry / chosen[column] for entry in chosen]
        work = [_eliminate(row, chosen, column) for row in work]
        done = [_eliminate(row, chosen, column) for row in done]
        done.append(chosen)
        pivots.append(column)
    return done, pivots


def _eliminate(row: list[Fraction], by: list[Fraction], column: int) -> list[Fraction]:
    factor = row[column]
    if not factor:
        return row
    return [entry - factor * other for entry, other in zip(row, by, strict=True)]


def solve(matrices: np.ndarray, rights: Iterable[Sequence[Fraction]]) -> AffineSpace:
    """Solve ``A x = b`` exactly in three dimensions.

    Parameters
    ----------
    matrices
        Integer matrices stacked, shape (m, 3, 3).
    rights
        ``m`` right-hand sides of three fractions each.

    Returns
    -------
    AffineSpace
        All solutions, with the leftmost possible coordinates as free ones, so that the basis is
        in reduced row-echelon form.

    Raises
    ------
    ValueError
        If there is no solution.
    """
    # Columns are reversed so that elimination spends the rightmost coordinates as dependent ones.
    rows: list[Sequence[Fraction | int]] = [
        (*(int(entry) for entry in line[::-1]), right)
        for matrix, b in zip(np.asarray(matrices), rights, strict=True)
        for line, right in zip(matrix, b, strict=True)
    ]
    echelon, pivots = row_echelon(rows)
    if 3 in pivots:
        raise ValueError("the equations contradict each other")
    free = [c for c in (2, 1, 0) if c not in pivots]  # reversed columns, so x comes first
    offset = [Fraction(0)] * 3
    for row, pivot in zip(echelon, pivots, strict=True):
        offset[2 - pivot] = row[3]
    basis = []
    for column in free:
        vector = [Fraction(0)] * 3
        vector[2 - column] = Fraction(1)
        for row, pivot in zip(echelon, pivots, strict=True):
            vector[2 - pivot] = -row[column]
        basis.append(tuple(vector))
    return AffineSpace(tuple(offset), tuple(basis), tuple(2 - c for c in free))


class AffineSpace:
    """Points ``offset + sum_j x[pivots[j]] * basis[j]`` in fractional coordinates.

    Parameters
    ----------
    offset
        Zero at the pivots.
    basis
        Reduced row-echelon rows.
    pivots
        The coordinate (0, 1, 2 for x, y, z) that each basis vector is named after.
    """

    def __init__(self, offset: Vector, basis: tuple[Vector, ...], pivots: tuple[int, ...]):
        self.offset = offset
        self.basis = basis
        self.pivots = pivots

    def point(self, point: np.ndarray) -> np.ndarray:
        """Return the point of the space that shares its pivot coordinates with ``point``."""
        result = np.array([float(entry) for entry in self.offset])
        for vector, pivot in zip(self.basis, self.pivots, strict=True):
            result += np.array([float(entry) for entry in vector]) * point[pivot]
        return result

    def image(self, rotation: np.ndarray, translation: Sequence[Fraction]) -> AffineSpace:
        """Return the image under a space-group operation, in echelon form again."""
        turned = [_apply(rotation, vector) for vector in self.basis]
        echelon, pivots = row_echelon(turned)
        moved = [a + b for a, b in zip(_apply(rotation, self.offset), translation, strict=True)]
        offset = list(moved)
        for row, pivot in zip(echelon, pivots, strict=True):
            offset = [o - moved[pivot] * r for o, r in zip(offset, row, strict=True)]
        return AffineSpace(tuple(offset), tuple(tuple(row) for row in echelon), tuple(pivots))


def _apply(rotation: np.ndarray, vector: Sequence[Fraction]) -> Vector:
    return tuple(
        _total([_times(r, v) for r, v in zip(row, vector, strict=True) if r and v])
        for row in rotation.tolist()
    )


def _times(factor: int, value: Fraction) -> Fraction:
    # most entries of a rotation are 1 or -1, and products of fractions are slow
    if factor == 1:
        return value
    return -value if factor == -1 else factor * value


def _total(terms: Sequence[Fraction]) -> Fraction:
    return terms[0] if len(terms) == 1 else sum(terms, Fraction(0))
