"""Steps in angstrom, forces along axes, and descriptions of environments."""

from __future__ import annotations

import numpy as np
import pytest
from contracts_models import PairModel, WithoutStress
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.crystal.spacegroup import standard_hall_number
from symscape.crystal.tangents import crystal_at, displacement_metric, tangents
from symscape.questions.forces import OF_FORCES
from symscape.questions.measures import measured
from symscape.references.reference import LandscapeReference
from symscape.science.landscape.environment import (
    coordination_numbers,
    describe_environment,
    describe_points,
    regions,
)
from symscape.science.landscape.forces import axis_forces, compare_forces
from symscape.science.landscape.geometry import GridGeometry, axis_period, grid_geometry


def perovskite():
    sites = [("Pb", (0, 0, 0)), ("Ti", (0.5, 0.5, 0.5)), ("O", (0.5, 0.5, 0)), ("O", (0.5, 0, 0.5))]
    return Crystal.from_sites([3.9, 3.9, 4.15, 90, 90, 90], standard_hall_number(99), sites)


def make_slice(*axes, crystal=None):
    return Slice(crystal or perovskite(), axes)


TI = Axis("Ti_z", {"Ti_z": 1.0}, 0.45, 0.55, 11, 0.5)
OXYGEN = Axis("O_z", {"O1_z": 1.0, "O2_z": 1.0}, -0.1, 0.1, 9, 0.0)
RATIO = Axis("c/a", {"c/a": 1.0}, 1.0, 1.1, 6, 4.15 / 3.9)
VOLUME = Axis("volume", {"volume": 1.0}, 11.5, 13.5, 5, 3.9 * 3.9 * 4.15 / 5)


def test_metric_of_wyckoff_coordinates():
    metric = displacement_metric(make_slice(TI, OXYGEN))
    c2 = 4.15**2
    # one of five atoms moves, three of five move: mean square less the square of the mean
    assert metric[0, 0] == pytest.approx(c2 * (1 / 5 - 1 / 25))
    assert metric[1, 1] == pytest.approx(c2 * (3 / 5 - 9 / 25))
    assert metric[0, 1] == pytest.approx(-c2 * 3 / 25)
    geometry = grid_geometry(make_slice(TI, OXYGEN))
    assert geometry.metric[0, 0] == pytest.approx(metric[0, 0] * 0.01**2)
    assert geometry.periods == (None, None)


def test_moving_everything_but_one_atom_is_moving_that_atom():
    everything = Axis("rest", {"Ti_z": 1.0, "O1_z": 1.0, "O2_z": 1.0}, -0.1, 0.1, 5, 0.0)
    rest = displacement_metric(make_slice(everything, TI))[0, 0]
    assert rest == pytest.approx(4.15**2 * (1 / 5 - 1 / 25))


def test_metric_does_not_depend_on_the_cell():
    # zircon's group, body-centred: primitive and conventional cells differ
    sites = [("Ti", (0, 0, 0)), ("O", (0, 0, 0.207))]
    crystal = Crystal.from_sites([3.79, 3.79, 9.51, 90, 90, 90], standard_hall_number(141), sites)
    axes = Axis("O_z", {"O_z": 1.0}, 0.18, 0.23, 6, 0.207), Axis("c", {"c": 1.0}, 9, 10, 6, 9.51)
    slice_ = Slice(crystal, axes)
    one, other = (tangents(slice_, [[0.2, 9.4]], primitive=p).metric()[0] for p in (True, False))
    assert np.allclose(one, other)


def test_strain_is_measured_by_neighbours_moving_apart():
    slice_ = make_slice(VOLUME, RATIO)
    metric = displacement_metric(slice_)
    volume = 3.9 * 3.9 * 4.15 / 5
    spacing = np.cbrt(volume)
    # dV/V = 3 de along each of three axes; neighbours at l move by l de in every direction
    assert np.sqrt(metric[0, 0]) == pytest.approx(spacing / (3 * volume), rel=1e-5)
    assert metric[0, 1] == pytest.approx(0, abs=1e-6)  # a traceless strain is orthogonal
    assert (np.linalg.eigvalsh(metric) > 0).all()


