"""What finds the symmetry of many crystals: moyopy where it is installed and sure, else spglib.

moyopy is four times as fast. The two differ where a crystal fits a group only loosely, as far as
the tolerance allows; spglib, which decides about slices, is then asked there too.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from symscape.crystal.search import find_dataset
from symscape.crystal.sites import wrap

#: a crystal fits its group loosely if an atom is further from its ideal place than this share of
#: the tolerance, or if a lattice vector's end is
LOOSE = 0.25


@dataclass(frozen=True, eq=False)
class Analysis:
    """Space group and orbits of a crystal.

    Parameters
    ----------
    engine
        ``moyopy`` or ``spglib``.
    hall_number
        Of the standardized setting.
    letters, symbols
        Wyckoff letter and site symmetry of each orbit.
    multiplicities
        Atoms of each orbit in the standardized cell, shape (n_orbits,).
    places
        The first atom of each orbit in the standardized cell, fractional, shape (n_orbits, 3).
    lattice
        Vectors of the standardized cell as rows, angstrom, shape (3, 3).
    """

    engine: str
    hall_number: int
    letters: tuple[str, ...]
    symbols: tuple[str, ...]
    multiplicities: np.ndarray
    places: np.ndarray
    lattice: np.ndarray


def found_symmetry(
    cell: np.ndarray, positions: np.ndarray, numbers: np.ndarray, symprec_A: float
) -> Analysis | None:
    """Return the symmetry of a crystal, None if there is none.

    Parameters
    ----------
    cell
        Right-handed lattice vectors as rows, angstrom, shape (3, 3).
    positions
        Fractional, shape (n_atoms, 3).
    numbers
        Atomic numbers, shape (n_atoms,).
    symprec_A
        Distance tolerance, angstrom.
    """
    quick = ask_moyopy(cell, positions, numbers, symprec_A) if _MOYOPY else None
    return quick or ask_spglib(cell, positions, numbers, symprec_A)


_MOYOPY = find_spec("moyopy") is not None


def ask_spglib(
    cell: np.ndarray, positions: np.ndarray, numbers: np.ndarray, symprec_A: float
) -> Analysis | None:
    """Return what spglib finds, None if that is nothing; parameters as `found_symmetry`."""
    dataset = find_dataset((cell, positions, numbers), symprec_A)
    if dataset is None:
        return None
    _, first, counts = np.unique(
        dataset.crystallographic_orbits, return_index=True, return_counts=True
    )
    standard = np.asarray(dataset.std_mapping_to_primitive)
    primitive = np.asarray(dataset.mapping_to_primitive)
    heads = [int(np.argmax(standard == primitive[k])) for k in first]
    return Analysis(
        "spglib",
        int(dataset.hall_number),
        tuple(str(dataset.wyckoffs[k]) for k in first),
        tuple(str(dataset.site_symmetry_symbols[k]) for k in first),
        counts * len(standard) // len(numbers),
        np.asarray(dataset.std_positions)[heads],
        np.asarray(dataset.std_lattice),
    )


@cache
def _moyopy() -> Any:
    """Return moyopy, which would warn that orbits are those of the primitive cell, as they should.

    They are in spglib's ``crystallographic_orbits`` too.
    """
    logging.getLogger("moyo").setLevel(logging.ERROR)
    return import_module("moyopy")


def ask_moyopy(
    cell: np.ndarray, positions: np.ndarray, numbers: np.ndarray, symprec_A: float
) -> Analysis | None:
    """Return what moyopy finds if it is sure of it; parameters as `found_symmetry`.

    Returns
    -------
    Analysis or None
        None if it finds nothing, not with the tolerance asked for, or a group that the crystal fits
        only loosely.
    """
    moyopy = _moyopy()
    given = moyopy.Cell(cell.tolist(), positions.tolist(), numbers.tolist())
    try:
        dataset = moyopy.MoyoDataset(given, symprec=symprec_A, setting=moyopy.Setting.spglib())
    except ValueError:
        return None
    if dataset.symprec != symprec_A or not _fits(dataset, cell, positions, LOOSE * symprec_A):
        return None
    orbits = dataset.orbits
    first = sorted(set(orbits))
    letters, symbols = dataset.wyckoffs, dataset.site_symmetry_symbols
    standard = dataset.std_cell
    places = (positions[first] - dataset.std_origin_shift) @ np.linalg.inv(dataset.std_linear).T
    return Analysis(
        "moyopy",
        dataset.hall_number,
        tuple(letters[k] for k in first),
        tuple(symbols[k] for k in first),
        np.array([orbits.count(k) for k in first]) * standard.num_atoms // len(numbers),
        places,
        np.array(standard.basis),
    )


def _fits(dataset: Any, cell: np.ndarray, positions: np.ndarray, most_A: float) -> bool:
    """Return whether atoms and lattice are within a distance of what the group makes of them."""
    linear = np.array(dataset.prim_std_linear)
    ideal = dataset.prim_std_cell
    basis = np.array(ideal.basis)
    own = (positions - dataset.prim_std_origin_shift) @ np.linalg.inv(linear).T
    gaps = wrap(own - np.array(ideal.positions)[dataset.mapping_std_prim])
    # where atoms may glide along a polar axis, all of them may be elsewhere
    gaps = (gaps - gaps.mean(axis=0)) @ basis
    # the ideal lattice is rotated; strain is what metrics tell
    turned = linear.T @ cell
    strain = np.abs(turned @ turned.T - basis @ basis.T).max() / np.linalg.norm(basis, axis=1).max()
    return bool(np.square(gaps).sum(axis=1).max() < most_A**2 and strain < 2 * most_A)
