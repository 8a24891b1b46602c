"""Pointwise metrics on surfaces whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import linregress, spearmanr

from symscape.questions.energies import POINTWISE, metrics_by_window, pointwise_metrics
from symscape.science.landscape.align import align
from symscape.science.landscape.metrics import rank_correlation, window_key, worst_point

U, V = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 11), indexing="ij")
BOWL = 0.4 * (U**2 + 2 * V**2)

surfaces = arrays(float, (5, 6), elements=st.floats(-2, 2, width=32))


def test_a_scaled_surface_has_that_softening_scale_and_no_rank_error():
    grid = align(BOWL - 7.0, 0.8 * BOWL + 3.0)
    metrics = pointwise_metrics(grid, 10.0)
    assert metrics["softening_scale"] == pytest.approx(0.8)
    assert metrics["spearman"] == pytest.approx(1.0)
    assert metrics["mae"] == pytest.approx(1000 * 0.2 * BOWL.mean())
    assert metrics["mean_signed_error"] == pytest.approx(-metrics["mae"])
    assert metrics["max_error"] == pytest.approx(1000 * 0.2 * BOWL.max())
    assert metrics["share_underpredicted"] == 1.0
    assert metrics["n_points"] == BOWL.size


def test_equal_surfaces_have_no_error_whatever_their_zero():
    metrics = pointwise_metrics(align(BOWL, BOWL + 123.0), 10.0)
    for name in ("mae", "rmse", "max_error", "mean_signed_error", "shape_rmse"):
        assert metrics[name] == pytest.approx(0.0, abs=1e-9)
    assert metrics["share_underpredicted"] == 0.0
    assert metrics["softening_scale"] == pytest.approx(1.0)


def test_shape_error_does_not_hang_on_the_point_that_is_the_zero():
    model = BOWL.copy()
    model[align(BOWL, BOWL).zero] -= 0.05
    metrics = pointwise_metrics(align(BOWL, model), 10.0)
    assert metrics["rmse"] == pytest.approx(50 * np.sqrt(1 - 1 / BOWL.size))
    assert metrics["shape_rmse"] == pytest.approx(50 * np.sqrt(1 / BOWL.size), rel=0.02)


def test_the_softening_scale_is_the_slope_of_a_fit_through_zero():
    rng = np.random.default_rng(1)
    model = BOWL * (1 + 0.3 * rng.standard_normal(BOWL.shape))
    grid = align(BOWL, model)
    x, y = grid.reference.ravel(), grid.model.ravel()
    # a fit through zero is an ordinary fit to the data and its mirror image
    slope = linregress(np.r_[x, -x], np.r_[y, -y]).slope
    assert pointwise_metrics(grid, 10.0)["softening_scale"] == pytest.approx(slope)


def test_windows_count_the_points_below_their_height():
    found = metrics_by_window(align(BOWL, BOWL), (0.1, 0.5, 5.0))
    assert {key: m["n_points"] for key, m in found.items()} == {
        window_key(w): (w + 1e-12 >= BOWL - BOWL.min()).sum() for w in (0.1, 0.5, 5.0)
    }


def test_masked_and_failed_points_do_not_count():
    reference, model = BOWL.copy(), BOWL.copy()
    reference[0, 0] = np.nan
    model[1, 1] = np.nan
    model[2, 2] += 0.7
    grid = align(reference, model)
    assert pointwise_metrics(grid, 10.0)["n_points"] == BOWL.size - 2
    assert worst_point(grid, 10.0) == (2, 2)


def test_alignment_needs_one_zero():
    with pytest.raises(ValueError, match="shape"):
        align(BOWL, BOWL[:-1])
    with pytest.raises(ValueError, match="no valid point"):
        align(np.full((2, 2), np.nan), np.zeros((2, 2)))
    broken = BOWL.copy()
    broken[align(BOWL, BOWL).zero] = np.nan
    with pytest.raises(ValueError, match="DFT minimum"):
        align(BOWL, broken)


def test_a_flat_reference_has_no_slope_and_no_ranks():
    metrics = pointwise_metrics(align(np.zeros((3, 3)), BOWL[:3, :3]), 1.0)
    assert np.isnan(metrics["softening_scale"])
    assert np.isnan(metrics["spearman"])
    assert np.isnan(metrics["share_underpredicted"])


@given(surfaces, surfaces)
def test_metrics_do_not_depend_on_the_order_of_axes_or_points(reference, model):
    plain = pointwise_metrics(align(reference, model), 1.0)
    # the same zero must be found: ties of the minimum move it
    if (reference == reference.min()).sum() > 1:
        return
    for change in (np.transpose, np.flipud, np.fliplr):
        changed = pointwise_metrics(align(change(reference), change(model)), 1.0)
        for name, value in plain.items():
            assert changed[name] == pytest.approx(value, nan_ok=True, abs=1e-9)


@given(surfaces, surfaces, st.floats(-50, 50), st.floats(-50, 50))
def test_metrics_do_not_depend_on_either_zero(reference, model, a, b):
    plain = pointwise_metrics(align(reference, model), 0.5)
    if (reference == reference.min()).sum() > 1:
        return
    moved = pointwise_metrics(align(reference + a, model + b), 0.5)
    for name in ("mae", "rmse", "max_error", "mean_signed_error", "shape_rmse"):
        if moved["n_points"] == plain["n_points"]:
            assert moved[name] == pytest.approx(plain[name], abs=1e-6)


@given(surfaces, surfaces)
def test_metrics_keep_their_bounds(reference, model):
    metrics = pointwise_metrics(align(reference, model), 1.0)
    assert 0 <= metrics["mae"] <= metrics["rmse"] + 1e-9 <= metrics["max_error"] + 2e-9
    assert abs(metrics["mean_signed_error"]) <= metrics["mae"] + 1e-9
    assert metrics["shape_rmse"] <= metrics["rmse"] + 1e-9
    assert set(metrics) == {metric.name for metric in POINTWISE}


@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(-1, 1)), min_size=3, max_size=40))
def test_rank_correlation_is_scipys_with_any_ties(pairs):
    reference, model = (np.round(column, 2) for column in np.array(pairs, dtype=float).T)
    expected = np.nan
    if np.ptp(reference) and np.ptp(model):
        expected = spearmanr(reference, model).statistic
    assert rank_correlation(reference, model) == pytest.approx(expected, abs=1e-12, nan_ok=True)
