"""A model on a slice's grid: what is evaluated, what is filled in, what failed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.calculators.emt import EMT
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.decode import encode
from symscape.models.base import EnergyModel, Prediction
from symscape.models.card import ModelCard
from symscape.questions.energies import judge_energies
from symscape.rounding import ENERGY_DECIMALS, NOISE_EV_ATOM
from symscape.science.landscape.slice_energies import evaluate_slice
from symscape.verdict.tolerances import load_tolerances

#: what energies are rounded to, eV/atom
TICK = 10.0**-ENERGY_DECIMALS


class EMTModel(EnergyModel):
    """EMT that counts what it is asked, and fails where it is told to."""

    implements = frozenset({"energy"})

    def __init__(self, fail_at=()):
        super().__init__(ModelCard("emt", "ase"), batch_size=4)
        self.asked = 0
        self.fail_at = fail_at

    @property
    def fingerprint(self):
        return "emt"

    def _predict_batch(self, batch, forces, stresses):
        energies = []
        for atoms in batch:
            self.asked += 1
            if any(np.allclose(atoms.positions, bad) for bad in self.fail_at):
                raise ValueError("no such place")
            atoms.calc = EMT()
            energies.append(atoms.get_potential_energy())
        return Prediction(np.array(energies))


@pytest.fixture(scope="module")
def centred():
    """A slice through a centrosymmetric point, which inversion maps to itself."""
    crystal = Crystal.from_sites(
        [3.0, 3.0, 4.2, 90, 90, 90], 376, [("Pd", (0, 0, 0)), ("Cu", (0.5, 0.5, 0.45))]
    )
    (free,) = crystal.free_coordinates
    height = crystal.lattice[2, 2] / crystal.lattice[0, 0]
    axes = (
        Axis(free.name, {free.name: 1.0}, free.value - 0.05, free.value + 0.15, 9, free.value),
        Axis("c/a", {"c/a": 1.0}, 0.95 * height, 1.05 * height, 3, height),
    )
    return Slice(crystal, axes, 0.5)


def test_energies_are_those_of_a_loop_over_all_points(centred):
    model = EMTModel()
    found = evaluate_slice(model, centred)
    for k, atoms in enumerate(centred.structures(primitive=False)):
        atoms.calc = EMT()
        wanted = atoms.get_potential_energy() / len(atoms)
        assert found.energies[divmod(k, 3)] == pytest.approx(wanted, abs=0.51 * TICK)


def test_equivalent_points_are_asked_for_once(centred):
    model = EMTModel()
    found = evaluate_slice(model, centred)
    classes = len(np.unique(centred.representatives))
    assert model.asked == found.n_evaluated == classes
    # u and 1 - u are one structure upside down: 9 values about the centre make 5
    assert classes == 5 * 3


def test_only_wanted_points_are_asked_for(centred):
    wanted = np.zeros(centred.shape, dtype=bool)
    wanted[0, 0] = wanted[8, 0] = wanted[2, 1] = True
    model = EMTModel()
    found = evaluate_slice(model, centred, wanted)
    assert model.asked == 2
    assert (np.isfinite(found.energies) == wanted).all()
    assert found.energies[0, 0] == found.energies[8, 0]


def test_failures_are_reported_for_every_equivalent_point(centred):
    bad = centred.structures().arrays(0)[1]
    found = evaluate_slice(EMTModel([bad]), centred)
    assert set(found.failures) == {(0, 0), (8, 0)}
    assert all("no such place" in reason for reason in found.failures.values())
    assert np.isnan(found.energies[0, 0])
    assert np.isfinite(found.energies).sum() == 25


def test_the_verdict_names_failed_points_and_goes_on(toy_reference):
    model = EMTModel([toy_reference.structures().arrays(13)[1]])
    found = evaluate_slice(model, toy_reference.slice)
    result = judge_energies(
        toy_reference, found.energies, load_tolerances(), model="emt", failures=found.failures
    )
    assert result.status == "failed"
    (point,) = result.detail.failed_points
    assert point.index == (2, 3)
    assert "no such place" in point.reason
    assert result.windows.by_width["500"]["mae"] == pytest.approx(0, abs=1e-3)


def test_without_an_energy_at_the_minimum_there_is_no_verdict(toy_reference):
    energies = toy_reference.energies.copy()
    energies[toy_reference.minimum] = np.nan
    result = judge_energies(toy_reference, energies, load_tolerances(), model="emt")
    assert result.status == "error"
    assert "no common zero" in result.notes.message


class Listed(EnergyModel):
    """Gives the energies it holds, one structure after the other."""

    implements = frozenset({"energy"})
    fingerprint = "listed"

    def __init__(self, energies):
        super().__init__(ModelCard("listed", "ase"), batch_size=1000)
        self.left = list(energies)

    def _predict_batch(self, batch, forces, stresses):
        return Prediction(np.array([self.left.pop(0) for _ in range(len(batch))]))


#: errors, eV/atom: some where rounding decides on which side of what is noise they are
ERRORS = st.sampled_from([-1.0, 0.0, 1.0]).flatmap(
    lambda sign: st.floats(-2e-6, 2e-6).map(lambda rest: sign * NOISE_EV_ATOM + rest)
)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_verdict_follows_from_the_energies_that_results_hold(toy_reference, data):
    wanted = toy_reference.valid & ~toy_reference.slice.mask
    chosen = np.unique(toy_reference.slice.representatives[wanted])
    errors = data.draw(st.lists(ERRORS, min_size=len(chosen), max_size=len(chosen)))
    n_atoms = toy_reference.slice.structures().n_atoms[chosen]
    totals = (toy_reference.energies.ravel()[chosen] + errors) * n_atoms
    found = evaluate_slice(Listed(totals), toy_reference.slice, toy_reference.valid)
    assert found.energies[wanted] == pytest.approx(toy_reference.energies[wanted], abs=3e-5)
    judged = judge_energies(toy_reference, found.energies, load_tolerances(), model="listed")
    held = np.array(json.loads(json.dumps(judged.energies)), dtype=float)
    again = judge_energies(toy_reference, held, load_tolerances(), model="listed")
    assert encode(again) == encode(judged)
