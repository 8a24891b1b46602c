"""Edited answers that no stored energy decides are found by asking the model again."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from functools import cache, partial

import leaderboard_library as make
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symscape.bulk.pair import PairPotential
from symscape.leaderboard import rerun_relaxed
from symscape.leaderboard.answers import Answers, judge_again
from symscape.leaderboard.library import asked_of
from symscape.leaderboard.recompute import stated_answers
from symscape.leaderboard.rerun import RERUN_AGREEMENT, rerun
from symscape.leaderboard.rerun_cases import (
    LEEWAY,
    ROUNDING,
    Cases,
    agree,
    answered_by_the_model,
    case_differences,
)
from symscape.leaderboard.rerun_relaxed import relaxation_differences
from symscape.models.ase import ASEModel
from symscape.models.card import ModelCard
from symscape.models.evaluate import Evaluator
from symscape.questions.conservative_forces import force_contracts, judge_conservative_forces
from symscape.questions.contracts import CheckedCrystal, MetricResult
from symscape.questions.crystal_cases import judge_crystal_contracts
from symscape.questions.crystal_forces import CRYSTAL_FORCES
from symscape.questions.crystal_invariance import CRYSTAL_INVARIANCE
from symscape.questions.forces import judge_forces
from symscape.questions.invariance import energy_contracts, judge_invariance
from symscape.questions.registry import QUESTIONS, metric_named
from symscape.questions.relaxation import RELAXATION
from symscape.questions.smoothness import judge_smoothness
from symscape.questions.subjects import SystemCrystals
from symscape.science.contracts.scan import scan_slice, smoothness
from symscape.science.hull.phases import formation_energies
from symscape.science.hull.relax import SAME_VOLUME, relax_with
from symscape.science.landscape.forces import compare_forces
from symscape.science.landscape.slice_energies import evaluate_slice
from symscape.verdict.tolerances import load_tolerances

CARD = ModelCard("pair", "ase", "symscape.bulk.pair:PairPotential")
LENIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make.small_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def potential():
    return Evaluator(ASEModel(CARD))


@pytest.fixture(scope="module")
def honest(library, potential):
    """The run of a pair potential: each question judged by its own function."""
    tolerances, cases = load_tolerances("default"), []
    grids = {}
    for key, reference in library.by_slice.items():
        grids[key] = evaluate_slice(potential, reference.slice, reference.valid).energies
        scans = scan_slice(
            lambda values, slice=reference.slice: (
                potential.energies(slice.structures_at(values))
                / slice.structures_at(values).n_atoms
            ),
            reference.slice,
            reference.minimum_values,
        )
        strained = smoothness(potential, reference.minimum_crystal)
        forces = compare_forces(reference, potential, window=0.5)
        cases += [
            judge_smoothness(
                reference, grids[key], tolerances, scans=scans, strained=strained, model="pair"
            ),
            judge_forces(reference, forces, tolerances, model="pair"),
            judge_invariance(reference, potential, tolerances, model="pair"),
            judge_conservative_forces(reference, potential, tolerances, model="pair"),
        ]
    cases += crystal_contracts(library, potential, tolerances)
    structures = library.crystals.structures
    energies = potential.evaluate(structures).energies / structures.n_atoms
    formation = formation_energies(library.described.assign(energy=energies))
    ids = list(library.described["id"])
    outcomes = [relax_with(c.to_atoms(), PairPotential()) for c in library.crystals.crystals]
    answers = Answers(
        CARD, grids, dict(zip(ids, formation, strict=True)), dict(zip(ids, outcomes, strict=True))
    )
    cases += judge_again(answers, library, tolerances, "pair").values()
    return replace(make.whole_run(library, "pair"), cases=tuple(cases))


def crystal_contracts(library, potential, tolerances):
    """Cases about contracts on the crystals of each chemical system."""
    for question, contracts in (
        (CRYSTAL_INVARIANCE, energy_contracts()), (CRYSTAL_FORCES, force_contracts()),
    ):  # fmt: skip
        for system in sorted({c.system for c in library.crystals.crystals}):
            found = [
                CheckedCrystal(
                    c.id,
                    tuple(
                        MetricResult(one.metric, one.contract(potential, c.crystal))
                        for one in contracts
                    ),
                )
                for c in library.crystals.crystals
                if c.system == system
            ]
            yield judge_crystal_contracts(
                question, SystemCrystals(system), found, tolerances, model="pair"
            )


@pytest.fixture(scope="module")
def again(honest, library, potential):
    """The model's answers, each computed once."""
    return cache(Cases(honest, library, potential).again)


