"""What finds the symmetry of many crystals: moyopy where it is installed and sure, else spglib.

moyopy is four times as fast. The two differ where a crystal fits a group only loosely, as far as
the tolerance allows; spglib, which decides about slices, is then asked there too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from symscape.crystal.search import find_dataset
from symscape.crystal.sites import wrap

#: a crystal's lattice vectors as rows (angstrom), fractional positions and atomic numbers
Given = tuple[np.ndarray, np.ndarray, np.ndarray]
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
    """Return the symmetry of a crystal, None if there is none; parameters as `ask_spglib`."""
    return found_symmetries([(cell, positions, numbers)], symprec_A)[0]


def found_symmetries(crystals: Sequence[Given], symprec_A: float) -> list[Analysis | None]:
    """Return the symmetry of each of many crystals, None where there is none.

    Parameters
    ----------
    crystals
        Cell, positions and numbers of each, as those of `ask_spglib`.
    symprec_A
        Distance tolerance, angstrom.
    """
    quick = ask_moyopy(crystals, symprec_A) if _MOYOPY else [None] * len(crystals)
    return [
        found or ask_spglib(*crystal, symprec_A)
        for found, crystal in zip(quick, crystals, strict=True)
    ]


_MOYOPY = find_spec("moyopy") is not None


def ask_spglib(
    cell: np.ndarray, positions: np.ndarray, numbers: np.ndarray, symprec_A: float
) -> Analysis | None:
    """Return what spglib finds, None if that is nothing.

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


def ask_moyopy(crystals: Sequence[Given], symprec_A: float) -> list[Analysis | None]:
    """Return what moyopy finds where it is sure of it; parameters as `found_symmetries`.

    Returns
    -------
    list of Analysis or None
        None where it finds nothing, not with the tolerance asked for, or a group that the crystal
        fits only loosely.
    """
    answers: list[Analysis | None] = [None] * len(crystals)
    asked = [(k, _dataset(*crystal, symprec_A)) for k, crystal in enumerate(crystals)]
    found = [(k, one) for k, one in asked if one is not None and one.symprec == symprec_A]
    if not found:
        return answers
    datasets = [one for _, one in found]
    chosen = [crystals[k] for k, _ in found]
    fits = _fits(datasets, chosen, LOOSE * symprec_A)
    turns = np.linalg.inv(np.array([one.std_linear for one in datasets]))
    for (k, one), fit, turn in zip(found, fits, turns, strict=True):
        if fit:
            answers[k] = _analysis(one, crystals[k][1], turn)
    return answers


def _dataset(
    cell: np.ndarray, positions: np.ndarray, numbers: np.ndarray, symprec_A: float
) -> Any | None:
    """Return what moyopy says of a crystal, None if it finds no symmetry."""
    moyopy = _moyopy()
    given = moyopy.Cell(cell.tolist(), positions.tolist(), numbers.tolist())
    try:
        return moyopy.MoyoDataset(given, symprec=symprec_A, setting=moyopy.Setting.spglib())
    except ValueError:
        return None


def _analysis(dataset: Any, positions: np.ndarray, turn: np.ndarray) -> Analysis:
    """Return a data set's orbits; ``turn`` is the inverse of its change of basis."""
    orbits = dataset.orbits
    first = sorted(set(orbits))
    letters, symbols = dataset.wyckoffs, dataset.site_symmetry_symbols
    standard = dataset.std_cell
    return Analysis(
        "moyopy",
        dataset.hall_number,
        tuple(letters[k] for k in first),
        tuple(symbols[k] for k in first),
        np.array([orbits.count(k) for k in first]) * standard.num_atoms // len(positions),
        (positions[first] - dataset.std_origin_shift) @ turn.T,
        np.array(standard.basis),
    )


def _fits(datasets: Sequence[Any], crystals: Sequence[Given], most_A: float) -> np.ndarray:
    """Return where atoms and lattice are within a distance of what the group makes of them.

    Returns
    -------
    ndarray
        Boolean, shape (n_crystals,).
    """
    ideals = [one.prim_std_cell for one in datasets]
    linear = np.array([one.prim_std_linear for one in datasets])
    shifts = np.array([one.prim_std_origin_shift for one in datasets])
    bases = np.array([ideal.basis for ideal in ideals])
    counts = np.array([len(positions) for _, positions, _ in crystals])
    starts, owners = np.cumsum(counts) - counts, np.repeat(np.arange(len(counts)), counts)
    places = np.concatenate([positions for _, positions, _ in crystals])
    own = np.einsum("ai,aji->aj", places - shifts[owners], np.linalg.inv(linear)[owners])
    # the ideal atom that each one stands for
    sizes = np.array([ideal.num_atoms for ideal in ideals])
    meant = np.concatenate([one.mapping_std_prim for one in datasets])
    meant += (np.cumsum(sizes) - sizes)[owners]
    gaps = wrap(own - np.concatenate([ideal.positions for ideal in ideals])[meant])
    # where atoms may glide along a polar axis, all of them may be elsewhere
    gaps -= (np.add.reduceat(gaps, starts) / counts[:, None])[owners]
    furthest = np.square(np.einsum("ai,aij->aj", gaps, bases[owners])).sum(axis=1)
    # the ideal lattice is rotated; strain is what metrics tell
    turned = np.swapaxes(linear, 1, 2) @ np.array([cell for cell, _, _ in crystals])
    metrics = turned @ np.swapaxes(turned, 1, 2) - bases @ np.swapaxes(bases, 1, 2)
    strains = np.abs(metrics).max(axis=(1, 2)) / np.linalg.norm(bases, axis=2).max(axis=1)
    near = np.maximum.reduceat(furthest, starts) < most_A**2
    return np.asarray(near & (strains < 2 * most_A))
