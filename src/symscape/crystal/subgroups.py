"""Subgroups of a rigid crystal in which atoms are free to move: along modes of the zone's points.

A crystal whose atoms all sit on special positions has no slice of its own. Its landscape is decided
where a mode breaks its symmetry: the polar P4mm, Amm2 and R3m of cubic BaTiO3, the tilts of SrTiO3.
Modes are the invariant subspaces of a matrix that commutes with the space group and is random
otherwise, so that only symmetry can make them degenerate; each is followed along the displacements
of single atoms, and spglib says which group is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.propose import Proposal, Survey, survey_slices
from symscape.crystal.search import find_dataset
from symscape.errors import SymscapeError

#: largest displacement of an atom in a distorted crystal, angstrom
_AMPLITUDE = 0.1
#: symmetry search of distorted crystals, angstrom: far below the amplitude
_SYMPREC = 0.005
#: cells with more atoms than this have their modes at the zone centre alone
MOST_ATOMS_BOUNDARY = 10
#: and with more than this none
MOST_ATOMS = 40
#: a pinned atom is put at a whole multiple of one over this; any place would do along a polar axis
_PLAIN = 12
#: Cartesian directions that single atoms are moved along
_DIRECTIONS = np.array([d for d in product((0, 1), repeat=3) if any(d)], dtype=float)


@dataclass(frozen=True, eq=False)
class Distortion:
    """A subgroup of a crystal's space group, reached by one mode.

    Parameters
    ----------
    crystal
        The parent's atoms in a setting of the subgroup, with its free coordinates.
    wave_vector
        Of the mode, in halves of the primitive reciprocal vectors: zeros at the zone centre.
    """

    crystal: Crystal
    wave_vector: tuple[int, ...]

    @property
    def where(self) -> str:
        """Where in the Brillouin zone the mode lies."""
        return "zone boundary" if any(self.wave_vector) else "zone centre"


def distortions(crystal: Crystal, most: int = 12) -> tuple[Distortion, ...]:
    """Find subgroups in which a crystal's atoms are free to move.

    Parameters
    ----------
    crystal
        Any crystal; meant for one without free coordinates.
    most
        How many to return, half of them from the zone boundary if there are as many.

    Returns
    -------
    tuple
        One for each space group and size of the cell; those of the zone centre first, then the ones
        with fewer atoms, larger point groups, fewer free coordinates. Not all subgroups: of each
        mode those along the displacements of single atoms.

    Raises
    ------
    SymscapeError
        If the primitive cell has more than `MOST_ATOMS` atoms.
    """
    n_atoms = len(crystal.primitive_atoms)
    if n_atoms > MOST_ATOMS:
        raise SymscapeError(
            f"{crystal.formula}: {n_atoms} atoms in the primitive cell are too many to look for "
            f"modes; at most {MOST_ATOMS}."
        )
    repeats = 2 if n_atoms <= MOST_ATOMS_BOUNDARY else 1
    cell = _Supercell(crystal, repeats)
    found: dict[tuple[int, int], Distortion] = {}
    for wave_vector, mode in _modes(cell):
        key = _key(cell, mode)
        if key is None or key in found:
            continue
        distorted = _subgroup(crystal, cell, mode)
        if distorted is not None:
            found[key] = Distortion(distorted, wave_vector)
    ranked = sorted(found.values(), key=_rank)
    centre = [d for d in ranked if not any(d.wave_vector)]
    boundary = [d for d in ranked if any(d.wave_vector)]
    share = max(most // 2, most - len(boundary))
    return tuple((centre[:share] + boundary)[:most])


def subgroup_named(crystal: Crystal, symbol: str) -> Crystal:
    """Return a crystal in one of its subgroups.

    Parameters
    ----------
    crystal
        The parent.
    symbol
        International symbol, ``P4mm``; slashes may be left out. Of several cells the smallest.

    Raises
    ------
    SymscapeError
        If no mode leads there; the sentence lists those that do.
    """
    found = distortions(crystal, most=10**6)
    wanted = symbol.replace("/", "")
    for distortion in found:
        if distortion.crystal.symbol.replace("/", "") == wanted:
            return distortion.crystal
    names = list(dict.fromkeys(d.crystal.symbol for d in found))
    raise SymscapeError(
        f"--subgroup {symbol}: no mode of {crystal.formula} in {crystal.symbol} leads there, but "
        f"to {', '.join(names) or 'no group at all'}."
    )


def survey_subgroups(crystal: Crystal, points: int = 15, most: int = 4) -> Survey:
    """Propose slices for a rigid crystal: the first of each of its subgroups.

    Parameters
    ----------
    crystal
        The parent.
    points
        Grid values along each axis.
    most
        How many slices.
    """
    proposals: list[Proposal] = []
    # two coordinates of atoms make a landscape that says more than one and the cell's shape
    for distortion in sorted(
        distortions(crystal),
        key=lambda d: (any(d.wave_vector), len(d.crystal.free_coordinates) < 2),
    ):
        if len(proposals) < most:
            own = survey_slices(distortion.crystal, points=points, max_local=1, max_global=0)
            proposals += own.proposals
    names = ", ".join(dict.fromkeys(p.slice.crystal.symbol for p in proposals))
    notice = (
        f"all atoms of {crystal.formula} in {crystal.symbol} sit on special positions; slices are "
        f"of its subgroups {names}; choose another with --subgroup"
    )
    return Survey(tuple(proposals), (notice,) if proposals else ())


def _rank(distortion: Distortion) -> tuple[int, ...]:
    child = distortion.crystal
    return (
        any(distortion.wave_vector),
        len(child.primitive_atoms),
        -len(child.group) // len(child.group.centring_translations),
        len(child.free_coordinates),
        child.space_group_number,
    )


class _Supercell:
    """The primitive cell repeated along each vector, and what the space group does to its atoms.

    Attributes
    ----------
    lattice, positions, numbers
        Rows in angstrom; fractional, shape (n, 3); shape (n,).
    shifts
        Which copy each atom belongs to, shape (n, 3); the copies of one atom follow each other.
    """

    def __init__(self, crystal: Crystal, repeats: int):
        atoms = crystal.to_atoms(primitive=True)
        copies = np.array(list(product(range(repeats), repeat=3)))
        n = len(atoms)
        self.repeats = repeats
        self.lattice = atoms.cell.array * repeats
        own = atoms.get_scaled_positions(wrap=False)
        self.positions = ((own[:, None] + copies[None]) / repeats).reshape(-1, 3)
        self.numbers = np.repeat(atoms.numbers, len(copies))
        self.shifts = np.tile(copies, (n, 1))
        self.first = np.arange(n) * len(copies)

    def operations(self) -> tuple[np.ndarray, np.ndarray]:
        """Return Cartesian rotations, shape (g, 3, 3), and images of the atoms, shape (g, n)."""
        import spglib

        cell = (self.lattice, self.positions, self.numbers)
        symmetry = spglib.get_symmetry(cell, symprec=_SYMPREC)
        to_cartesian = self.lattice.T
        rotations = to_cartesian @ symmetry["rotations"] @ np.linalg.inv(to_cartesian)
        images = []
        for rotation, shift in zip(symmetry["rotations"], symmetry["translations"], strict=True):
            moved = self.positions @ rotation.T + shift
            gaps = moved[:, None] - self.positions[None]
            gaps -= np.round(gaps)
            images.append(np.linalg.norm(gaps @ self.lattice, axis=2).argmin(axis=1))
        return rotations, np.array(images)


def _modes(cell: _Supercell) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Yield wave vectors and displacements, shape (n, 3), largest `_AMPLITUDE`; none twice."""
    rotations, images = cell.operations()
    spaces = _invariant_subspaces(rotations, images)
    # of atoms that the group maps to each other one stands for all
    heads = [atom for atom in cell.first if images[:, atom].min() == atom]
    seen: list[np.ndarray] = []
    for vector in product(range(cell.repeats), repeat=3):
        phases = (-1.0) ** (cell.shifts @ np.array(vector))
        for atom, direction in product(heads, _DIRECTIONS):
            copies = slice(atom, atom + cell.repeats**3)
            trial = np.zeros((len(cell.numbers), 3))
            trial[copies] = phases[copies, None] * direction
            for space in spaces:
                mode = (space @ (space.T @ trial.ravel())).reshape(-1, 3)
                size = np.linalg.norm(mode, axis=1).max()
                # what moves the crystal as a whole changes nothing
                if size < 0.05 or np.ptp(mode, axis=0).max() < 1e-6 * size:
                    continue
                unit = mode / np.linalg.norm(mode)
                if any(abs(np.vdot(unit, other)) > 1 - 1e-6 for other in seen):
                    continue
                seen.append(unit)
                yield vector, mode * (_AMPLITUDE / size)