def drawn(run, library):
    return [asked for own in answered_by_the_model(run, library).values() for asked in own]


def test_an_honest_run_agrees_on_every_question_that_needs_the_model(honest, library, again):
    asked = drawn(honest, library)
    answered = {question for question, *_ in asked}
    needing = {
        name
        for name, question in QUESTIONS.items()
        if question.about != "curves" and (question.needs != {"energy"} or question.scoring is None)
    }
    assert answered == needing - {RELAXATION.name} | {"smoothness", "invariance"}
    assert list(case_differences(honest, again, asked)) == []


def edited(run, asked, change):
    """The run with the metrics of a case changed by a function of a copy of them."""
    cases = []
    for case in run.cases:
        if asked_of(case) == asked:
            metrics = copy.deepcopy(case.metrics)
            change(metrics)
            case = replace(case, metrics=metrics)
        cases.append(case)
    return replace(run, cases=tuple(cases))


@settings(**LENIENT, max_examples=60)
@given(data=st.data(), by=st.floats(1.01, 1e3), side=st.sampled_from((-1.0, 1.0)))
def test_any_metric_that_was_edited_is_named(honest, library, again, data, by, side):
    """Of forces, invariance, gradients and fine lines, whatever is edited."""
    asked = data.draw(st.sampled_from(drawn(honest, library)))
    case = next(c for c in honest.cases if asked_of(c) == asked)
    name = data.draw(st.sampled_from(sorted(case.metrics)))
    metric, true = metric_named(name), float(case.metrics[name])
    least = 1.0 if metric.counts else max(ROUNDING[metric.unit], LEEWAY * abs(true))
    new = data.draw(st.sampled_from(("other", "gone", "nan")))
    # as far off as the larger of the two allows, and a little more
    other = true + side * by * least / (1 - LEEWAY) if not math.isnan(true) else by

    def change(metrics):
        if new == "gone":
            del metrics[name]
        else:
            metrics[name] = other if new == "other" or math.isnan(true) else math.nan

    lied = edited(honest, asked, change)
    found = list(case_differences(lied, again, drawn(lied, library)))
    if name == "max_roughness":
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(f"{name} in {asked} is ")


@pytest.mark.parametrize("question", ["invariance", "smoothness", "forces"])
def test_a_metric_that_the_model_has_not_is_named(honest, library, again, question):
    asked = next(a for a in drawn(honest, library) if a.question == question)
    lied = edited(honest, asked, lambda metrics: metrics.update(made_up=0.0))
    found = list(case_differences(lied, again, [asked]))
    assert found == [f"made_up in {asked} is 0, but the model gives none"]


@settings(**LENIENT, max_examples=2)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_small_share_finds_a_question_that_was_edited_everywhere(
    honest, library, potential, seed
):
    """Whatever the seed: of each question one case at least is asked."""
    lied = honest
    for asked in drawn(honest, library):
        if asked.question == "forces":
            lied = edited(lied, asked, lambda metrics: metrics.update(relative_force_error=0.0))
    found = rerun(lied, library, potential, share=0.01, seed=seed)
    assert [p for p in found.problems if p.startswith("relative_force_error in forces of")]
    assert found.n_cases == len(answered_by_the_model(honest, library))


