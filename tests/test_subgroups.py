"""Subgroups of rigid crystals, against what the literature and spglib say of them."""

from __future__ import annotations

import numpy as np
import pytest
import spglib
from ase.build import bulk
from ase.spacegroup import crystal as spacegroup_crystal

from symscape.crystal.crystal import Crystal
from symscape.crystal.propose import survey_slices
from symscape.crystal.subgroups import MOST_ATOMS, distortions
from symscape.errors import SymscapeError


def perovskite():
    sites = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)]
    return spacegroup_crystal(
        ["Ba", "Ti", "O"], sites, spacegroup=221, cellpar=[4.0] * 3 + [90] * 3
    )


#: crystal, and groups that its zone-centre and zone-boundary modes are known to lead to
KNOWN = {
    # ferroelectric phases; tilts a0a0c- and a0a0c+ (Glazer)
    "BaTiO3": (perovskite, {"P4mm", "R3m", "Amm2"}, {"I4/mcm", "P4/mbm"}),
    # the polar distortions of rock salt; GeTe is R3m
    "NaCl": (lambda: bulk("NaCl", "rocksalt", 5.64), {"R3m", "I4mm", "Imm2"}, {"R-3m"}),
    # the optical mode of diamond, along a bond and along the cube's edge
    "Si": (lambda: bulk("Si"), {"R-3m", "Imma"}, set()),
    # two atoms along [111] at the zone boundary; the fcc cell has no optical mode at its centre
    "Cu": (lambda: bulk("Cu"), set(), {"R-3m", "P4/nmm"}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_subgroups_are_found_and_hold_the_parent(name):
    make, centre, boundary = KNOWN[name]
    parent = Crystal.from_structure(make())
    found = distortions(parent)
    assert centre <= {d.crystal.symbol for d in found if d.where == "zone centre"}
    assert boundary <= {d.crystal.symbol for d in found if d.where == "zone boundary"}
    assert len({(d.crystal.space_group_number, len(d.crystal)) for d in found}) == len(found)
    volume = abs(np.linalg.det(parent.lattice)) / len(parent)
    for distortion in found:
        child = distortion.crystal
        assert child.free_coordinates
        assert child.space_group_number != parent.space_group_number
        assert abs(np.linalg.det(child.lattice)) / len(child) == pytest.approx(volume)
        # where no atom has moved, spglib sees the parent; where one has, the subgroup
        assert group_of(child) == parent.space_group_number
        moved = child.with_coordinates(child.theta + 0.02 * np.arange(1, len(child.theta) + 1))
        assert group_of(moved) == child.space_group_number


def group_of(crystal):
    cell = (crystal.lattice, crystal.positions, crystal.numbers)
    return spglib.get_symmetry_dataset(cell, symprec=0.001).number


def test_slices_of_a_subgroup_lie_around_the_parent():
    parent = Crystal.from_structure(perovskite())
    assert not parent.free_coordinates
    child = next(d.crystal for d in distortions(parent) if d.crystal.symbol == "P4mm")
    # the coordinates of the tetragonal phase, as they are where nothing has moved
    assert child.pinned == ("Ba_z",)
    away = child.theta - np.array([0.5, 0.5, 0.0])
    assert away - np.round(away) == pytest.approx(0, abs=1e-6)
    for proposal in survey_slices(child, points=7, max_global=0).proposals:
        assert proposal.slice.shape == (7, 7)
        # the middle of the grid is the cubic crystal, where the axes have its coordinates
        middle = np.array([[axis.values[3] for axis in proposal.slice.axes]])
        atoms = proposal.slice.structures_at(middle).atoms(0)
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        assert spglib.get_symmetry_dataset(cell, symprec=0.01).number == 221


def test_the_answer_is_the_same_every_time():
    parent = Crystal.from_structure(bulk("Si"))
    first, second = ([(d.crystal.symbol, d.wave_vector) for d in distortions(parent)],) * 2
    assert first == second == [(d.crystal.symbol, d.wave_vector) for d in distortions(parent)]


def test_too_many_atoms_are_a_sentence():
    large = bulk("Cu", cubic=True).repeat(3)
    large.numbers[0] = 79
    with pytest.raises(SymscapeError, match=f"at most {MOST_ATOMS}"):
        distortions(Crystal.from_structure(large))
