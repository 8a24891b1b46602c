"""Steps, kinks and ripples: on a grid against a reference, and along fine lines."""

from __future__ import annotations

import numpy as np
import pytest
from contracts_models import PairModel, Step
from hypothesis import given, settings
from hypothesis import strategies as st
from topology_surfaces import double_well, egg_carton, mesh

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.crystal.spacegroup import standard_hall_number
from symscape.science.contracts.result import ContractSettings
from symscape.science.contracts.scan import measure_line, scan_slice, smoothness
from symscape.science.landscape.geometry import GridGeometry
from symscape.science.landscape.smoothness import compare_smoothness, second_difference

X, Y = mesh(np.linspace(-1.5, 1.5, 19), np.linspace(-1.0, 1.0, 15))
REFERENCE = double_well(X, Y)
#: softer, tilted and bent, but smooth
SMOOTH = 0.8 * REFERENCE + 0.01 * X + 0.004 * np.sin(2 * X) * Y


def test_a_smooth_model_is_not_rough_however_wrong():
    for model in (REFERENCE, SMOOTH, 0.3 * REFERENCE, 0.3 * (X**2 + Y**2)):
        result = compare_smoothness(REFERENCE, model)
        assert result.points == ()
        assert not result.points


@pytest.mark.parametrize("height", [0.01, -0.03])
def test_a_step_is_found_where_it_is(height):
    result = compare_smoothness(REFERENCE, SMOOTH + height * (X > 0.05))
    assert result.points
    assert {p.kind for p in result.points} == {"step"}
    # between rows 9 and 10
    assert {p.index[0] for p in result.points} == {9, 10}
    assert abs(result.points[0].excess) == pytest.approx(1500 * abs(height), rel=0.1)


def test_a_kink_and_a_spike():
    kinked = compare_smoothness(REFERENCE, SMOOTH + 0.2 * np.abs(Y))
    assert {p.index[1] for p in kinked.points} == {7}
    assert {p.kind for p in kinked.points} == {"kink"}
    spiked = SMOOTH.copy()
    spiked[5, 6] += 0.02
    result = compare_smoothness(REFERENCE, spiked)
    assert result.points[0].index == (5, 6)
    assert result.points[0].kind == "ripple"
    # a spike of height h: second differences h, -2h, h, against neighbours -3h
    assert result.points[0].excess == pytest.approx(-60, rel=0.1)
    assert result.largest_excess == pytest.approx(60, rel=0.1)


def test_masks_periods_and_high_energies():
    carton = egg_carton(12)
    stepped = carton.copy()
    stepped[0] += 0.02
    periodic = GridGeometry(np.eye(2), (12, 12))
    across = compare_smoothness(carton, 0.9 * stepped, periodic)
    assert {p.index[0] for p in across.points} == {0}
    assert across.points[0].index[0] == 0
    masked = np.where(REFERENCE > 0.2, np.nan, REFERENCE)
    result = compare_smoothness(masked, SMOOTH)
    assert np.isnan(result.score[~np.isfinite(masked)]).all()
    bumpy = SMOOTH + 0.05 * (REFERENCE > 0.3)
    assert compare_smoothness(REFERENCE, bumpy).points
    assert compare_smoothness(REFERENCE, bumpy, window=0.25).points == ()
    nothing = compare_smoothness(np.full((6, 6), np.nan), np.zeros((6, 6)))
    assert (nothing.points, nothing.largest_score, nothing.largest_excess) == ((), 0, 0)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_second_differences_are_those_of_shifted_copies(seed, u, v):
    grid = np.random.default_rng(seed).normal(size=(6, 7))
    result = second_difference(grid, (1, -1), (u, v))
    for i in range(6):
        for j in range(7):
            places = [(i + 1, j - 1), (i - 1, j + 1)]
            inside = all((u or 0 <= a < 6) and (v or 0 <= b < 7) for a, b in places)
            if not inside:
                assert np.isnan(result[i, j])
                continue
            expected = sum(grid[a % 6, b % 7] for a, b in places) - 2 * grid[i, j]
            assert result[i, j] == pytest.approx(expected)


LINE = np.arange(200) * 0.005


def landscape(x):
    return 0.5 * (x - 0.5) ** 2 + 0.02 * np.cos(6 * x) + 0.1 * np.exp(-8 * x)


def test_smooth_lines_have_no_jump():
    result = measure_line("x", LINE, landscape(LINE), LINE)
    assert result.jump < 0.01
    assert result.kink < 0.1
    assert result.ripple < 0.02


@pytest.mark.parametrize("height", [0.0005, -0.004])
def test_a_jump_is_measured(height):
    result = measure_line("x", LINE, landscape(LINE) + height * (LINE > 0.4012), LINE)
    assert result.jump == pytest.approx(1000 * abs(height), abs=0.02)
    assert result.jump_at == 80
    assert result.ripple == pytest.approx(500 * abs(height), rel=0.25)