def _invariant_subspaces(rotations: np.ndarray, images: np.ndarray) -> list[np.ndarray]:
    """Return orthonormal bases, shape (3 n, d), of the irreducible parts of the displacements."""
    n = images.shape[1]
    random = np.random.default_rng(0).normal(size=(n, 3, n, 3))
    random += random.transpose(2, 3, 0, 1)
    mean = np.zeros_like(random)
    for rotation, image in zip(rotations, images, strict=True):
        turned = np.einsum("ab,ibjc,dc->iajd", rotation, random, rotation)
        mean[np.ix_(image, range(3), image, range(3))] += turned
    values, vectors = np.linalg.eigh(mean.reshape(3 * n, 3 * n) / len(rotations))
    breaks = np.flatnonzero(np.diff(values) > 1e-8 * np.abs(values).max()) + 1
    return np.split(vectors, breaks, axis=1)


def _key(cell: _Supercell, mode: np.ndarray) -> tuple[int, int] | None:
    """Return the number of the group that a mode leaves and the atoms of its primitive cell."""
    moved = cell.positions + mode @ np.linalg.inv(cell.lattice)
    dataset = find_dataset((cell.lattice, moved, cell.numbers), _SYMPREC)
    return dataset and (int(dataset.number), len(set(dataset.mapping_to_primitive.tolist())))


