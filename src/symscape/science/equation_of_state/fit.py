"""Fitting equations of state to energies, many crystals at once.

Birch and Murnaghan's energy is a cubic in V^(-2/3), so a fit is linear least squares, and its
minimum is the root of a quadratic equation.
"""

from __future__ import annotations

import numpy as np

from symscape.references.birch_murnaghan import BirchMurnaghan


def fit(volumes: np.ndarray, energies: np.ndarray) -> BirchMurnaghan:
    """Fit one curve to the energies of each crystal, by least squares.

    Parameters
    ----------
    volumes, energies
        angstrom^3/atom and eV/atom, shape (n, m), at least four different volumes each.

    Returns
    -------
    BirchMurnaghan
        NaN for a crystal without a minimum between its smallest and its largest volume, or of
        which an energy is missing.
    """
    centre = volumes.mean(axis=1)
    t = (centre[:, None] / volumes) ** (2 / 3) - 1
    level = energies.mean(axis=1)
    design = np.stack([t**power for power in range(4)], axis=-1)
    p = np.einsum("nkm,nm->kn", np.linalg.pinv(design), energies - level[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        at = _minimum(p)
        scale = 1 + at
        volume = centre * scale**-1.5
        curvature = 2 * p[2] + 6 * p[3] * at
        bulk_modulus = 4 / 9 * scale**2 * curvature / volume
        derivative = 4 + 16 / 9 * p[3] * scale**3 / (volume * bulk_modulus)
        energy = level + p[0] + at * (p[1] + at * (p[2] + at * p[3]))
        inside = (volumes.min(axis=1) <= volume) & (volume <= volumes.max(axis=1))
    curves = BirchMurnaghan(energy, volume, bulk_modulus, derivative)
    return curves.each(lambda values: np.where(inside, values, np.nan))


def _minimum(p: np.ndarray) -> np.ndarray:
    """Return where the cubics p0 + p1 t + p2 t^2 + p3 t^3 have their minimum, NaN where none.

    Parameters
    ----------
    p
        Coefficients, shape (4, n).
    """
    root = np.sqrt(p[2] ** 2 - 3 * p[1] * p[3])
    # of the two ways to write the same root, the one that doesn't subtract equal numbers
    return np.where(p[2] > 0, -p[1] / (p[2] + root), (root - p[2]) / (3 * p[3]))