def test_a_kink_is_no_jump():
    result = measure_line("x", LINE, landscape(LINE) + 0.3 * np.abs(LINE - 0.5), LINE)
    assert result.jump < 0.01
    # on a grid point: the slope changes by 0.6 eV/atom/angstrom
    assert result.kink == pytest.approx(600, rel=0.05)
    between = measure_line("x", LINE, landscape(LINE) + 0.3 * np.abs(LINE - 0.5025), LINE)
    assert between.jump < 0.01
    assert between.kink == pytest.approx(300, rel=0.05)


def test_a_ripple_is_measured():
    result = measure_line(
        "x", LINE, landscape(LINE) + 0.002 * np.sin(2 * np.pi * LINE / 0.06), LINE
    )
    assert result.ripple == pytest.approx(2, rel=0.15)


def test_high_and_unknown_points_are_left_out():
    energies = landscape(LINE)
    energies[150:] += 5 + np.arange(50) % 2
    energies[70] = np.nan
    result = measure_line("x", LINE, energies, LINE)
    assert result.jump < 0.01
    assert measure_line("x", LINE[:3], energies[:3], LINE[:3]).jump == 0
    assert measure_line("x", LINE, np.full(200, np.nan), LINE).jump_at == -1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(6, 190))
def test_float32_noise_is_no_jump(seed, where):
    rng = np.random.default_rng(seed)
    energies = landscape(LINE) + rng.normal(scale=2e-6, size=200)
    # the largest of 200 differences that magnify noise of 0.002 meV/atom; strict allows 0.1
    assert measure_line("x", LINE, energies, LINE).jump < 0.05
    energies[where:] += 0.001
    found = measure_line("x", LINE, energies, LINE)
    assert found.jump == pytest.approx(1, abs=0.1)
    assert found.jump_at == where - 1


@pytest.fixture(scope="module")
def slice_():
    sites = [("Ti", (0, 0, 0)), ("O", (0.305, 0.305, 0))]
    crystal = Crystal.from_sites([4.6, 4.6, 2.96, 90, 90, 90], standard_hall_number(136), sites)
    axes = (
        Axis("O_x", {"O_x": 1.0}, 0.265, 0.345, 9, 0.305),
        Axis("c", {"c": 1.0}, 2.8, 3.1, 7, 2.96),
    )
    return Slice(crystal, axes)


def test_scan_of_a_slice(slice_):
    calls = []

    def energy(values):
        calls.append(values)
        structures = slice_.structures_at(values)
        return PairModel().energies(structures) / structures.n_atoms

    scans = scan_slice(energy, slice_, (0.305, 2.96))
    assert len(calls) == 1
    assert [scan.name for scan in scans] == ["O_x", "c", "diagonal"]
    assert max(scan.jump for scan in scans) < 0.01
    for scan in scans:
        assert scan.values[:, 0].min() >= 0.265 - 1e-9
        assert scan.values[:, 1].max() <= 3.1 + 1e-9
        # the line goes through the start
        assert np.abs(scan.values - (0.305, 2.96)).sum(axis=1).min() < 1e-9
        assert np.allclose(np.diff(scan.distance), 0.005)
    # an oxygen moves by a step of O_x along (1, 1, 0), titanium does not: four of six atoms move
    moved = np.ptp(scans[0].values[:, 0]) * 4.6 * np.sqrt(2) * np.sqrt(4 / 6)
    assert scans[0].distance[-1] == pytest.approx(moved)


def test_scan_finds_a_step_and_keeps_off_masked_points(slice_):
    structures = slice_.structures_at

    def energy(values):
        made = structures(values)
        return Step().energies(made) / made.n_atoms

    axis, _, _ = scan_slice(energy, slice_, (0.305, 2.96))
    # four O-O pairs of 2.78 angstrom and more pass 2.87: half a meV each way, six atoms
    assert axis.jump > 0.3
    mask = np.zeros(slice_.shape, bool)
    mask[6:] = True
    short, along_c, diagonal = scan_slice(energy, slice_, (0.305, 2.96), mask=mask)
    assert short.values[:, 0].max() <= 0.315 + 1e-9
    assert diagonal.values[:, 0].max() <= 0.315 + 1e-9
    assert np.ptp(along_c.values[:, 1]) == pytest.approx(0.3, abs=0.02)


def test_smoothness_contract_reports_the_worst_line(slice_):
    result = smoothness(Step(), slice_.crystal, ContractSettings())
    assert result.value > 0.3
    assert result.detail.worst in ("volume", "O_x")
    assert smoothness(PairModel(), slice_.crystal, ContractSettings()).value < 0.01
