"""Crystals of all 230 space groups against spglib and against the character formula."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import spglib
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.crystal.crystal import Crystal
from symscape.crystal.spacegroup import space_group
from symscape.errors import SymscapeError

#: the first setting of each of the 230 groups
FIRST_HALL = {spglib.get_spacegroup_type(hall).number: hall for hall in range(530, 0, -1)}
N_LATTICE = {
    "triclinic": 6,
    "monoclinic": 4,
    "orthorhombic": 3,
    "tetragonal": 2,
    "trigonal": 2,
    "hexagonal": 2,
    "cubic": 1,
}


def some_cell(hall: int, rng: np.random.Generator) -> list[float]:
    """A cell that the setting allows, with parameters in general position."""
    a, b, c = 6 + 2 * rng.random(3)
    skew = 100 + 8 * rng.random(3)
    kind = spglib.get_spacegroup_type(hall)
    number, choice = kind.number, kind.choice
    if number <= 2:
        return [a, b, c, *skew]
    if number <= 15:
        # the unique axis is the one that the Hall symbol's setting names
        unique = next((x for x in "abc" if x in choice), "b")
        angles = [90.0, 90.0, 90.0]
        angles["abc".index(unique)] = skew[0]
        return [a, b, c, *angles]
    if number <= 74:
        return [a, b, c, 90, 90, 90]
    if number <= 142:
        return [a, a, c, 90, 90, 90]
    if number <= 194:
        if choice == "R":
            return [a, a, a, 75, 75, 75]
        return [a, a, c, 90, 90, 120]
    return [a, a, a, 90, 90, 90]


def special_point(hall: int, rng: np.random.Generator) -> np.ndarray:
    """A point on a random symmetry element: the mean of its images under one operation's powers."""
    group = spglib.get_symmetry_from_database(hall)
    x = rng.random(3)
    k = rng.integers(len(group["rotations"]))
    rotation, translation = group["rotations"][k], group["translations"][k]
    images, image = [x], rotation @ x + translation
    for _ in range(5):
        nearest = image - np.rint(image - images[0])
        images.append(nearest)
        image = rotation @ image + translation
    order = next(
        (n for n in range(1, 7) if (np.linalg.matrix_power(rotation, n) == np.eye(3)).all()), 1
    )
    return np.mean(images[:order], axis=0)


@cache
def some_crystal(hall: int, seed: int = 0) -> Crystal:
    """A crystal with a general and a special position, atoms apart from each other."""
    rng = np.random.default_rng([hall, seed])
    for _ in range(200):
        sites = [("Si", special_point(hall, rng)), ("O", rng.random(3))]
        try:
            crystal = Crystal.from_sites(some_cell(hall, rng), hall, sites)
        except SymscapeError:
            continue  # the random point lies too close to an image of the other
        atoms = crystal.to_atoms(primitive=True)
        distances = atoms.get_all_distances(mic=True) + 9 * np.eye(len(atoms))
        if distances.min() > 0.15:
            return crystal
    raise AssertionError(f"no crystal found for Hall number {hall}")


def count_by_characters(crystal: Crystal) -> int:
    """Number of free coordinates: multiplicity of the trivial representation, minus polar ones.

    The trace of an operation on all displacements is the trace of its rotation times the number of
    atoms that it leaves in place; polar directions are the vectors that every rotation keeps.
    """
    group = spglib.get_symmetry_from_database(crystal.hall_number)
    total, polar = 0.0, 0.0
    for rotation, translation in zip(group["rotations"], group["translations"], strict=True):
        moved = crystal.positions @ rotation.T + translation - crystal.positions
        gap = np.linalg.norm((moved - np.rint(moved)) @ crystal.lattice, axis=1)
        total += np.trace(rotation) * (gap < 1e-3).sum()
        polar += np.trace(rotation)
    n = len(group["rotations"])
    return round(total / n) - round(polar / n)


