"""A tolerance is never tighter than the reference's own error."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symscape.errors import ReferenceFileError
from symscape.questions.energies import judge_energies
from symscape.questions.registry import QUESTIONS
from symscape.references.convergence import CheckedPoint, ConvergenceCheck
from symscape.references.landscape_files import load_reference
from symscape.references.library import find_references
from symscape.verdict.tolerances import PROFILES, load_tolerances

NAMES = {"material": "PbTiO3-P4mm", "slice": "Ti_z-O_z", "model": "any"}


def check_of(*points: tuple[float, float]) -> ConvergenceCheck:
    """A check of points given by stored and checked energy in meV/atom."""
    made = (
        CheckedPoint(i=0, j=k, relative_meV_atom=stored, checked_relative_meV_atom=checked)
        for k, (stored, checked) in enumerate(points)
    )
    return ConvergenceCheck(cutoff_eV=700.0, k_density_A=4.0, points=tuple(made))


@given(
    profile=st.sampled_from(PROFILES),
    name=st.sampled_from(sorted(QUESTIONS)),
    budget=st.floats(0, 1e4),
)
def test_no_limit_on_a_difference_from_dft_is_tighter_than_the_budget(profile, name, budget):
    question = QUESTIONS[name]
    plain = load_tolerances(profile).case(name, **NAMES)
    widened = plain.no_tighter_than(budget, question)
    assert widened.limits.keys() == plain.limits.keys()
    assert widened.settings == plain.settings
    for metric in question.metrics:
        if metric.name not in plain.limits:
            continue
        (low, high), (old_low, old_high) = widened.limits[metric.name], plain.limits[metric.name]
        if not (question.compares_energies and metric.unit == "meV/atom") or metric.ideal is None:
            assert (low, high) == (old_low, old_high)
            continue
        # never tighter than before either, and open where it was open
        assert (low is None, high is None) == (old_low is None, old_high is None)
        assert low is None or low <= min(old_low, metric.ideal - budget)
        assert high is None or high >= max(old_high, metric.ideal + budget)


def test_budget_is_taken_from_the_judged_energies():
    check = check_of((0, 0), (100, 98), (480, 483), (900, 870))
    assert check.error_budget == pytest.approx(3)
    assert check.largest_difference == pytest.approx(30)


def test_an_error_within_the_budget_passes_and_one_beyond_fails(toy_reference):
    """A model as good as the reference can be passes, whatever the profile says."""
    strict = load_tolerances("strict")
    limit = strict.case("energies", **NAMES).limits["mae"][1]
    sign = np.where(np.indices(toy_reference.energies.shape).sum(axis=0) % 2, 1, -1)
    model = np.where(toy_reference.valid, toy_reference.energies + 1.5e-3 * limit * sign, np.nan)
    model[toy_reference.minimum] = toy_reference.energies[toy_reference.minimum]
    sloppy = replace(toy_reference, convergence=check_of((0, 0), (100, 100 + 2 * limit)))
    exact = replace(toy_reference, convergence=check_of((0, 0), (100, 100)))
    judged = [judge_energies(r, model, strict, model="any") for r in (sloppy, exact)]
    mae = [next(c for c in result.checks if c.metric == "mae") for result in judged]
    assert [check.passed for check in mae] == [True, False]
    assert mae[0].limit[1] == pytest.approx(2 * limit)
    assert any("DFT's own relative energies" in w for w in judged[0].warnings)
    assert not judged[1].warnings


@pytest.mark.parametrize(
    "stored",
    [
        [1],
        {"cutoff_eV": 700},
        {"cutoff_eV": 700, "k_density_A": 4, "points": []},
        {"cutoff_eV": 700, "k_density_A": 4, "points": [{"i": 0, "j": 0}] * 3},
        {
            "cutoff_eV": 700,
            "k_density_A": math.nan,
            "points": [
                {"i": 0, "j": j, "relative_meV_atom": 0, "checked_relative_meV_atom": 0}
                for j in range(3)
            ],
        },
    ],
)
def test_a_check_that_is_none_is_refused(toy_document_copy, tmp_path, stored):
    toy_document_copy["provenance"]["convergence"] = stored
    path = tmp_path / "AlCu-Cmcm" / "Al_y-Cu_y.json"
    path.parent.mkdir()
    path.write_text(json.dumps(toy_document_copy))
    with pytest.raises(
        ReferenceFileError,
        match=r"provenance\.convergence.*(needs|missing|not an? )|not valid JSON",
    ) as caught:
        load_reference(path)
    assert str(path) in str(caught.value)


def test_every_stored_reference_has_a_budget():
    for entry in find_references(["references"]):
        reference = load_reference(entry.path)
        assert reference.convergence is not None, entry.path
        assert 0 < reference.error_budget < 15