def test_what_the_model_does_not_answer_is_named(honest, library, potential):
    """A file with forces, of a model that has none."""

    class Silent(ASEModel):
        implements = frozenset({"energy"})

    silent = Silent(CARD)
    asked = [a for a in drawn(honest, library) if a.question in ("forces", "crystal_forces")]
    found = list(case_differences(honest, Cases(honest, library, Evaluator(silent)).again, asked))
    assert found == [f"{a} is answered in the file, but the model gives no answer" for a in asked]


def test_counts_are_equal_and_nothing_stands_for_nothing():
    count, energy = metric_named("rough_points"), metric_named("max_jump")
    assert agree(count, 2.0, 2.0)
    assert not agree(count, 2.0, 3.0)
    assert agree(energy, 0.001, 0.015)
    assert not agree(energy, 0.001, 0.05)
    assert agree(energy, 5.0, 5.04)
    assert not agree(energy, 5.0, 5.2)
    assert agree(energy, math.nan, math.nan)
    assert not agree(energy, math.nan, 0.0)
    assert not agree(energy, None, 0.0)


# -- relaxations ---------------------------------------------------------------------------------


def other_relaxation(relaxed, kind, by):
    """The same crystal, ending elsewhere than it does."""
    if kind == "energy":
        return replace(
            relaxed,
            energy_fixed=relaxed.energy_fixed + by * RERUN_AGREEMENT / 1000,
            energy_free=relaxed.energy_free + by * RERUN_AGREEMENT / 1000,
        )
    if kind == "volume":
        return replace(relaxed, volume_change=relaxed.volume_change + by * SAME_VOLUME)
    if relaxed.kept_symmetry:
        return replace(relaxed, space_group_free=1, energy_free=relaxed.energy_fixed - 0.01)
    return replace(relaxed, space_group_free=relaxed.space_group)


@settings(**LENIENT, max_examples=4)
@given(
    data=st.data(),
    kind=st.sampled_from(("energy", "volume", "symmetry")),
    by=st.floats(1.5, 50.0) | st.floats(-50.0, -1.5),
)
def test_a_relaxation_that_was_edited_is_named(honest, library, potential, data, kind, by):
    answers = stated_answers(honest, library)
    ids = list(library.described["id"])
    k = data.draw(st.integers(0, len(ids) - 1))
    lied = other_relaxation(answers.relaxed[ids[k]], kind, by)
    answers = replace(answers, relaxed={**answers.relaxed, ids[k]: lied})
    found = list(relaxation_differences(answers, library, potential, np.array([k]), 1.0))
    assert len(found) == 1
    assert found[0].startswith(f"the relaxation of {ids[k]}: the model gives ")


def test_honest_relaxations_agree(honest, library, potential):
    answers = stated_answers(honest, library)
    everything = np.arange(len(library.described))
    found = relaxation_differences(answers, library, potential, everything, RERUN_AGREEMENT)
    assert list(found) == []


def test_an_end_that_other_starts_reach_is_the_models(honest, library, monkeypatch):
    """Rounding chooses among the minima around a crystal: any of them may be stated."""
    answers = stated_answers(honest, library)
    name = library.described["id"][0]
    here = answers.relaxed[name]
    there = replace(here, energy_fixed=here.energy_fixed - 0.1, volume_change=-0.2)
    answers = replace(answers, relaxed={**answers.relaxed, name: there})

    def relaxed(atoms, potential, ends):
        volume = library.crystals.crystals[0].to_atoms().get_volume()
        changes = [(1 - 0.2) * volume / each.get_volume() - 1 for each in atoms]
        if len(atoms) == 1:
            return [here]
        return [replace(there, volume_change=c) if ends else here for c in changes]

    for ends, problems in ((True, 0), (False, 1)):
        monkeypatch.setattr(rerun_relaxed, "relax_many", partial(relaxed, ends=ends))
        found = relaxation_differences(answers, library, None, np.array([0]), RERUN_AGREEMENT)
        assert len(list(found)) == problems
