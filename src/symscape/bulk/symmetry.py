"""Space group and degrees of freedom of many crystals, without building a `Crystal` of each.

moyopy or spglib finds the group, the orbits and their Wyckoff positions
(`symscape.crystal.engines`); free coordinates are counted with the character formula
(`symscape.crystal.freedom`), once for each Wyckoff position of each setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import compress, pairwise

import numpy as np

from symscape.crystal.engines import Analysis, Given, ask_spglib, found_symmetries
from symscape.crystal.freedom import count_free, count_polar
from symscape.crystal.lattice import free_lattice_parameters
from symscape.crystal.sites import wrap
from symscape.crystal.spacegroup import SpaceGroup, space_group
from symscape.crystal.structures import Structures
from symscape.errors import SymscapeError
from symscape.science.hull.table import Symmetry, chemistry_of, symmetry_of

#: distance tolerance, that of `Crystal.from_structure`, angstrom
SYMPREC_A = 0.01


def symmetries(structures: Structures, symprec_A: float = SYMPREC_A) -> Iterator[Symmetry]:
    """Yield the symmetry of each structure, in order.

    Parameters
    ----------
    structures
        Any cells, primitive or not.
    symprec_A
        Distance tolerance, angstrom.
    """
    owners = np.repeat(np.arange(len(structures)), structures.n_atoms)
    loose = ~np.isfinite(structures.positions).all(axis=1)
    # spglib would crash the process
    sound = np.isfinite(structures.cells).all(axis=(1, 2))
    sound &= np.bincount(owners[loose], minlength=len(structures)) == 0
    cells = np.where(sound[:, None, None], structures.cells, np.eye(3))
    volumes = np.linalg.det(cells)
    sound &= volumes != 0
    cells = np.where(sound[:, None, None], cells, np.eye(3))
    places = np.einsum("ai,aij->aj", structures.positions, np.linalg.inv(cells)[owners])
    # the same crystal in right-handed vectors; its fractional coordinates stay
    right = np.where(volumes < 0, -1.0, 1.0)[:, None, None] * cells
    crystals = [
        (right[k], places[a:b], structures.numbers[a:b])
        for k, (a, b) in enumerate(pairwise(structures.offsets.tolist()))
    ]
    for some in range(0, len(crystals), _AT_ONCE):
        own = slice(some, some + _AT_ONCE)
        found = iter(found_symmetries([*compress(crystals[own], sound[own])], symprec_A))
        for crystal, usable in zip(crystals[own], sound[own].tolist(), strict=True):
            kind = kind_of(tuple(sorted(set(crystal[2].tolist()))))
            one = _symmetry(crystal, next(found), symprec_A, kind) if usable else None
            yield one or Symmetry(chemistry=kind)


#: crystals that are compared with their groups in one go
_AT_ONCE = 256


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
        Distance tolerance, angstrom.
    """
    return next(symmetries(Structures.stack(numbers, positions[None], cell[None]), symprec_A))


def _symmetry(
    crystal: Given, found: Analysis | None, symprec_A: float, kind: str
) -> Symmetry | None:
    """Return the symmetry of a crystal of right-handed vectors, of which an engine found that."""
    cell, places, numbers = crystal
    counted = None if found is None else _count(found)
    if found is not None and counted is None and found.engine != "spglib":
        found = ask_spglib(cell, places, numbers, symprec_A)
        counted = None if found is None else _count(found)
    if found is None:
        return None
    if counted is None:
        return _slowly(numbers, places @ cell, cell, symprec_A, kind)
    free, orders = counted
    number, symbol, system, n_lattice = _facts(found.hall_number)
    ranked = sorted(zip(orders, found.symbols, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return Symmetry(
        number,
        symbol,
        system,
        n_lattice,
        free,
        " ".join(symbol for _, symbol in ranked),
        max(orders),
        kind,
    )


@cache
def _facts(hall_number: int) -> tuple[int, str, str, int]:
    """Return a group's number, symbol and system, and how many lattice parameters are free."""
    group = space_group(hall_number)
    return group.number, group.symbol, group.system, len(free_lattice_parameters(group))


@cache
def _polar(hall_number: int) -> float:
    return count_polar(space_group(hall_number).rotations)


def _count(found: Analysis) -> tuple[int, list[int]] | None:
    """Return the number of free coordinates, and the site-symmetry order of each orbit.

    None if an orbit has not the multiplicity that its site symmetry demands, which happens to
    crystals that fit their group only loosely.
    """
    group = space_group(found.hall_number)
    free, orders = 0.0, []
    for letter, multiplicity, place in zip(
        found.letters, found.multiplicities, found.places, strict=True
    ):
        key = found.hall_number, letter
        if key not in _KNOWN:
            fixed = _fixed(group, place, found.lattice)
            if fixed.sum() * multiplicity != len(group):
                return None
            _KNOWN[key] = int(fixed.sum()), float(count_free(group.rotations, fixed))
        order, own = _KNOWN[key]
        if order * multiplicity != len(group):
            return None
        free += own
        orders.append(order)
    return round(free - _polar(found.hall_number)), orders


#: order and free coordinates of Wyckoff positions, by Hall number and letter: the same for all
#: crystals, and some thousand at most
_KNOWN: dict[tuple[int, str], tuple[int, float]] = {}


def _fixed(group: SpaceGroup, place: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Return which operations leave an atom in its place, shape (n_operations,)."""
    images = group.rotations @ place + group.translations
    gaps = wrap(images - place) @ lattice
    fixed: np.ndarray = np.square(gaps).sum(axis=-1) < _SAME_A**2
    return fixed


#: an operation that moves an atom of the standardized cell by less leaves it in place, angstrom
_SAME_A = 0.02


def _slowly(
    numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, symprec_A: float, kind: str
) -> Symmetry:
    """Return the symmetry by way of `Crystal`, which assigns atoms to images one by one."""
    from ase import Atoms

    from symscape.crystal.crystal import Crystal

    atoms = Atoms(numbers=numbers, positions=positions, cell=cell, pbc=True)
    try:
        return symmetry_of(Crystal.from_structure(atoms, symprec_A))
    except SymscapeError:
        return Symmetry(chemistry=kind)


@lru_cache(maxsize=65536)
def kind_of(numbers: tuple[int, ...]) -> str:
    """Name the kind of compound as `chemistry_of` does, once a set of atomic numbers."""
    from pymatgen.core import Element

    return chemistry_of([Element.from_Z(number) for number in numbers])
