"""What every reader gives: a periodic crystal in arrays, and what the user should know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class CellArrays:
    """A periodic cell as one of the readers found it.

    Parameters
    ----------
    lattice
        Rows in angstrom, shape (3, 3).
    positions
        Fractional, shape (n, 3).
    numbers
        Atomic numbers, shape (n,).
    notices
        What the user should know, one sentence each.
    moments
        Magnetic moments in Bohr magnetons, Cartesian (n, 3) or collinear (n, 1); None if none are
        stated.
    operations
        How many symmetry operations the file states for this cell; 1 if it states none.
    space_group
        The number that the file states, 0 if none.
    """

    lattice: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray
    notices: tuple[str, ...] = ()
    moments: np.ndarray | None = None
    operations: int = 1
    space_group: int = 0
