"""Scales and colours of landscape figures: round, ordered, and of what is drawn."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.figures.colour_scales import energy_scale, error_scale
from symscape.figures.panels import (
    ENERGY_COLOURS,
    ERROR_COLOURS,
    colour_map,
    fill_nearest,
)

FINITE = st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=8)


@settings(deadline=None, max_examples=80)
@given(FINITE, st.floats(1.0, 2000.0), st.integers(0, 7))
def test_scales_hold_what_they_should(values, window, k):
    model = np.array(values)
    reference = np.abs(model[::-1]).copy()
    reference[k % len(reference)] = 0.0
    scale = energy_scale(reference, model, window)
    low, high = scale.limits
    assert low <= 0 < high
    assert np.all(np.diff(scale.lines) > 0)
    assert 2 <= len(scale.lines) <= 20
    assert set(np.round(scale.lines, 9)) <= set(np.round(scale.shades, 9))
    inside = reference <= window
    assert high >= min(window, reference.max()) * (1 - 1e-8)
    error = model - reference
    signed = error_scale(error, inside)
    assert signed.limits[1] >= np.abs(error[inside]).max() * (1 - 1e-8)
    assert signed.limits[0] == -signed.limits[1]
    assert 0.0 in np.round(signed.lines, 9)
    if signed.extend == "neither":
        assert np.abs(error).max() <= signed.limits[1]


def lightness(colours: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours, shape (n, 3)."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_colours_are_ordered_by_lightness():
    """So they can be told apart without colour vision, and in grey print."""
    steps = np.linspace(0, 1, 33)
    energy = lightness(colour_map(ENERGY_COLOURS)(steps)[:, :3])
    assert np.all(np.diff(energy) > 0)
    error = lightness(colour_map(ERROR_COLOURS)(steps)[:, :3])
    assert np.all(np.diff(error[:17]) > 0)
    assert np.all(np.diff(error[16:]) < 0)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10_000))
def test_unknown_points_take_the_nearest_value(n, m, seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, m))
    known = random.random((n, m)) < 0.4
    known.flat[seed % known.size] = True
    whole = fill_nearest(values, known)
    assert np.array_equal(whole[known], values[known])
    points = np.argwhere(known)
    for i, j in np.argwhere(~known):
        apart = np.hypot(points[:, 0] - i, points[:, 1] - j)
        nearest = [values[tuple(p)] for p in points[apart <= apart.min() + 1e-9]]
        assert whole[i, j] in nearest
