"""Mistakes that a whole data set shows, though each of its records looks sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symscape.science.hull.compositions import Compositions, compositions

#: fewer crystals than this show nothing
LEAST = 12
#: as many crystals are looked at, spread over the data set
MOST = 5_000
#: a reading explains energies better if what it leaves of them, relative to their size, is smaller
#: by this factor
CLEAR = 0.3
#: formation energies outside are of other zeros, eV/atom; the lowest are those of fluorides and
#: oxides of rare earths at -4.5, the highest of crystals that nobody relaxed near +3
FORMATION_eV = (-6.0, 4.0)
#: share of the compounds that must be outside
STRANGE_SHARE = 0.2
#: elements named
MOST_NAMED = 4


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
    chosen = np.unique(np.linspace(0, len(formulas) - 1, min(len(formulas), MOST)).astype(int))
    if len(chosen) < LEAST or np.ptp(n_atoms[chosen]) == 0:
        return ""
    found = compositions(formulas[k] for k in chosen)
    if len(chosen) < 2 * len(found.elements):
        return ""
    fractions = _table_of(found)
    stated = energies_eV[chosen]
    as_cells = _left(fractions, stated / n_atoms[chosen])
    as_atoms = _left(fractions, stated)
    # energies that were divided once too often are small, and so is whatever they leave
    sizes = [np.sqrt(np.mean(energies**2)) for energies in (stated, stated / n_atoms[chosen])]
    if as_atoms * sizes[1] >= CLEAR * as_cells * sizes[0]:
        return ""
    return (
        "the energies look like energies per atom, though they were read as those of cells: the "
        f"elements explain them within {as_atoms:.2g} eV/atom, and within {as_cells:.2g} if they "
        "are of cells; check them, and import a table of them with --per-atom."
    )


def shifted_zeros(formulas: Sequence[str], energies_eV: np.ndarray) -> str:
    """Say whether energies of elements and of compounds have different zeros.

    Formation energies then are far from all that crystals have, in proportion to an element's
    share. A shift that elements and compounds have in common cancels, and is no mistake.

    Parameters
    ----------
    formulas
        Of the crystals.
    energies_eV
        eV/atom, without corrections, shape (n,).

    Returns
    -------
    str
        One sentence; empty if nothing is wrong, or too few compounds tell.
    """
    if len(formulas) < LEAST:
        return ""
    found = compositions(formulas)
    starts, alone = found.offsets[:-1], found.counts == 1
    lowest = np.full(len(found.elements), np.inf)
    np.fmin.at(lowest, found.codes[starts[alone]], energies_eV[alone])
    known = np.isfinite(lowest)
    compounds = ~alone & np.logical_and.reduceat(known[found.codes], starts)
    values = (energies_eV - found.weighted(np.where(known, lowest, 0.0)))[compounds]
    if len(values) < LEAST:
        return ""
    strange = (values < FORMATION_eV[0]) | (values > FORMATION_eV[1])
    if strange.mean() < STRANGE_SHARE:
        return ""
    solved = np.linalg.lstsq(_table_of(found)[compounds], values, rcond=None)[0]
    shifts = dict(zip(found.elements, solved, strict=True))
    largest = max(abs(shift) for shift in shifts.values())
    named = ", ".join(
        f"{element} by {shift:+.1f} eV"
        for element, shift in sorted(shifts.items(), key=lambda item: -abs(item[1]))[:MOST_NAMED]
        if abs(shift) >= largest / 3
    )
    return (
        f"formation energies are {values.min():.1f} to {values.max():.1f} eV/atom, which crystals "
        f"don't have: compounds seem to be shifted against the elements, {named} an atom (energies "
        "relative to free atoms, or other pseudopotentials?); take all energies from one source."
    )


def _table_of(found: Compositions) -> np.ndarray:
    """Return the fractions of all elements in each crystal, shape (n, n_elements)."""
    table = np.zeros((len(found), len(found.elements)))
    table[np.repeat(np.arange(len(found)), found.counts), found.codes] = found.fractions
    return table


def _left(fractions: np.ndarray, energies: np.ndarray) -> float:
    """Return the spread that a constant for each element leaves, eV/atom."""
    constants = np.linalg.lstsq(fractions, energies, rcond=None)[0]
    return float(np.sqrt(np.mean((energies - fractions @ constants) ** 2)))