@pytest.mark.parametrize(
    ("points", "stop", "expected"), [(12, 11 / 12, 12), (13, 1.0, 12), (12, 0.5, None)]
)
def test_periods_of_axes(points, stop, expected):
    axis = Axis("Ti_z", {"Ti_z": 1.0}, 0.0, stop, points, 0.5, period=1.0)
    assert axis_period(axis) == expected
    assert axis_period(Axis("Ti_z", {"Ti_z": 1.0}, 0.0, stop, points, 0.5)) is None


@pytest.mark.parametrize("axes", [(TI, OXYGEN), (TI, RATIO), (VOLUME, OXYGEN), (VOLUME, RATIO)])
def test_forces_along_axes_are_slopes_of_the_energy(axes):
    """Projected forces and stress against central differences of the model's energy."""
    slice_ = make_slice(*axes)
    model = PairModel()
    values = np.array([[a.start + 0.4 * (a.stop - a.start) for a in axes]])
    here = slice_.structures_at(values)
    answer = model.predict(here, forces=True, stresses=True)
    found = tangents(slice_, values).generalized_forces(
        answer.forces.reshape(1, -1, 3), answer.stresses
    )[0]
    for k, axis in enumerate(axes):
        h = 1e-4 * (axis.stop - axis.start)
        sides = values + np.outer([-h, h], np.eye(2)[k])
        low, high = model.energies(slice_.structures_at(sides))
        assert found[k] == pytest.approx(-(high - low) / (2 * h), rel=1e-5, abs=1e-6)
    without = tangents(slice_, values).generalized_forces(answer.forces.reshape(1, -1, 3))[0]
    for k, axis in enumerate(axes):
        assert np.isnan(without[k]) == (axis in (RATIO, VOLUME))


def reference_from(model, slice_, stress=False):
    structures = slice_.structures()
    answer = model.predict(structures, forces=True)
    n_atoms = structures.n_atoms[0]
    forces = answer.forces.reshape(*slice_.shape, n_atoms, 3).copy()
    forces[0, 0] = np.nan
    stresses = None
    if stress:
        stresses = model.predict(structures, stresses=True).stresses.reshape(*slice_.shape, 3, 3)
    return LandscapeReference(
        "PbTiO3-P4mm",
        slice_,
        (answer.energies / n_atoms).reshape(slice_.shape),
        forces,
        np.zeros(slice_.shape, bool),
        np.ones(slice_.shape, bool),
        {"functional": "LJ"},
        {},
        stresses,
    )


class Soft(PairModel):
    """Every energy and force is four fifths of what it should be."""

    def evaluate(self, numbers, positions, cell):
        return tuple(0.8 * part for part in super().evaluate(numbers, positions, cell))


