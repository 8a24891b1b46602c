"""Landscapes as surfaces: nothing at a hole, nothing above the window, only what can be seen."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from report_runs import judged_case, make_run, reference_summary
from topology_surfaces import double_well, mesh

from symscape.figures.landscape_data import LandscapeData
from symscape.figures.relief_figure import best_azimuth, draw_relief, towards_viewer
from symscape.page.html import render_page
from symscape.page.report import write_figures
from symscape.page.view import RunView
from symscape.science.landscape.relief import (
    clip_polygons,
    faces_viewer,
    hides,
    relief_lines,
    relief_triangles,
)

GRIDS = arrays(float, (5, 4), elements=st.floats(0, 1) | st.just(np.nan))
U, V = np.linspace(2.0, 6.0, 5), np.linspace(-1.0, 2.0, 4)


def area(triangles):
    """Area of the triangles' shadows."""
    first, second = (
        triangles[:, 1, :2] - triangles[:, 0, :2],
        triangles[:, 2, :2] - triangles[:, 0, :2],
    )
    return np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2


def covers(triangles, point):
    """Whether a closed triangle's shadow holds a point."""
    a, b, c = (triangles[:, k, :2] for k in range(3))
    turns = [
        (q[:, 0] - p[:, 0]) * (point[1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (point[0] - p[:, 0])
        for p, q in ((a, b), (b, c), (c, a))
    ]
    signs = np.array([np.where(np.abs(t) < 1e-9, 0, np.sign(t)) for t in turns])
    return bool(((signs >= 0).all(axis=0) | (signs <= 0).all(axis=0)).any())


@settings(deadline=None, max_examples=60)
@given(GRIDS)
def test_no_triangle_touches_a_hole_and_every_known_cell_is_covered(grid):
    triangles = relief_triangles(U, V, grid)
    assert np.isfinite(triangles).all()
    known = np.isfinite(grid)
    for i, j in np.argwhere(~known):
        assert not covers(triangles, (U[i], V[j]))
    corners = sum(known[a : a + 4, b : b + 3].astype(int) for a in (0, 1) for b in (0, 1))
    # cells of one unit each: whole ones, and halves of those with one hole
    expected = (corners == 4).sum() + 0.5 * (corners == 3).sum()
    assert area(triangles).sum() == pytest.approx(expected)
    heights = {(u, v): e for u, v, e in triangles.reshape(-1, 3).round(9).tolist()}
    for i, j in np.argwhere(known):
        place = (round(float(U[i]), 9), round(float(V[j]), 9))
        if place in heights:
            assert heights[place] == pytest.approx(grid[i, j], abs=1e-8)
    for line in relief_lines(U, V, grid, 0.2, 0.7):
        assert np.isfinite(line).all()
        assert line[:, 2].min() >= 0.2 - 1e-12
        assert line[:, 2].max() <= 0.7 + 1e-12


def test_a_plane_stays_a_plane_up_to_a_ragged_mask():
    u, v = np.linspace(0, 1, 9), np.linspace(0, 1, 9)
    x, y = mesh(u, v)
    plane = 2 * x + 3 * y
    plane[x + y > 1.2] = np.nan
    triangles = relief_triangles(u, v, plane).reshape(-1, 3)
    np.testing.assert_allclose(
        triangles[:, 2], 2 * triangles[:, 0] + 3 * triangles[:, 1], atol=1e-7
    )
    # the rim runs along the diagonal, without teeth
    assert (triangles[:, 0] + triangles[:, 1]).max() == pytest.approx(1.125)


@settings(deadline=None, max_examples=60)
@given(arrays(float, (6, 3, 3), elements=st.floats(0, 1)), st.floats(0.1, 0.4), st.floats(0.5, 0.9))
def test_cutting_into_bands_loses_nothing(triangles, low, high):
    parts = [clip_polygons(triangles, a, b) for a, b in ((-1.0, low), (low, high), (high, 2.0))]
    for polygons, (a, b) in zip(parts, ((-1.0, low), (low, high), (high, 2.0)), strict=True):
        for polygon in polygons:
            assert 3 <= len(polygon) <= 5
            assert polygon[:, 2].min() >= a - 1e-12
            assert polygon[:, 2].max() <= b + 1e-12

    def shadow(polygon):
        x, y = polygon[:, 0], polygon[:, 1]
        return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2

    level = np.array([t for t in triangles if np.ptp(t[:, 2]) > 0]).reshape(-1, 3, 3)
    total = sum(shadow(p) for p in clip_polygons(level, -1.0, 2.0))
    bands = [(-1.0, low), (low, high), (high, 2.0)]
    cut = sum(shadow(p) for a, b in bands for p in clip_polygons(level, a, b))
    flat_on_edge = any((np.isin(t[:, 2], (low, high))).sum() > 1 for t in level)
    if not flat_on_edge:
        assert cut == pytest.approx(total, abs=1e-9)


def test_what_hides_what():
    wall = np.array([[[1.0, -5, 0], [1, 5, 0], [1, 0, 9]]])
    east = np.array([1.0, 0.0, 0.0])
    assert hides(wall, np.array([0.0, 0, 1]), east)
    assert not hides(wall, np.array([2.0, 0, 1]), east)
    assert not hides(wall, np.array([1.0, 0, 1]), east)
    assert not hides(wall, np.array([0.0, 0, 20]), east)
    floor = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0.0, 0, 0], [0, 1, 0], [1, 0, 0]]])
    up = np.array([0.0, 0, 1])
    assert faces_viewer(floor, up).tolist() == [True, True]
    assert faces_viewer(floor, -up).tolist() == [False, False]


