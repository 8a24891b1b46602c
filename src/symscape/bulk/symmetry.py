"""Space group and degrees of freedom of many crystals, without building a `Crystal` of each.

spglib finds the group and the standardized cell; free coordinates are counted with the character
formula (`symscape.crystal.freedom`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from symscape.crystal.freedom import count_wyckoff
from symscape.crystal.lattice import free_lattice_parameters
from symscape.crystal.orbits import reduced_formula
from symscape.crystal.sites import wrap
from symscape.crystal.spacegroup import SpaceGroup, space_group
from symscape.crystal.structures import Structures
from symscape.errors import SymscapeError
from symscape.hull.table import chemistry, describe

#: spglib's distance tolerance, that of `Crystal.from_structure`, angstrom
SYMPREC_A = 0.01


@dataclass(frozen=True)
class Symmetry:
    """How symmetric a crystal is; the fields are those of `hull.table.describe`.

    Parameters
    ----------
    space_group, symbol, crystal_system
        Number (0 if spglib finds none), short international symbol, name.
    n_lattice, n_wyckoff
        Free lattice parameters and Wyckoff coordinates, polar translations not counted; -1 if
        spglib finds no group.
    site_symmetries
        Of the occupied positions, highest order first.
    site_symmetry_order
        The highest one.
    chemistry
        ``element``, ``intermetallic``, or after the anion.
    """

    space_group: int = 0
    symbol: str = ""
    crystal_system: str = ""
    n_lattice: int = -1
    n_wyckoff: int = -1
    site_symmetries: str = ""
    site_symmetry_order: int = 0
    chemistry: str = ""


def symmetries(structures: Structures, symprec_A: float = SYMPREC_A) -> Iterator[Symmetry]:
    """Yield the symmetry of each structure, in order.

    Parameters
    ----------
    structures
        Any cells, primitive or not.
    symprec_A
        spglib's distance tolerance, angstrom.
    """
    for k in range(len(structures)):
        yield symmetry(*structures.arrays(k), symprec_A)


def symmetry(
    numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, symprec_A: float = SYMPREC_A
) -> Symmetry:
    """Return the symmetry of a crystal.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (n_atoms,).
    positions
        Cartesian, angstrom, shape (n_atoms, 3).
    cell
        Lattice vectors as rows, angstrom, shape (3, 3).
    symprec_A
        spglib's distance tolerance, angstrom.
    """
    kind = chemistry_of(reduced_formula(numbers))
    # spglib would crash the process
    if not (np.isfinite(positions).all() and np.isfinite(cell).all()):
        return Symmetry(chemistry=kind)
    if np.linalg.det(cell) < 0:  # the same crystal in right-handed vectors
        cell, positions = -cell, -positions
    dataset = _dataset(cell, np.linalg.solve(cell.T, positions.T).T, numbers, symprec_A)
    if dataset is None:
        return Symmetry(chemistry=kind)
    group = space_group(int(dataset.hall_number))
    found = _count(group, dataset)
    if found is None:
        return _slowly(numbers, positions, cell, symprec_A, kind)
    free, orders, symbols = found
    ranked = sorted(zip(orders, symbols, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return Symmetry(
        group.number,
        group.symbol,
        group.system,
        len(free_lattice_parameters(group)),
        free,
        " ".join(symbol for _, symbol in ranked),
        max(orders),
        kind,
    )


def _dataset(cell: np.ndarray, positions: np.ndarray, numbers: np.ndarray, symprec_A: float) -> Any:
    """Return what spglib finds, None if that is nothing."""
    import spglib

    try:
        return spglib.get_symmetry_dataset((cell, positions, numbers), symprec=symprec_A)
    except getattr(spglib, "SpglibError", ()):  # newer versions raise, older ones return None
        return None


def _count(group: SpaceGroup, dataset: Any) -> tuple[int, list[int], list[str]] | None:
    """Return the number of free coordinates, and site-symmetry order and symbol of each orbit.

    None if an orbit has not the multiplicity that its site symmetry demands, which happens to
    crystals that fit their group only loosely.
    """
    orbits, first = np.unique(dataset.crystallographic_orbits, return_index=True)
    primitive = np.asarray(dataset.mapping_to_primitive)
    standard = np.asarray(dataset.std_mapping_to_primitive)
    # the orbit of each atom of the standardized cell
    owner = np.empty(int(primitive.max()) + 1, dtype=int)
    owner[primitive] = np.searchsorted(orbits, dataset.crystallographic_orbits)
    multiplicities = np.bincount(owner[standard], minlength=len(orbits))
    heads = np.array([int(np.argmax(standard == primitive[k])) for k in first])
    places = np.asarray(dataset.std_positions)[heads]
    images = places @ group.rotations.transpose(0, 2, 1) + group.translations[:, None, :]
    gaps = wrap(images - places) @ dataset.std_lattice
    fixed = np.square(gaps).sum(axis=-1) < _SAME_A**2
    orders = fixed.sum(axis=0)
    if (orders * multiplicities != len(group)).any():
        return None
    symbols = [str(dataset.site_symmetry_symbols[k]) for k in first]
    return count_wyckoff(group.rotations, fixed), [int(n) for n in orders], symbols


#: an operation that moves an atom of the idealized cell by less leaves it in place, angstrom
_SAME_A = 0.02


def _slowly(
    numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, symprec_A: float, kind: str
) -> Symmetry:
    """Return the symmetry by way of `Crystal`, which assigns atoms to images one by one."""
    from ase import Atoms

    from symscape.crystal.crystal import Crystal

    atoms = Atoms(numbers=numbers, positions=positions, cell=cell, pbc=True)
    try:
        found = describe(Crystal.from_structure(atoms, symprec_A))
    except SymscapeError:
        return Symmetry(chemistry=kind)
    return Symmetry(**{name: found[name] for name in asdict(Symmetry())})


@lru_cache(maxsize=65536)
def chemistry_of(formula: str) -> str:
    """Name the kind of compound as `hull.table.chemistry` does, once a formula."""
    return chemistry(formula)
