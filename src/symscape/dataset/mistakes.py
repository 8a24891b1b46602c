"""Mistakes that a whole data set shows, though each of its records looks sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: fewer crystals than this show nothing
LEAST = 12
#: as many crystals are looked at, spread over the data set
MOST = 5_000
#: a reading explains energies better if what it leaves is smaller by this factor
CLEAR = 0.3


def per_atom_energies(formulas: Sequence[str], n_atoms: np.ndarray, energies_eV: np.ndarray) -> str:
    """Say whether energies of cells seem to be energies per atom.

    Energies per atom are nearly sums over the elements, for formation energies are small beside
    total ones. So of the two readings that one is right whose energies per atom are explained far
    better by a constant for each element; cells of one size can't tell.

    Parameters
    ----------
    formulas
        Of the crystals.
    n_atoms
        In the cell, shape (n,).
    energies_eV
        What was read as the energy of the cell, shape (n,).

    Returns
    -------
    str
        One sentence; empty if nothing is wrong.
    """
    from pymatgen.core import Composition

    chosen = np.unique(np.linspace(0, len(formulas) - 1, min(len(formulas), MOST)).astype(int))
    if len(chosen) < LEAST or np.ptp(n_atoms[chosen]) == 0:
        return ""
    parts = [Composition(formulas[k]).fractional_composition for k in chosen]
    elements = sorted({element for part in parts for element in part})
    if len(chosen) < 2 * len(elements):
        return ""
    fractions = np.array([[part[element] for element in elements] for part in parts])
    stated = energies_eV[chosen]
    as_cells = _left(fractions, stated / n_atoms[chosen])
    as_atoms = _left(fractions, stated)
    if as_atoms >= CLEAR * as_cells:
        return ""
    return (
        "the energies look like energies per atom, though they were read as those of cells: the "
        f"elements explain them within {as_atoms:.2g} eV/atom, and within {as_cells:.2g} if they "
        "are of cells; check them, and import a table of them with --per-atom."
    )


def _left(fractions: np.ndarray, energies: np.ndarray) -> float:
    """Return the spread that a constant for each element leaves, eV/atom."""
    constants = np.linalg.lstsq(fractions, energies, rcond=None)[0]
    return float(np.sqrt(np.mean((energies - fractions @ constants) ** 2)))