def make_data(grid, model=None, window=0.5):
    grid = np.asarray(grid, dtype=float)
    lowest = np.unravel_index(np.nanargmin(grid), grid.shape)
    return LandscapeData(
        u=np.linspace(0, 1, grid.shape[0]),
        v=np.linspace(0, 1, grid.shape[1]),
        labels=("z(A)", "$z(B)"),
        reference=grid - np.nanmin(grid),
        model=0.8 * (grid - np.nanmin(grid)) if model is None else model,
        masked=np.isnan(grid),
        minimum=(int(lowest[0]), int(lowest[1])),
        window=window,
        model_name="some $model",
        title="AB-P1-A_z-B_z",
    )


@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_the_figure_shows_both_within_the_window(layout):
    x, y = mesh(np.linspace(-1.5, 1.5, 15), np.linspace(-0.9, 0.9, 13))
    grid = 4 * double_well(x, y)
    grid[:3, :4] = np.nan
    data = make_data(grid)
    figure = draw_relief(data, layout)
    # matplotlib pads polygons of unlike lengths with whatever was in memory: none must be unlike
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    reliefs = [axes for axes in figure.axes if axes.name == "3d"]
    assert [axes.get_title() for axes in reliefs] == ["DFT", "some $model"]
    assert reliefs[0].get_zlim() == reliefs[1].get_zlim()
    assert reliefs[0].get_zlim()[1] == pytest.approx(500, rel=0.1)
    for axes, marks in zip(reliefs, (1, 2), strict=True):
        (surface,) = (c for c in axes.collections if c.get_gid() == "surface")
        assert len(surface.get_facecolor()) > 100
        assert len(axes.lines) == marks


def test_the_view_is_chosen_so_that_minima_are_seen():
    x, y = mesh(np.linspace(-1, 1, 13), np.linspace(-1, 1, 13))
    for tilt in ((1, 0), (0, -1)):
        # a wall on one side, the minimum at its foot
        along = tilt[0] * x + tilt[1] * y
        data = make_data(0.45 / (1 + np.exp(-14 * (along - 0.7))) + 0.02 * (along - 0.4) ** 2)
        figure = draw_relief(data)
        for axes in figure.axes[:2]:
            assert all(line.get_alpha() == 1 for line in axes.lines)
        towards = towards_viewer(figure.axes[0].azim)
        assert towards[:2] @ tilt < 0.9
    assert best_azimuth(()) == -60


def test_little_to_show():
    with pytest.raises(ValueError, match="needs the energies of both"):
        draw_relief(replace(make_data(np.eye(5)), model=None))
    alone = np.full((5, 5), np.nan)
    alone[2, 2] = 0
    draw_relief(make_data(alone)).savefig(io.BytesIO(), format="png")
    flat = draw_relief(make_data(np.zeros((4, 4))))
    flat.savefig(io.BytesIO(), format="png")
    assert flat.axes[0].get_zlim()[1] > 0


def test_reports_have_reliefs_on_demand(tmp_path):
    reference = reference_summary()
    run = make_run(judged_case(reference), references=(reference,))
    view = RunView(run)
    (item,) = view.slices
    files = write_figures(tmp_path, view, relief=True)
    relief = files[item.id].relief
    assert (tmp_path / relief.wide.path).exists()
    assert "surfaces" in relief.alt
    page = render_page(view, files)
    assert f'src="{relief.wide.path}"' in page
    assert f'srcset="{relief.tall.path}"' in page
    files = write_figures(tmp_path, view)
    assert files[item.id].relief is None
    assert not (tmp_path / relief.wide.path).exists()
    assert "Relief" not in render_page(view, files)
