"""A potential that breaks one contract fails that one and no other."""

from __future__ import annotations

import numpy as np
import pytest
from contracts_models import (
    Directional,
    Drifting,
    FirstAtomDecides,
    HandednessMatters,
    LikesRightAngles,
    NonConservative,
    NotExtensive,
    PairModel,
    PinnedToSpace,
    Rippled,
    Step,
    WithoutStress,
    WrongStress,
)

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.crystal.spacegroup import standard_hall_number
from symscape.crystal.structures import Structures
from symscape.science.contracts.catalogue import check_crystal, check_slice
from symscape.science.contracts.conservation import forces_by_energy
from symscape.science.contracts.invariance import at_equivalent_grid_points
from symscape.science.contracts.result import ContractSettings

#: far below what a broken model does, far above rounding and the truncation of derivatives
LIMITS = {"meV/atom": 0.01, "meV/angstrom": 0.05, "meV/angstrom^3": 0.01}
# a small rattle, so that no pair crosses a sharp cut-off unless it is carried there on purpose
SETTINGS = ContractSettings(rattle=0.01)


@pytest.fixture(scope="module")
def rutile():
    """TiO2 in P4_2/mnm: one free coordinate, two free lattice parameters."""
    sites = [("Ti", (0, 0, 0)), ("O", (0.305, 0.305, 0))]
    return Crystal.from_sites([4.6, 4.6, 2.96, 90, 90, 90], standard_hall_number(136), sites)


@pytest.fixture(scope="module")
def anatase():
    """TiO2 in I4_1/amd: a centred cell and a free coordinate."""
    sites = [("Ti", (0, 0, 0)), ("O", (0, 0, 0.207))]
    return Crystal.from_sites([3.79, 3.79, 9.51, 90, 90, 90], standard_hall_number(141), sites)


@pytest.fixture(scope="module")
def slice_(rutile):
    axes = (
        Axis("O_x", {"O_x": 1.0}, 0.255, 0.355, 7, 0.305),
        Axis("c", {"c": 1.0}, 2.8, 3.1, 7, 2.96),
    )
    return Slice(rutile, axes)


@pytest.fixture(scope="module")
def perovskite_slice():
    """Two Wyckoff coordinates of PbTiO3 in P4mm, whose grid is mapped to itself by inversion."""
    sites = [
        ("Pb", (0, 0, 0)),
        ("Ti", (0.5, 0.5, 0.5)),
        ("O", (0.5, 0.5, 0.0)),
        ("O", (0.5, 0.0, 0.5)),
    ]
    crystal = Crystal.from_sites([3.9, 3.9, 4.15, 90, 90, 90], standard_hall_number(99), sites)
    together = {"O1_z": 1.0, "O2_z": 1.0}
    axes = Axis("Ti_z", {"Ti_z": 1.0}, 0.44, 0.56, 7, 0.5), Axis("O_z", together, -0.1, 0.1, 7, 0.0)
    return Slice(crystal, axes)


def broken(results):
    return {name for name, r in results.items() if r.applies and not r.value <= LIMITS[r.unit]}


def by_name(results, end=""):
    return {f"{checked.name}{end}": checked.result for checked in results}


def checked(*asked, **more):
    return by_name(check_crystal(*asked, **more))


def all_contracts(model, crystal, *slices):
    results = checked(model, crystal, SETTINGS)
    for k, s in enumerate(slices):
        results |= by_name(check_slice(model, s, SETTINGS), f"-{k}")
    return results


def test_a_good_potential_keeps_every_contract(rutile, anatase, slice_, perovskite_slice):
    results = all_contracts(PairModel(), rutile, slice_, perovskite_slice)
    assert broken(results) == set()
    # rutile's two axes have no residual symmetry, everything else has something to check
    assert {name for name, r in results.items() if not r.applies} == {"at_equivalent_grid_points-0"}
    results = checked(PairModel(), anatase)
    assert broken(results) == set()
    assert all(r.applies for r in results.values())


@pytest.mark.parametrize(
    ("model", "contracts"),
    [
        (Directional, {"under_rotations"}),
        (NonConservative, {"forces_by_energy", "work_around_loops-0", "work_around_loops-1"}),
        (Step, {"smoothness"}),
        (FirstAtomDecides, {"under_permutations"}),
        (NotExtensive, {"in_supercells"}),
        (LikesRightAngles, {"in_other_cells"}),
        (Drifting, {"forces_by_symmetry"}),
        # work around loops needs the stress along the axis that strains the cell
        (WrongStress, {"stress_by_energy", "work_around_loops-0"}),
    ],
)
def test_a_broken_potential_breaks_its_contract_alone(
    model, contracts, rutile, slice_, perovskite_slice
):
    results = all_contracts(model(), rutile, slice_, perovskite_slice)
    assert broken(results) == contracts


