"""The crystal of a slice, so small that any geometry of the slice can be rebuilt in a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.questions.shapes import rounded_rows

if TYPE_CHECKING:
    from symscape.crystal.slice import Slice


@dataclass(frozen=True)
class StructureSummary:
    """Atoms of the conventional cell and how they move along the axes of a slice.

    A position is ``positions + (u - origins[0]) * moves[0] + (v - origins[1]) * moves[1]``.

    Parameters
    ----------
    symbols, orbits
        Element and Wyckoff position (``Ti 1a``) of each atom.
    positions
        Fractional coordinates of the crystal itself, shape (n_atoms, 3).
    moves
        Fractional displacement with each axis value, shape (2, n_atoms, 3).
    origins
        Axis values of the crystal itself.
    cells
        Lattice vectors as rows in angstrom, shape (n, 9): one, or one for each value of
        ``cell_axis``.
    cell_axis
        The axis that changes the cell, 0 or 1; None if neither does.
    """

    symbols: tuple[str, ...]
    orbits: tuple[str, ...]
    positions: tuple[tuple[float, ...], ...]
    moves: tuple[tuple[tuple[float, ...], ...], ...]
    origins: tuple[float, float]
    cells: tuple[tuple[float, ...], ...]
    cell_axis: int | None = None


def summarize_structure(the_slice: Slice) -> StructureSummary | None:
    """Take from a slice what a page needs to show its crystals.

    Returns
    -------
    StructureSummary or None
        None if both axes change the cell alone.
    """
    from ase.data import chemical_symbols

    crystal = the_slice.crystal
    axes = [np.asarray(axis.values, dtype=float) for axis in the_slice.axes]
    still = [not np.abs(weights).any() for weights in the_slice.weights]
    if all(still):
        return None
    cell_axis = still.index(True) if any(still) else None
    values = np.array([the_slice.origins])
    if cell_axis is not None:
        values = np.repeat(values, len(axes[cell_axis]), axis=0)
        values[:, cell_axis] = axes[cell_axis]
    names = [""] * len(crystal)
    for orbit in crystal.orbits:
        for atom in orbit.atoms:
            names[atom] = f"{chemical_symbols[crystal.numbers[atom]]} {orbit.wyckoff}"
    return StructureSummary(
        symbols=tuple(chemical_symbols[number] for number in crystal.numbers),
        orbits=tuple(names),
        positions=rounded_rows(crystal.positions),
        moves=tuple(rounded_rows(moves) for moves in the_slice.displacements),
        origins=(float(the_slice.origins[0]), float(the_slice.origins[1])),
        cells=rounded_rows(the_slice.cells_at(values).reshape(len(values), 9)),
        cell_axis=cell_axis,
    )
