"""The questions of topology, symmetry and forces: what passes, what fails, what is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from symscape.questions.contracts import MetricResult, judge_contracts
from symscape.questions.forces import judge_forces
from symscape.questions.invariance import INVARIANCE
from symscape.questions.minima import judge_minima
from symscape.questions.records import plain_case
from symscape.questions.registry import QUESTIONS, metric_named
from symscape.questions.saddles import judge_saddles
from symscape.questions.smoothness import judge_smoothness
from symscape.references.landscape_files import load_reference
from symscape.science.contracts.details import Roughness, Skipped, WorstVariant
from symscape.science.contracts.result import ContractResult
from symscape.science.contracts.scan import measure_line
from symscape.science.landscape.forces import AxisForces, ForceComparison
from symscape.verdict.tolerances import PROFILES, load_tolerances

REFERENCES = Path(__file__).parents[1] / "references"
TOLERANCES = load_tolerances()
NEW = ("minima", "saddles", "smoothness", "forces", "invariance", "conservative_forces")


@pytest.fixture(scope="module")
def lead_titanate():
    return load_reference(REFERENCES / "PbTiO3-P4mm" / "Ti_z-O_z.json")


@pytest.fixture(scope="module")
def phosphorus():
    return load_reference(REFERENCES / "P-Cmce" / "P_y-P_z.json")


def failed(result):
    return {check.metric for check in result.checks if not check.passed}


def scans(jump=0.0):
    x = np.arange(100) * 0.005
    return [measure_line("Ti_z", x, x**2 + jump * (x > 0.3), np.stack([x, x], axis=1))]


@pytest.mark.parametrize("question", NEW)
def test_every_profile_judges_every_question(question):
    names = {"material": "x", "slice": "y", "model": "z"}
    limits = {p: load_tolerances(p).case(question, **names).limits for p in PROFILES}
    assert limits["strict"].keys() == limits["default"].keys() == limits["loose"].keys()
    for metric, (low, high) in limits["default"].items():
        assert metric in QUESTIONS[question].units
        width = high - low
        strict, loose = (limits[p][metric][1] - limits[p][metric][0] for p in ("strict", "loose"))
        assert strict < width < loose or (strict == width == loose == 0)


def test_dft_passes_its_own_questions(lead_titanate, phosphorus):
    for reference in (lead_titanate, phosphorus):
        same = reference.energies.copy()
        assert judge_minima(reference, same, TOLERANCES, model="same").passed
        smooth = judge_smoothness(reference, same, TOLERANCES, scans=scans(), model="same")
        assert smooth.passed
    saddles = judge_saddles(lead_titanate, lead_titanate.energies, TOLERANCES, model="same")
    assert saddles.passed
    assert saddles.metrics["matched_saddles"] == 1
    # black phosphorus has one minimum: nothing to ask
    assert judge_saddles(phosphorus, phosphorus.energies, TOLERANCES, model="same") is None


def test_the_double_well_of_lead_titanate(lead_titanate):
    """Two wells that inversion maps on each other, and the known barrier between them."""
    result = judge_minima(lead_titanate, lead_titanate.energies, TOLERANCES, model="same")
    pairs = result.detail.minima
    assert [pair.kind for pair in pairs] == ["matched", "matched"]
    one, other = (pair.reference.values for pair in pairs)
    assert one["Ti_z"] + other["Ti_z"] == pytest.approx(1, abs=1e-6)
    assert one["O_z"] + other["O_z"] == pytest.approx(0, abs=1e-6)
    saddle = judge_saddles(lead_titanate, lead_titanate.energies, TOLERANCES, model="same")
    energy = saddle.detail.saddles[0].reference.energy_meV
    centre = 1000 * lead_titanate.relative[7, 7]  # titanium and oxygen in the mirror plane
    assert energy == pytest.approx(centre, abs=0.5)
    json.dumps(plain_case(result), allow_nan=False)


def test_a_lost_well_fails_minima_and_saddles(lead_titanate):
    i = np.arange(15)[:, None]
    tilted = lead_titanate.energies + 0.03 * i  # steeper than the barrier is on either side
    minima = judge_minima(lead_titanate, tilted, TOLERANCES, model="tilted")
    assert "missing_minima" in failed(minima)
    assert any("missing minimum at Ti_z" in text for text in minima.warnings)
    saddles = judge_saddles(lead_titanate, tilted, TOLERANCES, model="tilted")
    assert failed(saddles) == {"missing_saddles"}


def test_a_spurious_well_is_described(phosphorus):
    dented = phosphorus.energies.copy()
    dented[5, 3] -= 0.8
    result = judge_minima(phosphorus, dented, TOLERANCES, model="dented")
    assert "spurious_minima" in failed(result)
    (spurious,) = [m for m in result.detail.minima if m.kind == "spurious"]
    assert spurious.model.index == (5, 3)
    assert any("P-P" in text and "angstrom" in text for text in result.warnings)


def test_a_low_barrier_fails_saddles_alone(lead_titanate):
    low = np.minimum(lead_titanate.relative, 0.02 + 0.2 * (lead_titanate.relative - 0.02))
    low = np.where(lead_titanate.valid, low, np.nan)
    assert judge_minima(lead_titanate, low, TOLERANCES, model="low").passed
    result = judge_saddles(lead_titanate, low, TOLERANCES, model="low")
    assert failed(result) == {"max_barrier_error"}
    assert result.metrics["mean_barrier_error"] == pytest.approx(-13, abs=1)


def test_settings_of_a_tolerance_file_are_used(lead_titanate, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[minima]\nthreshold = 60\nwindow = 20\nradius = 0.01\n")
    mine = load_tolerances(path)
    shifted = np.roll(lead_titanate.energies, 1, axis=0)
    valid = np.where(np.roll(lead_titanate.valid, 1, axis=0), shifted, np.nan)
    assert judge_minima(lead_titanate, valid, TOLERANCES, model="x").metrics["missing_minima"] == 0
    result = judge_minima(lead_titanate, valid, mine, model="x")
    # a threshold above the barrier leaves one well, and a small radius no partner for it
    assert result.metrics["missing_minima"] == 1


def test_steps_on_the_grid_and_along_lines(lead_titanate):
    stepped = lead_titanate.energies + 0.02 * (np.arange(15)[:, None] > 6)
    result = judge_smoothness(lead_titanate, stepped, TOLERANCES, scans=scans(), model="x")
    assert failed(result) == {"rough_points"}
    assert {p.kind for p in result.detail.rough_points} == {"step"}
    jump = judge_smoothness(
        lead_titanate, lead_titanate.energies, TOLERANCES, scans=scans(0.002), model="x"
    )
    assert failed(jump) == {"max_jump", "max_kink"}
    assert jump.metrics["max_jump"] == pytest.approx(2, abs=0.05)
    assert jump.detail.largest_jump_at == pytest.approx([0.3, 0.3])
    strained = ContractResult(0.9, "meV/atom", Roughness("O_x", 0.0, 1.0, 0.1, 60))
    worse = judge_smoothness(
        lead_titanate,
        lead_titanate.energies,
        TOLERANCES,
        scans=scans(),
        strained=strained,
        model="x",
    )
    assert failed(worse) == {"max_jump"}


def test_without_energy_at_the_minimum_nothing_is_judged(lead_titanate):
    holed = lead_titanate.energies.copy()
    holed[lead_titanate.minimum] = np.nan
    for judge in (judge_minima, judge_saddles):
        result = judge(lead_titanate, holed, TOLERANCES, model="x")
        assert result.status == "error"
        assert "common zero" in result.notes.message
    result = judge_smoothness(lead_titanate, holed, TOLERANCES, scans=scans(), model="x")
    assert result.status == "error"


def test_contracts_that_ask_nothing_are_not_judged(lead_titanate):
    supercell = MetricResult(metric_named("supercell"), ContractResult(0.001, "meV/atom"))
    rotated = ContractResult(0.5, "meV/atom", WorstVariant(6, 3))
    nothing = ContractResult(float("nan"), "meV/atom", Skipped("no two are equivalent"))
    results = (
        MetricResult(metric_named("rotation"), rotated),
        supercell,
        MetricResult(metric_named("equivalent_points"), nothing),
    )
    result = judge_contracts(INVARIANCE, lead_titanate, results, TOLERANCES, model="x")
    assert failed(result) == {"rotation"}
    assert {check.metric for check in result.checks} == {"rotation", "supercell"}
    assert result.warnings == ("equivalent points not checked: no two are equivalent",)
    fine = judge_contracts(INVARIANCE, lead_titanate, [supercell], TOLERANCES, model="x")
    assert fine.passed


def test_forces_are_judged_by_their_ratio_to_dft(lead_titanate):
    rng = np.random.default_rng(0)
    dft = rng.normal(scale=200, size=(15, 15, 2))
    inside = np.ones((15, 15), bool)
    for factor, failures in ((0.95, set()), (0.6, {"relative_force_error", "force_softening"})):
        comparison = ForceComparison(AxisForces(dft, dft), AxisForces(factor * dft, dft), inside)
        result = judge_forces(lead_titanate, comparison, TOLERANCES, model="x")
        assert failed(result) == failures
        assert result.metrics["force_softening"] == pytest.approx(factor)
        assert result.detail is None


def test_arrows_are_kept_on_demand_and_at_equivalent_points(lead_titanate):
    (symmetry,) = lead_titanate.slice.grid_symmetries
    assert symmetry.name == "Ti_z -> 1 - Ti_z, O_z -> -O_z"
    # a landscape that has the symmetry, and its slopes
    u, v = np.meshgrid(np.linspace(-1, 1, 15), np.linspace(-1, 1, 15), indexing="ij")
    whole = -np.stack(np.gradient(100 * (u**4 - 0.3 * u * v + 0.2 * v**2)), axis=-1)
    half = np.where((np.arange(225).reshape(15, 15, 1) < 113), whole, np.nan)
    comparison = ForceComparison(
        AxisForces(whole, half), AxisForces(whole, 0.5 * half), np.ones((15, 15), bool)
    )
    result = judge_forces(lead_titanate, comparison, TOLERANCES, model="x", arrows=True)
    arrows = result.detail.arrows
    np.testing.assert_allclose(arrows.reference, whole, atol=1e-3)
    np.testing.assert_allclose(arrows.model, 0.5 * whole, atol=1e-3)
    nothing = AxisForces(whole, np.full_like(whole, np.nan))
    empty = ForceComparison(nothing, nothing, np.ones((15, 15), bool))
    result = judge_forces(lead_titanate, empty, TOLERANCES, model="x", arrows=True)
    assert plain_case(result)["detail"]["arrows"]["model"][0][0] == [None, None]
