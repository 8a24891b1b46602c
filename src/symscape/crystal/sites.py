"""Which atom a symmetry operation maps to which, and the exact form of every Wyckoff position."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from symscape.crystal.rational import GRAIN, AffineSpace, solve
from symscape.crystal.spacegroup import SpaceGroup
from symscape.errors import SymscapeError

#: Atoms nearer than this (angstrom) are the same atom.
COINCIDENT = 1e-3


@dataclass(frozen=True, eq=False)
class Site:
    """An orbit of atoms under the space group.

    Parameters
    ----------
    atoms
        Indices of the atoms, ascending, shape (multiplicity,).
    representative
        The atom whose coordinates name the orbit's free coordinates.
    operations
        For each of ``atoms`` an operation that maps the representative to it, (multiplicity,).
    form
        The positions that the representative may take: the Wyckoff position's coordinates.
    """

    atoms: np.ndarray
    representative: int
    operations: np.ndarray
    form: AffineSpace


def wrap(vectors: np.ndarray) -> np.ndarray:
    """Return fractional vectors modulo lattice translations, in [-1/2, 1/2]."""
    return vectors - np.round(vectors)


def symmetrized_lattice(group: SpaceGroup, lattice: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the lattice whose metric is exactly the group's, without turning it.

    Parameters
    ----------
    group
        The space group.
    lattice
        Rows in angstrom, shape (3, 3).
    tolerance
        How far (angstrom) a lattice vector may move.

    Raises
    ------
    SymscapeError
        If the lattice is left-handed, flat, or not of the group's crystal system.
    """
    if lattice.shape != (3, 3) or not np.isfinite(lattice).all():
        raise SymscapeError("a lattice must be three rows of three finite numbers in angstrom.")
    if np.linalg.det(lattice) <= 1e-6:
        raise SymscapeError(
            "the lattice vectors are left-handed or lie in a plane; give right-handed ones."
        )
    metric = lattice @ lattice.T
    rotations = np.unique(group.rotations, axis=0).astype(float)
    mean = np.mean(np.swapaxes(rotations, 1, 2) @ metric @ rotations, axis=0)
    if np.abs(mean - metric).max() < 1e-12 * np.abs(metric).max():
        return lattice
    inverse = np.linalg.inv(lattice)
    values, vectors = np.linalg.eigh(inverse @ mean @ inverse.T)
    stretched = lattice @ (vectors * np.sqrt(values)) @ vectors.T
    if np.linalg.norm(stretched - lattice, axis=1).max() > tolerance:
        raise SymscapeError(
            f"the lattice is not {group.system} as {group} demands; give its conventional cell in "
            "that setting."
        )
    return stretched


def atom_permutations(
    group: SpaceGroup,
    lattice: np.ndarray,
    positions: np.ndarray,
    numbers: np.ndarray,
    tolerance: float,
) -> np.ndarray:
    """Find the atom to which each operation maps each atom.

    The image of an atom belongs to the nearest atom of its element, so the answer does not depend
    on ``tolerance``, which only says how badly the crystal may fit.

    Parameters
    ----------
    group
        The space group.
    lattice
        Rows in angstrom, shape (3, 3).
    positions
        Fractional, shape (n_atoms, 3).
    numbers
        Atomic numbers, shape (n_atoms,).
    tolerance
        Largest accepted distance (angstrom) between an image and the nearest atom.

    Returns
    -------
    np.ndarray
        ``[g, i]`` is the atom at the place of operation ``g`` applied to atom ``i``, shape
        (n_operations, n_atoms).

    Raises
    ------
    SymscapeError
        If an operation doesn't map the crystal onto itself.
    """
    n_atoms = len(numbers)
    permutations = np.empty((len(group), n_atoms), dtype=int)
    different = numbers[:, None] != numbers[None, :]
    for g, (rotation, translation) in enumerate(
        zip(group.rotations, group.translations, strict=True)
    ):
        images = positions @ rotation.T + translation
        gaps = wrap(images[:, None] - positions[None]) @ lattice
        distances = np.where(different, np.inf, np.linalg.norm(gaps, axis=-1))
        nearest = distances.argmin(axis=1)
        off = distances[np.arange(n_atoms), nearest]
        if off.max() > tolerance or len(np.unique(nearest)) != n_atoms:
            worst = int(off.argmax())
            raise SymscapeError(
                f"the crystal does not have the space group {group}: an operation maps "
                f"{_element(numbers[worst])} atom {worst} to a place {off[worst]:.3g} angstrom "
                "from the nearest atom of its kind; give all atoms of the conventional cell in the "
                "setting of that Hall number."
            )
        permutations[g] = nearest
    return permutations


def _element(number: int) -> str:
    from ase.data import chemical_symbols

    return str(chemical_symbols[number])


