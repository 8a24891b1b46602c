"""Proposed slices in bounded time, and the exact shortcuts that make it so."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.spacegroup import crystal as ase_crystal
from hypothesis import given, settings
from hypothesis import strategies as st

import symscape.crystal.propose
from symscape.crystal.contacts import (
    closest_ratios,
    covalent_radii,
    minimum_image_distances,
)
from symscape.crystal.crystal import Crystal
from symscape.crystal.propose import MOST_COORDINATES, MOST_TRIES, survey_slices
from symscape.crystal.stiffness import coordinate_stiffness
from symscape.crystal.structures import Structures
from symscape.errors import SymscapeError


def disordered(n, spacing=2.7, seed=0, noise=0.15):
    """A crystal of P1: atoms near the points of a grid."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(n ** (1 / 3)))
    grid = np.array([(i, j, k) for i in range(side) for j in range(side) for k in range(side)])[:n]
    lattice = np.diag([side * spacing * x for x in (1, 1.03, 1.07)])
    lattice += rng.normal(0, 0.1, (3, 3))
    places = grid @ lattice / side + rng.normal(0, noise, (n, 3))
    symbols = (["Si", "O", "Al"] * n)[:n]
    return Crystal.from_structure(Atoms(symbols, positions=places, cell=lattice, pbc=True))


def brute_force(structures):
    """The least ratio over all pairs and images, one structure after the other, by ASE."""
    ratios = []
    for k in range(len(structures)):
        atoms = structures.atoms(k)
        atoms.wrap()
        radii = covalent_radii(atoms.numbers)
        large = atoms.repeat((3, 3, 3))
        distances = np.linalg.norm(large.positions[:, None] - large.positions[None], axis=-1)
        np.fill_diagonal(distances, np.inf)
        sums = np.tile(radii, 27)
        ratios.append((distances / (sums[:, None] + sums[None])).min())
    return np.array(ratios)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), reach=st.sampled_from([0.1, 0.5, 4.0]), n=st.integers(1, 7))
def test_closest_ratios_are_those_of_all_pairs(seed, reach, n):
    """Some atoms move together, some apart, some not at all."""
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(4.5, 6, 3)) + rng.normal(0, 0.3, (3, 3))
    numbers = rng.choice([8, 14, 22], n)
    start = rng.uniform(0, 1, (n, 3)) @ cell
    moves = rng.normal(0, reach, (4, 1, 3)) * rng.integers(-1, 2, n)[None, :, None]
    structures = Structures.stack(numbers, start + moves, np.broadcast_to(cell, (4, 3, 3)))
    np.testing.assert_allclose(closest_ratios(structures), brute_force(structures), rtol=1e-9)


def test_work_is_bounded_and_said(monkeypatch):
    """Whatever the number of atoms: few masks, and sentences on what was left out."""
    crystal = disordered(64)
    made = []
    original = symscape.crystal.propose.Slice
    monkeypatch.setattr(
        symscape.crystal.propose, "Slice", lambda *a: made.append(original(*a)) or made[-1]
    )
    steps = []
    survey = survey_slices(crystal, progress=lambda *step: steps.append(step))
    assert len(made) <= 3 * MOST_TRIES
    assert len(survey.proposals) >= 6
    assert (
        f"of {crystal.n_wyckoff} free coordinates the {MOST_COORDINATES} softest"
        in survey.notices[0]
    )
    assert steps[-1][0] == steps[-1][1] == 2 * MOST_TRIES
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))


def test_only_pairs_that_may_change_are_measured(monkeypatch):
    """A slice of a large cell costs little more than its moving atoms."""
    counted = []

    def counting(positions, cells, pairs=None):
        n = positions.shape[1]
        counted.append(len(positions) * (n * (n - 1) // 2 if pairs is None else len(pairs[0])))
        return minimum_image_distances(positions, cells, pairs)

    monkeypatch.setattr("symscape.crystal.contacts.minimum_image_distances", counting)
    crystal = disordered(100)
    survey_slices(crystal, max_local=1, max_global=0).proposals[0].slice.mask  # noqa: B018
    all_pairs = 225 * 100 * 99 // 2
    assert sum(counted) < 0.05 * all_pairs


def test_axes_are_the_users():
    crystal = disordered(64)
    names = [free.name for free in crystal.free_coordinates]
    survey = survey_slices(crystal, axes=(names[5], names[7]))
    assert {p.slice.name for p in survey.proposals if p.kind == "local"} == {
        f"{names[5]}-{names[7]}"
    }
    rutile = Crystal.from_structure(
        ase_crystal(["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136,
                    cellpar=[4.6, 4.6, 2.96, 90, 90, 90])
    )  # fmt: skip
    for axes in (("O_x", "c/a"), ("O_x", "ca"), ("a", "c")):
        (proposal,) = survey_slices(rutile, axes=axes).proposals
        assert proposal.slice.name == "-".join(axes).replace("/", "")
    for axes, sentence in (
        (("O_x", "O_q"), "no free coordinate or lattice parameter 'O_q'; take two of O_x"),
        (("O_x",), "two different ones"),
        (("O_x", "O_x"), "two different ones"),
    ):
        with pytest.raises(SymscapeError, match=sentence):
            survey_slices(rutile, axes=axes)


def test_a_masked_crystal_is_said_first():
    squeezed = Crystal.from_structure(
        Atoms("SiO", [[0, 0, 0], [0.4, 0.3, 1.0]], cell=[4, 4.3, 4.7], pbc=True)
    )
    assert (
        survey_slices(squeezed)
        .notices[0]
        .startswith("the crystal itself is in the masked region: Si-O")
    )


def test_stiffness_ranks_loose_atoms_below_squeezed_ones():
    """An oxygen in contact with lead is stiffer along the contact than one with room around it."""
    lattice = np.diag([8.0, 8.5, 6.5])
    places = np.array([[0, 0, 0], [0.1, 0.2, 2.0], [4.3, 4.1, 3.2]]) @ np.linalg.inv(lattice)
    crystal = Crystal(lattice, places, np.array([82, 8, 8]), 1)
    names = [free.name for free in crystal.free_coordinates]
    stiffness = dict(zip(names, coordinate_stiffness(crystal), strict=True))
    assert stiffness["O1_z"] > 10 * stiffness["O1_x"]
    assert stiffness["O1_z"] > 10 * stiffness["O2_z"]