def _subgroup(parent: Crystal, cell: _Supercell, mode: np.ndarray) -> Crystal | None:
    """Return the parent's atoms in the group that a mode leaves; None where no atom gets free."""
    once, twice = _distorted(cell, mode), _distorted(cell, 2 * mode)
    if once is None or twice is None or not once.free_coordinates:
        return None
    if once.hall_number != twice.hall_number or (once.numbers != twice.numbers).any():
        return None
    # positions are linear in the amplitude, but for an origin that the group may leave open
    moved = twice.positions - once.positions
    moved -= np.round(moved)
    shifts = np.broadcast_to(np.eye(3), (len(moved), 3, 3))
    design = np.concatenate([once.B, shifts], axis=2).reshape(3 * len(moved), -1)
    step = np.linalg.lstsq(design, moved.ravel(), rcond=None)[0]
    undistorted = _at_plain_origin(once.with_coordinates(once.theta - step[: len(once.theta)]))
    return undistorted if _has_group(undistorted, parent.space_group_number) else None


def _at_plain_origin(crystal: Crystal) -> Crystal:
    """Return the same crystal with its pinned atom at a plain fraction of the polar axes.

    spglib leaves the origin of a polar group where the distortion put it.
    """
    directions, pivots = crystal.group.polar_basis
    if not pivots:
        return crystal
    label = crystal.pinned[0].rpartition("_")[0]
    (orbit,) = (orbit for orbit in crystal.orbits if orbit.label == label)
    place = crystal.positions[orbit.representative]
    shift = np.zeros(3)
    for direction, pivot in zip(directions, pivots, strict=True):
        wanted = np.round(place[pivot] * _PLAIN) / _PLAIN - place[pivot]
        shift += wanted * np.array([float(x / direction[pivot]) for x in direction])
    positions = crystal.positions + shift
    return Crystal(crystal.lattice, positions, crystal.numbers, crystal.hall_number)


def _distorted(cell: _Supercell, mode: np.ndarray) -> Crystal | None:
    from ase import Atoms

    moved = cell.positions @ cell.lattice + mode
    atoms = Atoms(numbers=cell.numbers, positions=moved, cell=cell.lattice, pbc=True)
    try:
        return Crystal.from_structure(atoms, _SYMPREC)
    except SymscapeError:
        return None


def _has_group(crystal: Crystal, number: int) -> bool:
    """Whether spglib finds this group, so that the subgroup really holds the parent."""
    cell = (crystal.lattice, crystal.positions, crystal.numbers)
    dataset = find_dataset(cell, _SYMPREC)
    return dataset is not None and dataset.number == number
