"""What a crystal looks like, and what a model makes of it, so small that results keep it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

#: decimals of fractional coordinates and of angstrom
_DECIMALS = 6


@dataclass(frozen=True)
class CrystalShape:
    """A crystal behind a failed check, and what became of it when the model relaxed it.

    Parameters
    ----------
    symbols
        Element of each atom.
    cell
        DFT's lattice vectors as rows, angstrom, shape (3, 3).
    positions
        Fractional coordinates, shape (n_atoms, 3).
    relaxed_cell, relaxed_positions
        Ditto after the model's relaxation at fixed symmetry; None if it was not relaxed.
    """

    symbols: tuple[str, ...]
    cell: tuple[tuple[float, ...], ...]
    positions: tuple[tuple[float, ...], ...]
    relaxed_cell: tuple[tuple[float, ...], ...] | None
    relaxed_positions: tuple[tuple[float, ...], ...] | None


def crystal_shape(before: Atoms, after: Atoms | None = None) -> CrystalShape:
    """Take from a crystal, and from what it was relaxed to, what a page needs to draw it."""
    made = CrystalShape(
        tuple(before.get_chemical_symbols()),
        rounded_rows(before.cell.array),
        rounded_rows(before.get_scaled_positions(wrap=False)),
        None,
        None,
    )
    if after is None:
        return made
    return replace(
        made,
        relaxed_cell=rounded_rows(after.cell.array),
        relaxed_positions=rounded_rows(after.get_scaled_positions(wrap=False)),
    )


def rounded_rows(array: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Return the rows of a matrix with as many decimals as a drawing shows."""
    # adding zero turns −0 into 0
    rounded = np.round(np.asarray(array, dtype=float), _DECIMALS) + 0.0
    return tuple(tuple(float(x) for x in row) for row in rounded)
