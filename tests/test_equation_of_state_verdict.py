"""Verdicts about equations of state and prototypes, on curves in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from curve_models import REFERENCES, all_electron
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.questions.equation_of_state import judge_equation_of_state
from symscape.questions.known import NotJudged
from symscape.questions.notes import BehindRow
from symscape.questions.prototype_differences import judge_prototype_differences
from symscape.questions.records import plain_case, read_case
from symscape.questions.subjects import ElementalPrototype, subject_of
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import ELEMENTAL, load_equations
from symscape.science.equation_of_state.comparable import F_ELEMENTS
from symscape.science.equation_of_state.groups import element_groups
from symscape.verdict.tolerances import PROFILES, load_tolerances

EQUATIONS = load_equations([REFERENCES])
GROUP_4 = EQUATIONS[np.isin(EQUATIONS.elements, (22, 40, 72))]
ELEMENTS = EQUATIONS[~EQUATIONS.oxide & ~np.isin(EQUATIONS.elements, list(F_ELEMENTS))]
TOLERANCES = load_tolerances()


def group_4(curves, **known):
    arguments = {"missing": [], "digest": "d", **known}
    return judge_equation_of_state(
        GROUP_4, curves, subject_of("group-4", "Ti-Zr-Hf"), TOLERANCES, model="m", **arguments
    )


def prototypes(energies, prototype="BCC", equations=ELEMENTS, **known):
    arguments = {"missing": [], "digest": "d", **known}
    return judge_prototype_differences(
        equations, energies, ElementalPrototype(prototype), TOLERANCES, model="m", **arguments
    )


def changed(curves, **factors):
    return BirchMurnaghan(
        *(
            getattr(curves, name) * factors.get(name, 1.0)
            for name in ("energy", "volume", "bulk_modulus", "derivative")
        )
    )


def failed(result):
    return {check.metric for check in result.checks if not check.passed}


def test_the_reference_itself_is_right():
    result = group_4(all_electron(GROUP_4))
    assert result.passed
    assert result.metrics["epsilon"] == pytest.approx(0, abs=1e-8)
    assert result.metrics["good_share"] == 1
    for prototype in ELEMENTAL:
        result = prototypes(all_electron(ELEMENTS).energy, prototype)
        assert result.passed, failed(result)
        assert result.metrics["mae"] == pytest.approx(0, abs=1e-6)
        assert result.metrics["n_differences"] > 25


@settings(deadline=None, max_examples=50)
@given(volume=st.floats(0.85, 1.15), bulk_modulus=st.floats(0.5, 2.0))
def test_errors_are_those_that_were_made(volume, bulk_modulus):
    result = group_4(changed(all_electron(GROUP_4), volume=volume, bulk_modulus=bulk_modulus))
    metrics = result.metrics
    assert metrics["volume_bias"] == pytest.approx(100 * (volume - 1))
    assert metrics["volume_error"] == pytest.approx(100 * abs(volume - 1))
    assert metrics["bulk_modulus_error"] == pytest.approx(100 * abs(bulk_modulus - 1))
    assert ("volume_error" in failed(result)) == (metrics["volume_error"] > 3)
    assert ("bulk_modulus_error" in failed(result)) == (metrics["bulk_modulus_error"] > 15)
    assert result.passed == (not failed(result))


@settings(deadline=None, max_examples=50)
@given(shift=st.floats(-20, 20))
def test_a_models_zero_means_nothing(shift):
    curves = all_electron(ELEMENTS)
    # a zero of its own for each element, as all-electron codes and models have
    energies = curves.energy + shift * ELEMENTS.elements / 10
    assert prototypes(energies).metrics["mae"] == pytest.approx(0, abs=1e-6)


@settings(deadline=None, max_examples=50)
@given(scale=st.floats(-1.0, 2.0), prototype=st.sampled_from(ELEMENTAL))
def test_the_slope_is_the_one_that_was_made(scale, prototype):
    energies = scale * all_electron(ELEMENTS).energy
    result = prototypes(energies, prototype)
    detail = result.detail
    assert result.metrics["softening_scale"] == pytest.approx(scale, abs=1e-9)
    dft = np.array([d.dft for d in detail.differences])
    assert (dft > 0).all()
    assert (dft <= 1000).all()
    assert all(d.dft > d.spread for d in detail.differences)
    assert result.metrics["mae"] == pytest.approx(abs(scale - 1) * dft.mean(), abs=1e-2)
    assert result.metrics["mean_signed_error"] == pytest.approx((scale - 1) * dft.mean(), abs=1e-2)
    assert result.metrics["wrong_order_share"] == (1.0 if scale < 0 else 0.0)
    if not 0.85 <= scale <= 1.15:
        assert "softening_scale" in failed(result)


def test_a_crystal_without_a_minimum_fails_its_case_and_is_named():
    curves = all_electron(GROUP_4)
    k = GROUP_4.ids.index("Zr-XO2")
    for values in (curves.energy, curves.volume, curves.bulk_modulus, curves.derivative):
        values[k] = np.nan
    result = group_4(curves)
    assert failed(result) == {"without_minimum"}
    assert result.notes.behind["without_minimum"] == (BehindRow("Zr-XO2", None),)
    energies = all_electron(ELEMENTS).energy
    energies[ELEMENTS.ids.index("Ti-BCC")] = np.nan
    assert failed(prototypes(energies)) == {"without_minimum"}


def test_a_model_without_any_minimum_is_red_throughout():
    nothing = np.full(len(GROUP_4), np.nan)
    result = group_4(BirchMurnaghan(*4 * [nothing]))
    assert {"epsilon", "volume_error", "bulk_modulus_error", "without_minimum"} <= failed(result)
    result = prototypes(np.full(len(ELEMENTS), np.nan))
    assert {"mae", "softening_scale", "wrong_order_share", "without_minimum"} <= failed(result)


def test_crystals_without_energy_fail_a_case_that_is_right_otherwise():
    result = group_4(all_electron(GROUP_4), missing=["Ti-X2O"])
    assert failed(result) == {"failed_crystals"}
    assert "no energy of Ti-X2O" in result.warnings


def test_reports_read_what_the_verdict_wrote():
    entry = NotJudged("the training data have no Ra", ("Ra-BCC",))
    result = group_4(all_electron(GROUP_4), not_judged=(entry,))
    detail = read_case(plain_case(result)).detail
    assert [curve.id for curve in detail.curves] == list(GROUP_4.ids)
    assert detail.curves[0].model == detail.curves[0].dft
    assert detail.not_judged == (entry,)


def test_every_group_has_its_elements():
    groups = element_groups(EQUATIONS.elements)
    assert groups["group-4"] == (22, 40, 72)
    assert list(groups) == [f"group-{k}" for k in range(1, 19)]
    members = [number for own in groups.values() for number in own]
    assert len(members) == len(set(members))
    assert set(members) == set(EQUATIONS.elements.tolist()) - F_ELEMENTS


@pytest.mark.parametrize("question", ["equation_of_state", "prototype_differences"])
def test_profiles_are_ordered_by_strictness(question):
    names = {"material": "group-4", "slice": "Ti-Zr-Hf", "model": "m"}
    strict, default, loose = (
        load_tolerances(profile).case(question, **names).limits
        for profile in ("strict", "default", "loose")
    )
    assert set(PROFILES) == {"strict", "default", "loose"}
    assert strict.keys() == default.keys() == loose.keys()
    for metric, (low, high) in default.items():
        assert strict[metric][1] - strict[metric][0] <= high - low
        assert high - low < loose[metric][1] - loose[metric][0]
