"""Every question of topology, symmetry and forces, asked as the suite asks it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from contracts_models import NonConservative, NotExtensive, PairModel, Step, WithoutStress

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.crystal.spacegroup import standard_hall_number
from symscape.errors import ModelError
from symscape.models.cache import EnergyCache
from symscape.models.evaluate import Evaluator
from symscape.questions.registry import question_named
from symscape.references.reference import LandscapeReference
from symscape.science.landscape.slice_energies import evaluate_slice
from symscape.suite.slice_case import LandscapeCase
from symscape.verdict.tolerances import load_tolerances

QUESTIONS = ("minima", "saddles", "smoothness", "forces", "invariance", "conservative_forces")


class WithoutForces(PairModel):
    implements = frozenset({"energy"})


class Fragile(PairModel):
    """Gives up on compressed cells."""

    def evaluate(self, numbers, positions, cell):
        if abs(np.linalg.det(cell)) < 60:
            raise RuntimeError("too dense")
        return super().evaluate(numbers, positions, cell)


@pytest.fixture(scope="module")
def reference():
    """Rutile under the pair potential, which stands in for DFT."""
    sites = [("Ti", (0, 0, 0)), ("O", (0.305, 0.305, 0))]
    crystal = Crystal.from_sites([4.6, 4.6, 2.96, 90, 90, 90], standard_hall_number(136), sites)
    axes = (
        Axis("O_x", {"O_x": 1.0}, 0.27, 0.34, 8, 0.305),
        Axis("c", {"c": 1.0}, 2.7, 3.2, 9, 2.96),
    )
    the_slice = Slice(crystal, axes)
    answer = PairModel().predict(the_slice.structures(), forces=True)
    return LandscapeReference(
        "TiO2-P4_2-mnm",
        the_slice,
        (answer.energies / 6).reshape(8, 9),
        answer.forces.reshape(8, 9, 6, 3),
        the_slice.mask,
        np.ones((8, 9), bool),
        {"functional": "pairs"},
        {},
    )


def case(model, reference, question="energies"):
    # a session without a terminal, as in a worker
    config = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda name: None))
    session = SimpleNamespace(
        config=config,
        tolerances=load_tolerances(),
        cache=None,
        settings=SimpleNamespace(figures=()),
        evaluator=Evaluator,
        evaluate=lambda m, r: evaluate_slice(m, r.slice, r.valid),
    )
    return LandscapeCase(session, model, reference, question_named(question))


def ask(model, reference, question):
    return case(model, reference, question).judge()


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q != "saddles"])
def test_a_model_that_is_the_reference_passes(question, reference):
    result = ask(PairModel(), reference, question)
    assert result.passed
    assert result.checks
    assert result.question == question
    assert result.fingerprint == "PairModel"
    assert result.seconds > 0
    assert reference.minimum_crystal.symbol == "P4_2/mnm"


def test_a_surface_with_one_minimum_has_no_saddle_to_judge(reference):
    with pytest.raises(pytest.skip.Exception, match="no saddle"):
        ask(PairModel(), reference, "saddles")


@pytest.mark.parametrize(
    ("model", "question", "metric"),
    [
        (NotExtensive, "invariance", "supercell"),
        (NonConservative, "conservative_forces", "force_gradient"),
        (NonConservative, "forces", "force_softening"),
    ],
)
def test_broken_models_fail_the_question_that_asks_for_it(model, question, metric, reference):
    result = ask(model(), reference, question)
    assert result.status == "failed"
    assert metric in {check.metric for check in result.checks if not check.passed}


def test_a_step_fails_smoothness(reference):
    strong = type("StrongStep", (Step,), {"where": 2.87})
    result = ask(strong(), reference, "smoothness")
    assert result.metrics["max_jump"] > 0.3
    assert {line.name for line in result.detail.lines} == {"O_x", "c", "diagonal"}


def test_models_without_forces_or_stress(reference):
    for question in ("forces", "conservative_forces"):
        with pytest.raises(pytest.skip.Exception, match="no forces"):
            ask(WithoutForces(), reference, question)
    result = ask(WithoutStress(), reference, "conservative_forces")
    assert {check.metric for check in result.checks} == {"symmetric_forces", "force_gradient"}
    assert any("stress strain not checked" in text for text in result.warnings)


def test_a_potential_with_a_cache_says_what_failed(reference, tmp_path):
    cache = EnergyCache(tmp_path)
    structures = reference.slice.structures()[:3]
    model = PairModel()
    first = Evaluator(model, cache).predict(structures, forces=True)
    assert np.allclose(first.energies, model.energies(structures))
    calls = model.calls
    again = Evaluator(model, cache).predict(structures, forces=True)
    assert model.calls == calls
    assert np.array_equal(again.forces, first.forces)
    with pytest.raises(ModelError, match="WithoutForces gives no forces"):
        Evaluator(WithoutForces()).predict(structures, forces=True)
    with pytest.raises(ModelError, match=r"no answer for 3 .*too dense"):
        Evaluator(Fragile()).energies(structures)
