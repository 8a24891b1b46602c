"""Crystals that are the same up to an isometry, and that telling so stays cheap."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ase.build import bulk
from ase.spacegroup import crystal as ase_crystal
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.crystal import congruence as congruence_module
from symscape.crystal.congruence import congruent
from symscape.crystal.contacts import minimum_image_distances, reduced_cells

TOLERANCE = 1e-3


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(1, 9), kinds=st.integers(1, 3), flip=st.booleans()
)
def test_moved_crystals_are_congruent_and_distorted_ones_are_not(seed, n, kinds, flip):
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(4, 7, 3)) + rng.normal(0, 0.4, (3, 3))
    numbers = np.sort(rng.choice([8, 14, 22][:kinds], n))
    positions = rng.uniform(0, 1, (n, 3)) @ cell
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= -1 if flip else 1
    order = np.lexsort((rng.permutation(n), numbers))
    moved = (positions + rng.integers(-1, 2, (n, 3)) @ cell)[order] @ turn.T + rng.normal(size=3)
    here, there = reduced_cells(np.array([cell, cell @ turn.T]))
    assert congruent(numbers, positions, here, moved, there)
    if n > 2:
        moved[0] += [0.05, 0.04, 0.06]
        apart = minimum_image_distances(
            np.array([positions[order], moved]), np.array([here, there])
        )
        if np.abs(np.sort(apart[0]) - np.sort(apart[1])).max() > 4e-3:
            assert not congruent(numbers, positions, here, moved, there)


def test_supercells_of_a_hundred_atoms_are_told_apart():
    salt = ase_crystal(
        ["Na", "Cl"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[5.6] * 3 + [90] * 3
    )
    large = salt.repeat((2, 2, 3))
    cell = reduced_cells(large.cell.array[None])[0]
    shifted = large.positions + np.array([2.8, 2.8, 0.0])
    assert congruent(large.numbers, large.positions, cell, shifted, cell)
    shifted[7] += [0.03, 0.0, 0.0]
    assert not congruent(large.numbers, large.positions, cell, shifted, cell)


def congruent_by_trial(numbers, positions, cell, others, other_cell):
    """Whether any basis and shift carries all atoms onto like ones, each tried in full."""
    there = others @ np.linalg.inv(other_cell)
    rows = np.array(list(product(range(-2, 3), repeat=3))) @ cell
    fitting = [
        rows[np.abs(np.linalg.norm(rows, axis=1) - np.linalg.norm(wanted)) < TOLERANCE]
        for wanted in other_cell
    ]
    slack = 2 * TOLERANCE * np.linalg.norm(other_cell, axis=1).max()
    species, counts = np.unique(numbers, return_counts=True)
    rare = np.flatnonzero(numbers == species[counts.argmin()])
    for basis in map(np.array, product(*fitting)):
        gaps = basis @ basis.T - other_cell @ other_cell.T
        if np.abs(gaps - np.diag(np.diag(gaps))).max() >= slack:
            continue
        if not np.isclose(abs(np.linalg.det(basis)), abs(np.linalg.det(cell)), rtol=0.1):
            continue
        here = positions @ np.linalg.inv(basis)
        for k in rare:
            between = (here - here[rare[0]] + there[k])[:, None] - there[None]
            apart = np.linalg.norm((between - np.round(between)) @ other_cell, axis=-1)
            apart[numbers[:, None] != numbers[None]] = np.inf
            nearest = apart.argmin(axis=1)
            if (apart.min(axis=1) < TOLERANCE).all() and len(set(nearest)) == len(numbers):
                return True
    return False


LATTICES = {
    "fcc": lambda: bulk("Cu", cubic=True),
    "bcc": lambda: bulk("Fe", cubic=True),
    "hcp": lambda: bulk("Mg"),
    "rocksalt": lambda: bulk("NaCl", "rocksalt", a=5.6, cubic=True),
    "diamond": lambda: bulk("Si", cubic=True),
}


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(LATTICES)),
    repeats=st.tuples(*[st.integers(1, 2)] * 3),
    seed=st.integers(0, 10_000),
    # of the tolerance, on either side of what it lets pass
    size=st.sampled_from([0.0, 0.3, 0.8, 1.2, 1.6, 2.5, 30.0]),
    off=st.integers(0, 3),
    strain=st.sampled_from([0.0, 0.05, 0.3]),
    both=st.booleans(),
)
def test_answers_are_those_of_trying_everything(name, repeats, seed, size, off, strain, both):
    rng = np.random.default_rng(seed)
    atoms = LATTICES[name]().repeat(repeats)
    n, numbers = len(atoms), atoms.numbers
    moves = np.zeros((n, 3))
    for k in rng.integers(0, n, off):
        moves[k] = rng.normal(size=3)
        moves[k] *= size * TOLERANCE / np.linalg.norm(moves[k])
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = np.lexsort((rng.permutation(n), numbers))
    inverse = np.lexsort((np.arange(n), numbers))
    cell = reduced_cells(atoms.cell.array[None])[0]
    stretched = np.eye(3) + rng.normal(size=(3, 3)) * strain * TOLERANCE / 10
    others = ((atoms.positions + moves) @ stretched)[order] @ turn.T + rng.normal(size=3)
    other_cell = reduced_cells((atoms.cell.array @ stretched @ turn.T)[None])[0]
    own = (atoms.positions + (moves if both else 0))[inverse]
    arguments = numbers[inverse], own, cell, others, other_cell
    assert congruent(*arguments) == congruent_by_trial(*arguments)


@pytest.mark.parametrize("size", [1.5, 2.5, 30.0])
@pytest.mark.parametrize("turned", [False, True])
def test_one_atom_out_of_place_is_found_soon(monkeypatch, size, turned):
    """Of a perfect crystal of 108 atoms; which of the two has it must not matter."""
    measured = []
    nearest = congruence_module._nearest

    def counting(possible, here, there, shifts, cell, atoms):
        measured.append(len(shifts) * len(atoms) * len(there))
        return nearest(possible, here, there, shifts, cell, atoms)

    monkeypatch.setattr(congruence_module, "_nearest", counting)
    atoms = bulk("Cu", cubic=True).repeat(3)
    cell = atoms.cell.array
    moved = atoms.positions.copy()
    moved[5, 0] += size * TOLERANCE
    pair = (moved, atoms.positions) if turned else (atoms.positions, moved)
    assert not congruent(atoms.numbers, pair[0], cell, pair[1], cell)
    # all 48 maps, each with all shifts, of all atoms to all others would be 60 millions
    assert sum(measured) < 10_000_000


def test_a_lattice_is_not_one_of_its_sublattices():
    cube, brick = np.eye(3) * 4.0, np.diag([4.0, 4.0, 8.0])
    atom = np.zeros((1, 3))
    numbers = np.array([29])
    assert not congruent(numbers, atom, cube, atom, brick)
    assert not congruent(numbers, atom, brick, atom, cube)