def test_comparison_of_forces():
    slice_ = make_slice(TI, OXYGEN)
    reference = reference_from(PairModel(), slice_)
    same = compare_forces(reference, PairModel(), window=10.0)
    assert measured(OF_FORCES, *same.known)["force_mae"] == pytest.approx(0, abs=1e-9)
    assert same.compared == 2 * (11 * 9 - 1)
    soft = compare_forces(reference, Soft(), window=10.0)
    metrics = measured(OF_FORCES, *soft.known)
    assert metrics["force_softening"] == pytest.approx(0.8)
    assert metrics["relative_force_error"] == pytest.approx(0.2)
    errors = np.abs(soft.reference.along[soft.inside]) * 0.2
    assert metrics["force_mae"] == pytest.approx(errors.mean())
    assert metrics["force_rmse"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert metrics["max_force_error"] == pytest.approx(errors.max())
    # slopes of the grid itself, in the middle of it
    slope = -1000 * np.gradient(reference.energies, axis=0)[5, 4]
    assert soft.reference.per_step[5, 4, 0] == pytest.approx(slope, rel=0.05, abs=0.05)
    near = compare_forces(reference, Soft(), window=0.05)
    assert near.inside.sum() < soft.inside.sum()
    empty = compare_forces(reference, Soft(), window=-1.0)
    nothing = measured(OF_FORCES, *empty.known)
    assert nothing.pop("n_forces") == empty.compared == 0
    assert np.isnan(list(nothing.values())).all()


def test_forces_along_a_strained_axis_are_unknown_without_stress():
    slice_ = make_slice(TI, RATIO)
    forces = np.zeros((*slice_.shape, 5, 3))
    along = axis_forces(slice_, forces).along
    assert (along[..., 0] == 0).all()
    assert np.isnan(along[..., 1]).all()
    stressed = axis_forces(slice_, forces, np.zeros((*slice_.shape, 3, 3)))
    assert (stressed.along == 0).all()


@settings(deadline=None, max_examples=20)
@given(st.floats(0.45, 0.55), st.floats(-0.1, 0.1), st.floats(1.0, 1.1))
def test_crystal_at_a_point_of_a_slice(ti, oxygen, ratio):
    for axes, values in (((TI, OXYGEN), (ti, oxygen)), ((TI, RATIO), (ti, ratio))):
        slice_ = make_slice(*axes)
        crystal = crystal_at(slice_, values)
        built = slice_.structures_at(np.array([values]))
        assert np.allclose(crystal.to_atoms(primitive=True).positions, built.positions, atol=1e-9)
        assert np.allclose(crystal.lattice, built.cells[0], atol=1e-9)


def test_coordination_numbers_of_known_crystals():
    salt = Crystal.from_sites(
        [5.64] * 3 + [90] * 3, standard_hall_number(225), [("Na", (0, 0, 0)), ("Cl", (0.5, 0, 0))]
    ).to_atoms(primitive=True)
    numbers = coordination_numbers(salt.numbers, salt.positions, salt.cell.array, ratio=1.2)
    assert numbers[11, 17] == numbers[17, 11] == 6
    assert numbers[17, 17] == 0
    diamond = Crystal.from_sites(
        [3.567] * 3 + [90] * 3, standard_hall_number(227), [("C", (0, 0, 0))]
    ).to_atoms()
    assert coordination_numbers(diamond.numbers, diamond.positions, diamond.cell.array) == {
        (6, 6): 4.0
    }


def test_description_of_an_environment():
    slice_ = make_slice(TI, OXYGEN)
    (here,) = describe_points(slice_, [(10, 0)], (5, 4))
    # Ti up by 0.05 and O down by 0.1 of 4.15 angstrom
    assert here.closest.elements in (("Ti", "O"), ("O", "Ti"))
    assert here.closest.distance == pytest.approx((0.5 - 0.15) * 4.15, abs=1e-6)
    assert here.closest_before.ratio > here.closest.ratio
    # four oxygens of the TiO2 layer come within 1.25 times the radii of lead
    assert str(here.coordination[0]) == "Pb has 4 O neighbours, not 0"
    assert str(here).startswith("Ti-O 1.453 angstrom, 0.64 of the covalent radii")
    structure = slice_.structures().arrays(0)
    assert describe_environment(structure, structure).coordination == ()


def test_regions():
    chosen = np.zeros((6, 7), bool)
    chosen[0, 0] = chosen[1, 1] = chosen[5, 3] = chosen[3, 6] = True
    assert [len(r) for r in regions(chosen)] == [2, 1, 1]
    assert regions(np.zeros((3, 3), bool)) == []
    chosen[0, 6] = True
    assert [len(r) for r in regions(chosen, (False, True))] == [3, 1, 1]
    chosen[5, 2] = chosen[5, 1] = True  # meets (0, 0) across the first axis
    assert [len(r) for r in regions(chosen, (True, True))] == [6, 1]
    assert [len(r) for r in regions(chosen, (True, False))] == [5, 1, 1]


def test_wrapping_of_positions():
    geometry = GridGeometry(np.eye(2), (4, None))
    assert geometry.wrap(np.array([-0.5, -0.5])).tolist() == [3.5, -0.5]
    assert geometry.distance((0.0, 0.0), (3.0, 3.0)) == pytest.approx(np.hypot(1, 3))


def test_an_axis_that_strains_the_cell_needs_the_stress_of_both():
    slice_ = make_slice(TI, RATIO)
    n = slice_.shape[0] * slice_.shape[1] - 1
    whole = reference_from(PairModel(), slice_, stress=True)
    both = compare_forces(whole, Soft(), window=10.0)
    assert both.compared == 2 * n
    metrics = measured(OF_FORCES, *both.known)
    assert metrics["force_softening"] == pytest.approx(0.8)
    assert metrics["relative_force_error"] == pytest.approx(0.2)
    without = reference_from(PairModel(), slice_)
    for reference, model in ((without, Soft()), (whole, WithoutStress())):
        assert compare_forces(reference, model, window=10.0).compared == n
