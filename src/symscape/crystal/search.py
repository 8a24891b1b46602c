"""spglib's search for symmetry, with one answer where it finds none.

Versions of spglib differ: older ones return None, newer ones raise where they are told to, and ASE
tells them so for the rest of the process once it has asked for a symmetry itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def find_dataset(
    cell: tuple[np.ndarray, np.ndarray, np.ndarray],
    symprec: float = 1e-5,
    *,
    hall_number: int = 0,
    angle_tolerance: float = -1.0,
) -> Any | None:
    """Return spglib's dataset of a crystal; None where it finds no symmetry.

    Parameters
    ----------
    cell
        Lattice vectors as rows in angstrom, shape (3, 3), fractional positions, shape
        (n_atoms, 3), and numbers, shape (n_atoms,).
    symprec
        Distance tolerance in angstrom.
    hall_number
        The setting to search for; spglib's own choice if 0.
    angle_tolerance
        In degrees; -1 for spglib's own criterion.
    """
    import spglib

    try:
        return spglib.get_symmetry_dataset(
            cell, symprec=symprec, angle_tolerance=angle_tolerance, hall_number=hall_number
        )
    except getattr(spglib, "SpglibError", ()):
        return None
