"""What stands out in a grid: points off their neighbours, energies off the forces."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.calculators.morse import MorsePotential
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.dft.quality import GridData, check_forces, check_smoothness
from symscape.references.landscape_files import load_reference, stored_points
from symscape.references.point_records import PointRecord


def morse_energies(n_u=11, n_v=13, depth=1.0):
    """A steep, anharmonic surface: a bond breaking along u, hardening along v; eV/atom."""
    u, v = np.meshgrid(np.linspace(-0.35, 0.8, n_u), np.linspace(-1, 1, n_v), indexing="ij")
    return depth * (1 - np.exp(-2 * u)) ** 2 + 0.3 * v**2 * np.exp(-u) + 0.2 * v**4


@pytest.mark.parametrize("depth", [0.01, 0.3, 3.0])
def test_a_steep_surface_is_smooth(depth):
    assert check_smoothness(morse_energies(depth=depth)) == ()


def test_a_single_point_in_another_state_stands_out_everywhere_on_the_grid():
    smooth = morse_energies()
    for where in np.ndindex(smooth.shape):
        # at the edges the prediction is an extrapolation, and at the wall it is a poor one
        size = 0.1 if min(where) >= 2 and where[0] <= 8 and where[1] <= 10 else 1.0
        energies = smooth.copy()
        energies[where] += size
        found = check_smoothness(energies)
        assert [deviation.point for deviation in found] == [where]
        assert found[0].value_meV_atom == pytest.approx(1000 * size, rel=0.3)


@given(
    st.integers(2, 8),
    st.integers(2, 10),
    st.sampled_from([-1, 1]),
    st.floats(0.02, 1.0),
    st.integers(0, 2**31),
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_it_stands_out_of_random_cubic_surfaces(i, j, sign, size, seed):
    random = np.random.default_rng(seed)
    u, v = np.meshgrid(np.linspace(-1, 1, 11), np.linspace(-1, 1, 13), indexing="ij")
    energies = sum(random.normal() * u**a * v**b for a in range(4) for b in range(4) if a + b <= 3)
    assert check_smoothness(energies) == ()
    energies[i, j] += sign * size
    found = check_smoothness(energies)
    assert [deviation.point for deviation in found] == [(i, j)]
    assert found[0].value_meV_atom == pytest.approx(1000 * sign * size, rel=1e-6)


def test_masked_points_and_short_lines_are_no_trouble():
    energies = morse_energies()
    energies[0:3, 0:4] = np.nan
    energies[7, 9] += 0.1
    assert [d.point for d in check_smoothness(energies)] == [(7, 9)]
    assert check_smoothness(energies[:4, :4]) == ()
    assert check_smoothness(np.full((6, 6), np.nan)) == ()


# ------------------------------------------------------------------------------ forces and energies


@lru_cache
def emt_grid(points=9):
    """AlCu in Cmcm with EMT, as GridData."""
    crystal = Crystal.from_sites(
        [2.9, 8.2, 4.0, 90, 90, 90], 298, [("Al", (0, 0.36, 0.25)), ("Cu", (0, 0.07, 0.25))]
    )
    axes = (
        Axis("Al_y", {"Al_y": 1.0}, 0.34, 0.38, points, 0.36),
        Axis("Cu_y", {"Cu_y": 1.0}, 0.05, 0.09, points, 0.07),
    )
    return computed(Slice(crystal, axes, 0.5), EMT)


@lru_cache
def lattice_grid(points=9):
    """A rutile-type crystal with a Morse potential, x against c/a, with stresses."""
    crystal = Crystal.from_sites(
        [4.6, 4.6, 3.0, 90, 90, 90], 419, [("Ti", (0, 0, 0)), ("O", (0.305, 0.305, 0))]
    )
    ratio = 3.0 / 4.6
    axes = (
        Axis("c/a", {"c/a": 1.0}, 0.96 * ratio, 1.04 * ratio, points, ratio),
        Axis("O_x", {"O_x": 1.0}, 0.285, 0.325, points, 0.305),
    )
    return computed(
        Slice(crystal, axes),
        lambda: MorsePotential(epsilon=0.3, r0=2.2, rho0=4.0, rcut1=1.3, rcut2=1.9),
    )


def computed(the_slice, make):
    points = []
    for k, atoms in enumerate(the_slice.structures()):
        atoms.calc = make()
        i, j = divmod(k, the_slice.shape[1])
        strained = isinstance(atoms.calc, MorsePotential)
        points.append(
            PointRecord(
                i=i,
                j=j,
                energy_eV=atoms.get_potential_energy(),
                forces_eV_A=atoms.get_forces().tolist(),
                stress_eV_A3=atoms.get_stress().tolist() if strained else None,
            )
        )
    return GridData.from_points(the_slice, points)


def spoiled(grid, points, error):
    """The grid with the energies (eV/atom) of some points wrong."""
    energies = grid.free_energies.copy()
    energies[tuple(np.array(points).T)] += error
    return replace(grid, energies=energies, free_energies=energies)


@pytest.mark.parametrize("make", [emt_grid, lattice_grid])
def test_forces_are_the_derivative_of_the_energy(make):
    check = check_forces(make())
    assert check.compared == 2 * 7 * 9
    assert check.largest_meV_atom < 0.5
    assert check.deviations == ()


@pytest.mark.parametrize("make", [emt_grid, lattice_grid])
def test_an_energy_that_does_not_follow_from_the_forces_is_found(make):
    check = check_forces(spoiled(make(), [(4, 5)], 0.02))
    assert {d.point for d in check.deviations} == {(3, 5), (5, 5), (4, 4), (4, 6)}
    assert {round(abs(d.value_meV_atom)) for d in check.deviations} == {20}


def test_a_whole_region_in_another_state_is_found_at_its_border():
    region = [(i, j) for i in range(9) for j in range(5, 9)]
    check = check_forces(spoiled(emt_grid(), region, 0.02))
    assert {d.axis for d in check.deviations} == {"Cu_y"}
    assert {d.point[1] for d in check.deviations} == {4, 5}


def test_without_stress_a_lattice_axis_is_left_out():
    grid = lattice_grid(points=5)
    blind = replace(grid, stresses=np.full_like(grid.stresses, np.nan))
    assert check_forces(blind).compared == 5 * 3
    no_forces = replace(grid, forces=np.full_like(grid.forces, np.nan))
    assert check_forces(no_forces).compared == 0


def test_free_energies_are_what_forces_belong_to():
    grid = emt_grid(points=5)
    smeared = replace(grid, energies=grid.energies + np.linspace(0, 0.1, 25).reshape(5, 5) ** 2)
    assert check_forces(smeared).deviations == ()


def test_a_stored_reference_is_checked_without_its_plan(toy_file):
    grid = GridData.from_reference(toy_file)
    reference = load_reference(toy_file)
    np.testing.assert_allclose(grid.energies, reference.energies)
    np.testing.assert_allclose(grid.relative, reference.relative)
    assert check_forces(grid).compared == 2 * 5 * 3
    points = stored_points(toy_file, reference.slice)
    points[3] = PointRecord(i=0, j=3, same_as=(0, 2))
    filled = GridData.from_points(reference.slice, points)
    assert filled.energies[0, 3] == filled.energies[0, 2]
    assert np.isnan(filled.forces[0, 3]).all()
