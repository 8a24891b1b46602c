"""Numbers of free lattice parameters and free Wyckoff coordinates, from characters alone.

The mean of a group's representation projects on what the group leaves alone, and the trace of a
projector is its rank: that many strains has the lattice under the point group, and that many
directions an atom under its site symmetry. No `Crystal` is built, and nothing of it is used.
"""

from __future__ import annotations

import numpy as np


def count_lattice(rotations: np.ndarray) -> int:
    """Return the number of free lattice parameters.

    Parameters
    ----------
    rotations
        Of the space group's operations, in any basis, shape (n_operations, 3, 3).
    """
    traces = np.trace(rotations, axis1=1, axis2=2)
    squares = np.trace(rotations @ rotations, axis1=1, axis2=2)
    return round(float(((traces**2 + squares) / 2).mean()))  # symmetric tensors of second rank


def count_wyckoff(rotations: np.ndarray, fixed: np.ndarray) -> int:
    """Return the number of free Wyckoff coordinates, rigid polar translations not counted.

    Parameters
    ----------
    rotations
        Of the space group's operations, in any basis, shape (n_operations, 3, 3).
    fixed
        Whether an operation maps the first atom of an orbit onto itself, up to lattice
        translations; booleans, shape (n_operations, n_orbits).
    """
    return round(float(count_free(rotations, fixed).sum() - count_polar(rotations)))


def count_free(rotations: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Return how many free coordinates each orbit has, polar translations counted.

    Parameters
    ----------
    rotations
        Of the space group's operations, in any basis, shape (n_operations, 3, 3).
    fixed
        As for `count_wyckoff`, shape (n_operations,) or (n_operations, n_orbits).

    Returns
    -------
    ndarray
        Shape () or (n_orbits,), whole numbers but for rounding.
    """
    free: np.ndarray = np.trace(rotations, axis1=1, axis2=2) @ fixed / fixed.sum(axis=0)
    return free


def count_polar(rotations: np.ndarray) -> float:
    """Return the number of directions that the point group leaves alone.

    Parameters
    ----------
    rotations
        Of the space group's operations, in any basis, shape (n_operations, 3, 3).
    """
    return float(np.trace(rotations, axis1=1, axis2=2).mean())
