"""Minima and saddles of surfaces with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from topology_surfaces import (
    MUELLER_BROWN_MINIMA,
    MUELLER_BROWN_SADDLES,
    double_well,
    egg_carton,
    mesh,
    mueller_brown,
)

from symscape.science.landscape.geometry import GridGeometry
from symscape.science.landscape.minima import topology

PERIODIC = GridGeometry(np.eye(2), (12, 12))


def test_mueller_brown():
    x, y = np.linspace(-1.5, 1.2, 31), np.linspace(-0.2, 2.0, 31)
    result = topology(mueller_brown(*mesh(x, y)) / 1000)

    def place(point):
        u, v = np.array(point.position) / 30
        return -1.5 + 2.7 * u, -0.2 + 2.2 * v

    assert len(result.deep) == len(result.minima) == 3
    for minimum, (a, b, energy) in zip(
        result.minima, sorted(MUELLER_BROWN_MINIMA, key=lambda m: m[2]), strict=True
    ):
        assert place(minimum) == pytest.approx((a, b), abs=0.002)
        assert 1000 * minimum.energy == pytest.approx(energy, abs=0.05)
        assert minimum.refined
        assert not minimum.on_edge
    deepest, *others = result.minima
    assert deepest.saddle is None
    assert deepest.persistence == np.inf
    for minimum, (a, b, energy) in zip(others, MUELLER_BROWN_SADDLES, strict=True):
        assert place(minimum.saddle) == pytest.approx((a, b), abs=0.005)
        assert 1000 * minimum.saddle.energy == pytest.approx(energy, abs=0.2)
        assert 1000 * minimum.barrier == pytest.approx(energy - 1000 * minimum.energy, abs=0.2)
        assert minimum.persistence == pytest.approx(minimum.barrier, abs=0.005)


@pytest.mark.parametrize("points", [14, 15])
def test_double_well_between_grid_points(points):
    x, y = np.linspace(-1.5, 1.5, points), np.linspace(-0.9, 1.0, points)
    result = topology(double_well(*mesh(x, y)))
    assert len(result.minima) == 2  # of equal depth: a tie
    for minimum, where in zip(
        sorted(result.minima, key=lambda m: m.position), (-1, 1), strict=True
    ):
        u = -1.5 + 3 * minimum.position[0] / (points - 1)
        v = -0.9 + 1.9 * minimum.position[1] / (points - 1)
        assert (u, v) == pytest.approx((where, 0), abs=1e-6)
        assert minimum.energy == pytest.approx(0, abs=1e-6)
        # second derivatives per step: 8 barriers and twice the stiffness
        steps = 3 / (points - 1), 1.9 / (points - 1)
        hessian = np.array(minimum.hessian)
        assert np.allclose(hessian, np.diag([0.8 * steps[0] ** 2, 0.6 * steps[1] ** 2]), atol=1e-6)
    (saddle,) = [m.saddle for m in result.minima if m.saddle]
    assert saddle.energy == pytest.approx(0.1, abs=2e-4)  # a quartic, interpolated by cubics


def test_egg_carton():
    result = topology(egg_carton(12, periods=2), PERIODIC)
    assert sorted(m.index for m in result.minima) == [(0, 0), (0, 6), (6, 0), (6, 6)]
    assert [m.persistence for m in result.minima].count(np.inf) == 1
    assert all(m.saddle.energy == pytest.approx(0, abs=1e-4) for m in result.minima if m.saddle)
    assert not any(m.on_edge for m in result.minima)
    repeated = np.pad(egg_carton(12, periods=2), [(0, 1), (0, 1)], mode="wrap")
    assert topology(repeated, PERIODIC).minima == result.minima
    # cut open, the wells on the border are flagged
    opened = topology(egg_carton(12, periods=2))
    assert {m.index: m.on_edge for m in opened.minima}[(6, 6)] is False
    assert {m.index: m.on_edge for m in opened.minima}[(0, 6)] is True


def test_flat_surface_has_one_well_that_is_left_where_it_is():
    for geometry in (None, PERIODIC):
        (well,) = topology(np.full((12, 12), 0.3), geometry).minima
        assert well.energy == 0.3
        assert not well.refined
        assert well.persistence == np.inf


def test_single_well_on_the_edge():
    x, y = mesh(np.arange(8.0), np.arange(6.0))
    (well,) = topology(0.01 * ((x - 3) ** 2 + (y + 1) ** 2)).minima
    assert well.index == (3, 0)
    assert well.on_edge
    assert not well.refined


def test_masked_islands_are_separate_landscapes():
    x, y = mesh(np.linspace(-1.5, 1.5, 21), np.linspace(-1, 1, 15))
    energies = double_well(x, y, tilt=0.02)
    energies[10] = np.nan
    result = topology(energies)
    assert len(result.minima) == 2
    assert all(m.saddle is None and m.persistence == np.inf for m in result.minima)
    assert not any(m.at_mask for m in result.minima)
    energies[4, 8] = np.nan
    at_mask = {m.at_mask for m in topology(energies).minima}
    assert at_mask == {True, False}


def test_a_lonely_point_is_a_well():
    energies = np.full((5, 5), np.nan)
    energies[2, 3] = 0.1
    (well,) = topology(energies).minima
    assert well.index == (2, 3)
    assert well.at_mask
    assert not well.refined
    with pytest.raises(ValueError, match="no point"):
        topology(np.full((3, 3), np.nan))


def smooth_periodic(seed, n=12):
    """A random surface of long waves, with a few holes."""
    rng = np.random.default_rng(seed)
    x = 2 * np.pi * np.arange(n) / n
    u, v = mesh(x, x)
    energies = sum(
        rng.normal() * 0.03 * np.cos(p * u + q * v + rng.uniform(0, 2 * np.pi))
        for p in range(3)
        for q in range(-2, 3)
    )
    for _ in range(rng.integers(0, 4)):
        energies[tuple(rng.integers(0, n, 2))] = np.nan
    return energies


def summary(minima):
    """Energies and persistences, which no symmetry of the grid may change."""
    return np.array(sorted((m.energy, min(m.persistence, 9.0)) for m in minima))


@settings(deadline=None, max_examples=25)
@example(350, 0, 0)  # a well beside a hole: its line was clipped to the well's own energy
@given(st.integers(0, 10**6), st.integers(0, 11), st.integers(0, 11))
def test_invariant_under_transposition_shift_and_flip(seed, du, dv):
    energies = smooth_periodic(seed)
    result = topology(energies, PERIODIC)
    expected = summary(result.minima)
    shifted = topology(np.roll(energies, (du, dv), axis=(0, 1)), PERIODIC)
    assert np.allclose(summary(shifted.minima), expected, atol=1e-7)
    moved = {((m.index[0] + du) % 12, (m.index[1] + dv) % 12) for m in result.minima}
    assert {m.index for m in shifted.minima} == moved
    for other in (energies.T, energies[::-1], energies[:, ::-1]):
        assert np.allclose(summary(topology(other, PERIODIC).minima), expected, atol=1e-7)
    opened = summary(topology(energies).minima)
    for other in (energies.T, energies[::-1], energies[:, ::-1]):
        assert np.allclose(summary(topology(other).minima), opened, atol=1e-7)


@settings(deadline=None, max_examples=25)
@given(arrays(float, (21, 21), elements=st.floats(-1, 1)), st.floats(0, 0.001))
def test_noise_below_the_threshold_makes_no_wells(noise, size):
    x, y = np.linspace(-1.5, 1.2, 21), np.linspace(-0.2, 2.0, 21)
    clean = topology(mueller_brown(*mesh(x, y)) / 500)
    noisy = topology(clean.energies + size * noise)
    assert len(noisy.deep) == len(clean.deep) == 3
    for a, b in zip(clean.deep, noisy.deep, strict=True):
        assert b.energy == pytest.approx(a.energy, abs=4 * size + 1e-9)
        if a.saddle:
            assert b.saddle.energy == pytest.approx(a.saddle.energy, abs=4 * size + 1e-9)


def test_grid_that_does_not_span_its_period_is_refused():
    with pytest.raises(ValueError, match="does not span"):
        topology(np.zeros((10, 12)), PERIODIC)