def find_sites(
    group: SpaceGroup, positions: np.ndarray, permutations: np.ndarray
) -> tuple[tuple[Site, ...], np.ndarray]:
    """Find the orbits, their exact forms, and the positions that obey the group exactly.

    Parameters
    ----------
    group
        The space group.
    positions
        Fractional, shape (n_atoms, 3).
    permutations
        From `atom_permutations`, shape (n_operations, n_atoms).

    Returns
    -------
    sites : tuple of Site
        In the order of their first atoms.
    positions : np.ndarray
        Idealized, shape (n_atoms, 3); not wrapped.
    """
    ideal = np.array(positions, dtype=float)
    sites = []
    done = np.zeros(len(positions), dtype=bool)
    for first in range(len(positions)):
        if done[first]:
            continue
        site = _find_site(group, positions, permutations, first)
        origin = site.form.point(_mean_position(group, positions, permutations, site))
        for atom, g in zip(site.atoms, site.operations, strict=True):
            image = group.rotations[g] @ origin + group.translations[g]
            ideal[atom] = image + np.round(positions[atom] - image)
        done[site.atoms] = True
        sites.append(site)
    return tuple(sites), ideal


def _mean_position(
    group: SpaceGroup, positions: np.ndarray, permutations: np.ndarray, site: Site
) -> np.ndarray:
    """Average the whole orbit, each atom brought back to the representative's place."""
    here = positions[site.representative]
    images = positions[permutations[:, site.representative]]
    back = np.linalg.solve(group.rotations.astype(float), (images - group.translations)[..., None])
    # R^-1 (x + integers) differs from R^-1 x by integers, so wrapping the difference is allowed.
    shift = wrap(back[..., 0] - here).mean(axis=0)
    return here + np.where(np.abs(shift) < 1e-12, 0.0, shift)  # leave exact input as it is


def _find_site(
    group: SpaceGroup, positions: np.ndarray, permutations: np.ndarray, first: int
) -> Site:
    """Describe the orbit of atom ``first``, choosing its representative."""
    form = _stabilized_points(group, positions, permutations, first)
    atoms, some = np.unique(permutations[:, first], return_index=True)
    forms = [form.image(group.rotations[g], group.exact_translations[g]) for g in some]
    scores = [awkwardness(group, candidate) for candidate in forms]
    best = min(range(len(atoms)), key=lambda k: (scores[k], k))
    representative = int(atoms[best])
    images = permutations[:, representative]
    operations = np.array([int(np.argmax(images == atom)) for atom in atoms])
    exact = _stabilized_points(group, positions, permutations, representative)
    return Site(atoms, representative, operations, exact)


def _stabilized_points(
    group: SpaceGroup, positions: np.ndarray, permutations: np.ndarray, atom: int
) -> AffineSpace:
    """Solve ``R x + t = x + n`` for all operations that map the atom to itself."""
    fixing = np.flatnonzero(permutations[:, atom] == atom)
    rotations = group.rotations[fixing]
    here = positions[atom]
    integers = np.round(rotations @ here + group.translations[fixing] - here).astype(int)
    numerators = GRAIN * integers - group.numerators[fixing]
    return _fixed_points((rotations - np.eye(3, dtype=int)).tobytes(), numerators.tobytes())


@lru_cache(maxsize=4096)  # few different ones: atoms of a Wyckoff position share theirs
def _fixed_points(matrices: bytes, numerators: bytes) -> AffineSpace:
    """Solve ``A x = b``, ``b`` in 24ths, for arrays given by their content."""
    rights = np.frombuffer(numerators, dtype=int).reshape(-1, 3)
    return solve(
        np.frombuffer(matrices, dtype=int).reshape(-1, 3, 3),
        [[Fraction(int(n), GRAIN) for n in right] for right in rights],
    )


def awkwardness(group: SpaceGroup, form: AffineSpace) -> tuple[float, ...]:
    """Score a form so that the least is written as the International Tables write it.

    The Tables prefer whole coefficients, small offsets and positive coefficients, in this order.
    Among equivalent mirror lines they write (x, 2x) in the point groups 622 and 6/mmm and (x, -x)
    in the other trigonal and hexagonal ones, and (0, y, z) in cubic groups but (x, 0, z) elsewhere.
    """
    entries = [entry for vector in form.basis for entry in vector]
    fractions = sum(entry.denominator != 1 for entry in entries)
    negative = sum(entry < 0 for entry in entries)
    doubled = sum(abs(entry) == 2 for entry in entries)
    if 177 <= group.number <= 182 or 191 <= group.number <= 194:
        doubled = -doubled
    offset = [float(entry % 1) for entry in form.offset]
    # How late the letters come that repeat an earlier one: (x, x, z) before (x, y, x).
    lag = sum(
        k
        for vector, pivot in zip(form.basis, form.pivots, strict=True)
        for k in range(3)
        if k != pivot and vector[k]
    )
    places: tuple[int, ...] = form.pivots
    if group.system == "cubic" and (len(places) == 2 or lag in (1, 2)):
        places = tuple(-place for place in places)
        lag = lag if len(places) == 2 else -lag
    hexagonal = group.system in ("trigonal", "hexagonal") and not group.rhombohedral_axes
    early = (lag, *places) if hexagonal else ()  # (x, 0, 5/6) before (0, y, 1/6) and (x, x, 1/2)
    # A fixed point on the cube's diagonal is written as such: (1/2, 1/2, 1/2), not (1/2, 0, 0).
    scattered = int(group.system == "cubic" and not places and len(set(offset)) > 1)
    return (fractions, doubled, *early, scattered, sum(offset), negative, lag, *places)