@pytest.mark.parametrize("number", range(1, 231))
def test_every_space_group(number):
    hall = FIRST_HALL[number]
    crystal = some_crystal(hall)
    kind = spglib.get_spacegroup_type(hall)
    assert crystal.space_group_number == number
    assert crystal.n_lattice == N_LATTICE[crystal.system]
    assert crystal.n_wyckoff == count_by_characters(crystal)
    # Wyckoff letters and site symmetries are spglib's where spglib sees this very group
    rng = np.random.default_rng(number)
    moved = crystal.with_coordinates(crystal.theta + 0.01 * rng.standard_normal(crystal.n_wyckoff))
    cell = (moved.lattice, moved.positions, moved.numbers)
    found = spglib.get_symmetry_dataset(cell, symprec=1e-5, hall_number=0)
    operations = spglib.get_symmetry(cell, symprec=1e-5)
    assert len(operations["rotations"]) % len(crystal.group.rotations) == 0
    if found.number == number and np.allclose(found.transformation_matrix, np.eye(3)):
        shift = found.origin_shift - np.rint(found.origin_shift)
        if np.allclose(shift, 0, atol=1e-6):
            letters = {orbit.letter for orbit in moved.orbits}
            assert letters == set(found.wyckoffs)
    assert kind.international_short.replace(" ", "") == crystal.symbol


@pytest.mark.parametrize("hall", range(3, 531, 7))
def test_other_settings_have_the_same_counts(hall):
    crystal = some_crystal(hall)
    assert crystal.n_wyckoff == count_by_characters(crystal)
    assert crystal.n_lattice == N_LATTICE[crystal.system]
    assert sum(len(orbit.atoms) for orbit in crystal.orbits) == len(crystal)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 230), st.integers(0, 3), st.data())
def test_spglib_finds_the_group_or_a_supergroup_whatever_the_coordinates(number, seed, data):
    crystal = some_crystal(FIRST_HALL[number], seed)
    step = st.floats(-0.2, 0.2)
    theta = crystal.theta + np.array(
        data.draw(st.lists(step, min_size=crystal.n_wyckoff, max_size=crystal.n_wyckoff))
    )
    atoms = Atoms(
        numbers=crystal.numbers,
        cell=crystal.lattice,
        pbc=True,
        scaled_positions=crystal.positions_at(theta),
    )
    if (atoms.get_all_distances(mic=True) + 9 * np.eye(len(atoms))).min() < 0.05:
        return  # atoms on top of each other are no crystal
    operations = spglib.get_symmetry(
        (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=1e-5
    )
    found = {
        (tuple(r.ravel()), tuple(np.round(t % 1, 3) % 1))
        for r, t in zip(operations["rotations"], operations["translations"], strict=True)
    }
    for rotation, translation in zip(
        crystal.group.rotations, crystal.group.translations, strict=True
    ):
        assert (tuple(rotation.ravel()), tuple(np.round(translation % 1, 3) % 1)) in found


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 230), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_standardizing_undoes_any_choice_of_cell_origin_and_noise(number, seed, disguise):
    crystal = some_crystal(FIRST_HALL[number], seed)
    rng = np.random.default_rng(disguise)
    atoms = crystal.to_atoms(primitive=bool(rng.integers(2)))
    # a unimodular change of cell, a rotation, an origin, another order, noise below symprec
    change = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = rng.choice(3, 2, replace=False)
        change[i] += int(rng.integers(-1, 2)) * change[j]
    atoms.set_cell(change @ atoms.cell.array, scale_atoms=False)
    atoms.rotate(float(360 * rng.random()), rng.standard_normal(3), rotate_cell=True)
    atoms.translate(rng.standard_normal(3))
    atoms.wrap()
    atoms = atoms[rng.permutation(len(atoms))]
    atoms.positions += 1e-4 * rng.uniform(-1, 1, atoms.positions.shape)
    wanted = spglib.get_symmetry_dataset(
        (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=0.01
    )
    found = Crystal.from_structure(atoms, symprec=0.01)
    assert found.space_group_number == wanted.number
    assert found.n_wyckoff == count_by_characters(found)
    if wanted.number == number:
        assert found.n_wyckoff == crystal.n_wyckoff
        # enantiomorphic pairs and axes aside, the same Wyckoff multiplicities
        assert sorted(o.multiplicity for o in found.orbits) == sorted(
            o.multiplicity for o in crystal.orbits
        )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 230), st.integers(0, 3))
def test_polar_translations_are_not_degrees_of_freedom(number, seed):
    crystal = some_crystal(FIRST_HALL[number], seed)
    polar, _ = space_group(crystal.hall_number).polar_basis
    assert len(crystal.pinned) == len(polar)
    if crystal.n_wyckoff and len(polar):
        moves = np.moveaxis(crystal.B, -1, 0).reshape(crystal.n_wyckoff, -1)
        rigid = np.array([np.tile(np.array(v, dtype=float), len(crystal)) for v in polar])
        both = np.vstack([moves, rigid])
        assert np.linalg.matrix_rank(both) == crystal.n_wyckoff + len(polar)
