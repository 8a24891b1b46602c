"""A model asked for equations of state, against ASE's own tools for the same potential."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from scipy.optimize import minimize_scalar

from symscape.crystal.structures import Structures
from symscape.models.base import EnergyModel, Prediction
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator
from symscape.models.registry import resolve
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import load_equations
from symscape.science.equation_of_state.compare import epsilon
from symscape.science.equation_of_state.model_curves import ROUNDS, sample_curves

EQUATIONS = load_equations([Path(__file__).parents[1] / "references"])


def chosen(*ids: str):
    """Return the crystals with these ids."""
    return EQUATIONS[np.array([EQUATIONS.ids.index(name) for name in ids])]


class CurveModel(EnergyModel):
    """The all-electron curves themselves, stretched in volume; fails where it is told to."""

    implements = frozenset({"energy"})

    def __init__(self, equations, stretch: float = 1.0, broken: frozenset[int] = frozenset()):
        super().__init__(ModelCard("curve", "test"))
        average = equations.average
        self.curve = BirchMurnaghan(
            average.energy, stretch * average.volume, average.bulk_modulus, average.derivative
        )
        self.broken = broken
        self.asked = 0

    @property
    def fingerprint(self) -> str:
        """Nothing is kept."""
        return ""

    def load(self) -> None:
        """Nothing is to be loaded."""

    def _predict_batch(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        self.asked += len(batch)
        if self.broken & set(batch.numbers.tolist()):
            raise ValueError("no such element")
        volumes = np.abs(np.linalg.det(batch.cells)) / batch.n_atoms
        return Prediction(self.curve.energies(volumes[None])[0] * batch.n_atoms, None, None)


def test_curves_of_a_potential_are_those_that_ase_finds():
    equations = chosen("Cu-FCC", "Al-BCC", "Ag-SC")
    said = sample_curves(Evaluator(resolve("ase.calculators.emt:EMT")), equations)
    assert not said.failures
    for i, (symbol, kind) in enumerate([("Cu", "fcc"), ("Al", "bcc"), ("Ag", "sc")]):

        def energy(volume, symbol=symbol, kind=kind):
            edge = (volume * {"sc": 1, "bcc": 2, "fcc": 4}[kind]) ** (1 / 3)
            atoms = bulk(symbol, kind, a=edge)
            atoms.calc = EMT()
            return atoms.get_potential_energy()

        start = equations.average.volume[i]
        found = minimize_scalar(energy, bounds=(0.75 * start, 1.25 * start), method="bounded")
        assert said.fitted.volume[i] == pytest.approx(found.x, rel=0.01)
        assert said.fitted.energy[i] == pytest.approx(found.fun, abs=0.005)


@pytest.mark.parametrize("stretch", [0.85, 0.95, 1.0, 1.05, 1.15])
def test_a_minimum_elsewhere_is_followed(stretch):
    equations = chosen("Ti-FCC")
    model = CurveModel(equations, stretch)
    said = sample_curves(Evaluator(model), equations)
    assert said.fitted.volume == pytest.approx(stretch * equations.average.volume, rel=1e-9)
    assert said.fitted.derivative == pytest.approx(equations.average.derivative, rel=1e-6)
    assert said.volumes[0, 0] <= said.fitted.volume[0] <= said.volumes[0, -1]
    assert (epsilon(said.fitted, equations.average)[0] < 1e-6) == (stretch == 1.0)
    rounds = 1 if abs(stretch - 1) < 0.06 else 3
    assert model.asked <= 7 * rounds


def test_a_minimum_too_far_off_is_none():
    equations = chosen("Ti-FCC")
    model = CurveModel(equations, 2.0)
    said = sample_curves(Evaluator(model), equations)
    assert np.isnan(said.fitted.volume).all()
    assert np.isfinite(said.energies).all()
    assert model.asked == 7 * ROUNDS
    # the energies are those of the volumes beside them
    np.testing.assert_allclose(said.energies, model.curve.energies(said.volumes))


def test_a_crystal_without_energies_costs_the_others_nothing():
    equations = chosen("Ti-FCC", "Cu-FCC", "Zr-XO")
    said = sample_curves(Evaluator(CurveModel(chosen("Ti-FCC"), broken={29})), equations)
    assert list(said.failures) == [1]
    assert "no such element" in said.failures[1]
    assert np.isfinite(said.fitted.volume[0])
    assert np.isnan(said.fitted.volume[1])