def test_violations_that_show_in_several_contracts(rutile, anatase):
    # what depends on place depends on orientation and on the choice of cell too
    assert "under_translations" in broken(checked(PinnedToSpace(), rutile, SETTINGS, forces=False))
    # reflections are operations of the group, but no rotations
    chiral = by_name(
        check_crystal(HandednessMatters(), rutile, ContractSettings(rattle=0.1), forces=False)
    )
    assert "under_space_group_operations" in broken(chiral)
    assert "under_rotations" not in broken(chiral)
    # a centred cell has a primitive one that is smaller
    centred = checked(NotExtensive(), anatase, SETTINGS, forces=False)
    assert broken(centred) == {"in_supercells", "in_other_cells"}
    assert centred["in_other_cells"].detail.worst == "conventional"


def test_sizes_of_violations(rutile):
    results = checked(NotExtensive(), rutile, SETTINGS)
    # 10 meV in 6 atoms against 10 meV in 12
    assert results["in_supercells"].value == pytest.approx(10 / 12)
    results = checked(FirstAtomDecides(), rutile, SETTINGS)
    assert results["under_permutations"].value == pytest.approx(1.0)
    results = checked(Drifting(), rutile, SETTINGS)
    assert results["forces_by_symmetry"].value == pytest.approx(20.0)
    good, bad = (
        checked(PairModel(), rutile),
        checked(WrongStress(), rutile),
    )
    model = PairModel()
    atoms = rutile.to_atoms(primitive=True)
    stress = model.evaluate(atoms.numbers, atoms.positions, atoms.cell.array)[2]
    # along a the strain is (xx + yy) / sqrt(2), along c it is zz
    expected = 1000 * 0.05 * max(abs(stress[0, 0] * np.sqrt(2)), abs(stress[2, 2]))
    assert bad["stress_by_energy"].value == pytest.approx(expected, abs=0.01)
    assert bad["stress_by_energy"].detail.GPa == pytest.approx(0.1602 * expected, abs=0.01)
    assert good["stress_by_energy"].value < 0.01


def test_each_contract_asks_the_model_once(rutile, perovskite_slice):
    from symscape.science.contracts.catalogue import ENERGY_CONTRACTS, SLICE_CONTRACTS

    for contract in ENERGY_CONTRACTS:
        model = PairModel()
        contract(model, rutile, SETTINGS)
        assert model.calls == 1
    for contract in SLICE_CONTRACTS:
        model = PairModel()
        contract(model, perovskite_slice, SETTINGS)
        assert model.calls == 1


def test_without_stress_the_rest_is_checked(rutile, slice_, perovskite_slice):
    results = all_contracts(WithoutStress(), rutile, slice_, perovskite_slice)
    skipped = {name for name, r in results.items() if not r.applies}
    assert skipped == {"stress_by_energy", "work_around_loops-0", "at_equivalent_grid_points-0"}
    assert all(np.isnan(results[name].value) for name in skipped)
    assert broken(results) == set()


@pytest.mark.parametrize(("third", "exact"), [(1 / 6, True), (0.1667, False)])
def test_rounded_coordinates_are_not_held_against_a_potential(third, exact):
    """K and O of rhombohedral KNbO3: inversion maps the grid to itself where x of O is 1/6."""
    crystal = Crystal.from_sites(
        [5.685, 5.685, 6.963, 90, 90, 120],
        standard_hall_number(160),
        [("Nb", (0, 0, 0)), ("K", (0, 0, 0.488)), ("O", (-third, third, 0.155))],
    )
    axes = (
        Axis("K_z", {"K_z": 1.0}, 0.46, 0.54, 5, 0.488),
        Axis("O_z", {"O_z": 1.0}, 1 / 6 - 0.05, 1 / 6 + 0.05, 5, 0.155),
    )
    slice_ = Slice(crystal, axes, 0.5)
    assert len(slice_.grid_symmetries) == 1  # spares evaluations either way
    model = PairModel()
    structures = slice_.structures()
    energies = 1000 * model.predict(structures).energies / structures.n_atoms
    spread = np.ptp(energies[[0, -1]])
    assert (spread < LIMITS["meV/atom"]) == exact  # else the potential would be blamed
    result = at_equivalent_grid_points(model, slice_, SETTINGS)
    assert result.applies == exact
    if exact:
        assert result.value < LIMITS["meV/atom"]


def test_ripples_are_not_blamed_on_the_forces(rutile):
    """Differences of the energy over a step say nothing of its derivative among shorter ripples."""
    model = Rippled()
    structures = Structures.from_atoms([rutile.to_atoms(primitive=True)])
    step = 1e-6
    moved = Structures.stack(
        structures.numbers,
        structures.positions + step * np.array([-1, 1])[:, None, None] * np.eye(3)[0] * _first(6),
        np.repeat(structures.cells, 2, axis=0),
    )
    slope = np.diff(model.predict(moved).energies)[0] / (2 * step)
    forces = model.predict(structures, forces=True).forces
    assert forces[0, 0] == pytest.approx(-slope, abs=1e-5)  # the forces are right
    assert forces_by_energy(model, rutile, SETTINGS).value < 10  # the limit of the default profile
    assert forces_by_energy(NonConservative(), rutile, SETTINGS).value > LIMITS["meV/angstrom"]


def _first(n):
    """Move the first of n atoms only."""
    return np.eye(n)[0][:, None]
