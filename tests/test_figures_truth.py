"""What a figure says holds: contours lie at their energies, and a wrong model is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from report_runs import double_well
from scipy.interpolate import RegularGridInterpolator

from symscape.figures.colour_scales import energy_scale, landscape_scales
from symscape.figures.landscape_data import LandscapeData
from symscape.figures.landscape_figure import draw_landscape
from symscape.figures.panels import ENERGY_COLOURS, colour_map, draw_map
from symscape.figures.thumbnail import draw_thumbnail

U, V = np.linspace(-0.15, 0.15, 13), np.linspace(-0.1, 0.1, 9)


def landscape(reference: np.ndarray, model: np.ndarray) -> LandscapeData:
    """Two surfaces in eV/atom on the axes above."""
    lowest = np.unravel_index(np.argmin(reference), reference.shape)
    return LandscapeData(
        u=U,
        v=V,
        labels=("z(Ge)", "z(Te)"),
        reference=reference,
        model=model,
        masked=np.zeros(reference.shape, dtype=bool),
        minimum=(int(lowest[0]), int(lowest[1])),
        model_name="flat",
        reference_name="DFT",
    )


def collapsed() -> LandscapeData:
    """DFT has two wells and a barrier of 34 meV/atom, the model one flat well at -10."""
    reference = double_well(U, V)
    centre = reference[6, 4]
    reference = 0.034 * reference / centre
    model = np.maximum(reference, 0.034) - 0.044
    return landscape(reference, model)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(-2.0, 1.0))
def test_contours_lie_where_the_energy_is_their_label(seed, magnitude):
    """Also where walls are far above the scale, and on maps of errors."""
    rng = np.random.default_rng(seed)
    rough = 10**magnitude * np.exp(rng.normal(0, 1.5, size=(2, U.size, V.size)))
    data = landscape(rough[0] - rough[0].min(), rough[1] - rough[0].min())
    energies, errors = landscape_scales(data)
    for grid, scale in ((data.reference, energies), (data.model, energies), (data.error, errors)):
        axes = Figure().add_subplot()
        draw_map(axes, data, grid, scale, ENERGY_COLOURS)
        between = RegularGridInterpolator((U, V), 1000 * grid)
        lines = axes.collections[1]
        for level, path in zip(lines.levels, lines.get_paths(), strict=True):
            if len(path.vertices):
                ends = [(U[0], V[0]), (U[-1], V[-1])]
                found = between(np.clip(path.vertices, *ends))
                # coordinates are rounded to about 1e-15 of the grid
                steep = np.abs(1000 * grid).max()
                assert np.allclose(found, level, rtol=0, atol=1e-9 * max(steep, 1.0))


def test_a_collapsed_well_is_within_the_scale_and_the_cuts():
    data = collapsed()
    scale, _ = landscape_scales(data)
    lowest = 1000 * data.model.min()
    assert lowest == pytest.approx(-10)
    assert scale.limits[0] <= lowest
    figure = draw_landscape(data)
    cuts = [a for a in figure.axes if a.get_title(loc="left").startswith("cut at")]
    assert len(cuts) == 2
    for axes in cuts:
        (line,) = (artist for artist in axes.lines if artist.get_gid() == "model")
        energies = line.get_ydata()
        low, high = axes.get_ylim()
        assert low <= energies.min() <= high
    under = colour_map(ENERGY_COLOURS)(-1.0, bytes=True)
    assert not (draw_thumbnail(data) == under).all(axis=-1).any()


@settings(deadline=None, max_examples=80)
@given(st.floats(1.0, 400.0), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_scales_hold_both_surfaces_as_far_as_both_are_seen(height, one, other):
    """The model has at most the half of the scale; what lies beyond is told with its ends."""
    reference, model = np.array([0.0, height / 2, height]), np.array([0.0, one, other])
    window = 500.0
    scale = energy_scale(reference, model, window)
    low, high = scale.limits
    lowest, highest = min(model.min(), 0.0), max(model.max(), height)
    top = min(window, highest, 2 * height)
    assert high >= top * (1 - 1e-8)
    assert low <= max(lowest, -top) + 0.002 * top
    beyond = (lowest < low) or (highest > high)
    assert (scale.extend == "neither") == (not beyond)
    assert bool(scale.note) == beyond
    if lowest < low:
        assert scale.note.replace("−", "-").split()[-1 if highest <= high else 0] == f"{lowest:.0f}"
    if highest > high:
        assert scale.note.split()[-1] == f"{highest:.0f}"


def test_what_lies_beyond_the_scale_has_arrows_and_a_note():
    data = collapsed()
    model = data.model.copy()
    model[2, 4] = -3.0
    figure = draw_landscape(landscape(data.reference, model))
    labels = [axes.get_xlabel() for axes in figure.axes]
    (bar,) = (label for label in labels if label.startswith("energy above"))
    assert "beyond the scale" in bar
    assert "−3000" in bar
    filled = next(a for a in figure.axes if a.get_title(loc="left") == "flat").collections[0]
    assert filled.extend in ("min", "both")
    cut = next(a for a in figure.axes if a.get_title(loc="left").startswith("cut at z(Te)"))
    arrows = [artist for artist in cut.lines if artist.get_gid() == "beyond"]
    assert U[2] in np.concatenate([a.get_xdata() for a in arrows if a.get_marker() == "v"])
