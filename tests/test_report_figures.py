"""The figures show the data: artists are compared with closed-form landscapes."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from PIL import Image
from report_runs import double_well

from symscape.figures.colour_scales import energy_scale, error_scale
from symscape.figures.image import MOST_COLOURS, reduce_colours, save_figure, save_pixels
from symscape.figures.landscape_figure import draw_landscape, save_landscape_figure
from symscape.figures.panels import (
    ENERGY_COLOURS,
    ERROR_COLOURS,
    GAPS,
    LandscapeData,
)
from symscape.figures.thumbnail import THUMBNAIL_PIXELS, draw_thumbnail

U, V = np.linspace(-0.15, 0.15, 13), np.linspace(-0.1, 0.1, 9)


def soft_double_well(**changes) -> LandscapeData:
    """DFT is a double well 300 meV/atom deep, the model 0.6 times as deep; minima at (2, 4)."""
    reference = double_well(U, V)
    masked = np.zeros(reference.shape, dtype=bool)
    data = LandscapeData(
        u=U,
        v=V,
        labels=("z(Ti)", "z(O)"),
        reference=reference,
        model=0.6 * reference,
        masked=masked,
        minimum=(2, 4),
        window=0.5,
        worst=(6, 4),
        model_name="soft",
        reference_name="DFT (PBE)",
        title="Ti-O",
    )
    return replace(data, **changes)


def panels(figure: Figure) -> dict:
    """Axes by what they show; maps have a title in bold."""
    titled = {a.get_title(loc="left"): a for a in figure.axes if a.get_title(loc="left")}
    cuts = [axes for title, axes in titled.items() if title.startswith("cut at")]
    return {
        "dft": titled["DFT (PBE)"],
        "model": titled["soft"],
        "error": titled["soft − DFT (PBE)"],
        "cuts": cuts,
        "correlation": next((a for t, a in titled.items() if t.startswith("each")), None),
    }


def filled(axes):
    """The filled contours: those drawn first."""
    return axes.collections[0]


def by_gid(axes, gid):
    return [artist for artist in axes.get_children() if artist.get_gid() == gid]


@pytest.fixture(scope="module")
def figure() -> Figure:
    return draw_landscape(soft_double_well())


def test_dft_and_model_share_one_energy_scale(figure):
    shown = panels(figure)
    dft, model = filled(shown["dft"]), filled(shown["model"])
    assert np.array_equal(dft.levels, model.levels)
    assert dft.get_clim() == model.get_clim()
    assert dft.levels[0] == 0
    assert dft.levels[-1] == 500
    # the well's walls are higher than the window
    assert dft.extend == "max"
    assert dft.cmap.name == ENERGY_COLOURS


def test_the_difference_is_centred_on_zero(figure):
    error = filled(panels(figure)["error"])
    low, high = error.get_clim()
    assert low == -high
    assert np.allclose(error.levels, -error.levels[::-1])
    # the largest error in the window is 0.4 times the highest energy in it
    reference = double_well(U, V)
    largest = 400 * reference[reference <= 0.5].max()
    assert largest <= high < 2 * largest
    assert error.cmap.name == ERROR_COLOURS


def test_contours_are_labelled_with_round_energies(figure):
    for name in ("dft", "error"):
        axes = panels(figure)[name]
        lines = axes.collections[1]
        assert np.allclose(lines.levels, np.round(lines.levels))
        labels = {text.get_text() for text in axes.texts if text.get_visible()}
        assert labels
        assert labels <= {f"{level:g}".replace("-", "−") for level in lines.levels}


def test_the_fill_has_the_energies_at_the_grid_points(figure):
    """The path of each filled level holds exactly the grid points whose energy is in its range."""
    contours = filled(panels(figure)["dft"])
    energies = 1000 * double_well(U, V)
    paths = contours.get_paths()
    layers = contours.levels if contours.extend == "neither" else [*contours.levels, np.inf]
    checked = 0
    for path, low, high in zip(paths, layers[:-1], layers[1:], strict=True):
        for i in range(1, 12):
            for j in range(1, 8):
                if low + 2 < energies[i, j] < high - 2:
                    assert path.contains_point((U[i], V[j]))
                    checked += 1
    assert checked > 20


def test_markers_stand_at_minima_and_worst_point(figure):
    for name in ("dft", "model", "error"):
        axes = panels(figure)[name]
        (dft,) = by_gid(axes, "DFT minimum")
        (model,) = by_gid(axes, "model minimum")
        (worst,) = by_gid(axes, "worst point")
        assert dft.get_xydata() == pytest.approx(np.array([[U[2], V[4]]]))
        assert model.get_xydata() == pytest.approx(np.array([[U[2], V[4]]]))
        assert worst.get_xydata() == pytest.approx(np.array([[U[6], V[4]]]))
    assert len({dft.get_marker(), model.get_marker(), worst.get_marker()}) == 3
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"DFT minimum", "model minimum", "worst point", "soft", "DFT (PBE)"} <= set(words)


def test_a_shifted_model_minimum_is_found():
    model = double_well(U - 0.05, V)
    data = soft_double_well(model=model - model[2, 4])
    i, j = data.model_minimum
    assert (U[i], V[j]) == pytest.approx((-0.05, 0.0))


def test_axes_carry_the_coordinates_names(figure):
    shown = panels(figure)
    for name in ("dft", "model", "error"):
        assert shown[name].get_xlabel() == "z(Ti)"
        assert shown[name].get_xlim() == pytest.approx((U[0], U[-1]))
        assert shown[name].get_ylim() == pytest.approx((V[0], V[-1]))
    assert shown["dft"].get_ylabel() == "z(O)"
    bars = [axes.get_xlabel() for axes in figure.axes if "meV/atom" in axes.get_xlabel()]
    assert any("above the DFT minimum" in label for label in bars)
    assert any("model − DFT" in label for label in bars)


def test_cuts_pass_through_the_dft_minimum(figure):
    reference = 1000 * double_well(U, V)
    along_u, along_v = panels(figure)["cuts"]
    for axes, values, energies in (
        (along_u, U, reference[:, 4]),
        (along_v, V, reference[2, :]),
    ):
        (dft,) = by_gid(axes, "DFT")
        (model,) = by_gid(axes, "model")
        assert np.allclose(dft.get_xdata(), values)
        assert np.allclose(dft.get_ydata(), energies)
        assert np.allclose(model.get_ydata(), 0.6 * energies)
    assert along_u.get_title(loc="left") == "cut at z(O) = 0"
    assert along_v.get_title(loc="left") == "cut at z(Ti) = −0.1"


def test_the_correlation_shows_the_softening_scale(figure):
    axes = panels(figure)["correlation"]
    (points,) = by_gid(axes, "points")
    (slope,) = by_gid(axes, "slope")
    assert np.allclose(points.get_ydata(), 0.6 * points.get_xdata())
    assert len(points.get_xdata()) == U.size * V.size
    assert slope.get_ydata()[-1] / slope.get_xdata()[-1] == pytest.approx(0.6)
    assert "0.60" in axes.get_title(loc="left")


def test_the_judged_window_is_outlined(figure):
    shown = panels(figure)
    (outline,) = [c for c in shown["error"].collections if list(np.atleast_1d(c.levels)) == [0.5]]
    for path in outline.get_paths():
        for u, v in path.vertices:
            # on a grid line between two points the outline is linear interpolation
            assert double_well(np.array([u]), np.array([v]))[0, 0] == pytest.approx(0.5, abs=0.12)
    narrow = draw_landscape(soft_double_well(window=10.0))
    words = [text.get_text() for text in narrow.legends[0].get_texts()]
    assert not any("window" in word for word in words)


def gap_cells(axes, kind):
    """Centres of the cells that a hatched patch covers, rounded to grid indices."""
    found = set()
    for patch in by_gid(axes, kind):
        assert isinstance(patch, PathPatch)
        assert patch.get_hatch() == GAPS[kind][1]["hatch"]
        corners = patch.get_path().vertices.reshape(-1, 5, 2)[:, :4]
        for u, v in corners.mean(axis=1):
            found.add((int(np.abs(U - u).argmin()), int(np.abs(V - v).argmin())))
    return found


def test_masked_missing_and_failed_points_are_told_apart():
    data = soft_double_well()
    masked = data.masked.copy()
    masked[0, :3] = True
    reference = np.where(masked, np.nan, data.reference)
    reference[12, 8] = np.nan
    model = np.where(masked, np.nan, data.model)
    model[6, 2] = np.nan
    figure = draw_landscape(replace(data, masked=masked, reference=reference, model=model))
    shown = panels(figure)
    corner = {(0, 0), (0, 1), (0, 2)}
    for name in ("dft", "model", "error"):
        assert gap_cells(shown[name], "masked") == corner
    assert gap_cells(shown["dft"], "not computed") == {(12, 8)}
    assert gap_cells(shown["error"], "not computed") == {(12, 8)}
    assert gap_cells(shown["dft"], "failed") == set()
    assert gap_cells(shown["model"], "failed") == gap_cells(shown["error"], "failed") == {(6, 2)}
    assert len({style["hatch"] for _, style in GAPS.values()}) == 3
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {label for label, _ in GAPS.values()} <= set(words)


def test_a_model_without_any_energy_is_drawn():
    data = soft_double_well()
    figure = draw_landscape(replace(data, model=np.full(data.model.shape, np.nan), worst=None))
    shown = panels(figure)
    assert len(gap_cells(shown["model"], "failed")) == U.size * V.size
    assert by_gid(shown["dft"], "model minimum") == []
    figure.canvas.draw()


def test_the_tall_layout_shows_the_same_maps():
    data = soft_double_well()
    wide, tall = panels(draw_landscape(data, "wide")), panels(draw_landscape(data, "tall"))
    for name in ("dft", "model", "error"):
        assert np.array_equal(filled(wide[name]).levels, filled(tall[name]).levels)
    tops = [tall[name].get_position().y1 for name in ("dft", "model", "error")]
    assert tops == sorted(tops, reverse=True)
    assert tall["error"].get_ylabel() == "z(O)"


def test_energies_far_above_the_window_do_not_stretch_the_scale():
    reference = double_well(U, V)
    reference[0, 0] = 500.0
    model = 0.6 * reference
    scale = energy_scale(1000 * reference, 1000 * model, 500.0)
    assert scale.limits == (0.0, 500.0)
    assert scale.extend == "max"
    inside = reference <= 0.5
    error = error_scale(1000 * (model - reference), inside)
    assert error.limits[1] <= 250.0
    assert error.extend == "min"


def test_energies_below_the_zero_get_their_place():
    reference = np.array([[0.0, 100.0, 400.0]])
    scale = energy_scale(reference, np.array([[-120.0, 100.0, 300.0]]), 500.0)
    assert scale.limits[0] <= -120.0
    # but never more than half of the scale
    deep = energy_scale(reference, np.array([[-9000.0, 100.0, 300.0]]), 500.0)
    assert deep.limits[0] >= -500.0
    assert deep.extend == "min"


def test_a_perfect_model_has_a_quiet_difference():
    data = soft_double_well(model=double_well(U, V))
    error = filled(panels(draw_landscape(data))["error"])
    assert 0 < error.get_clim()[1] <= 1.0


def test_files_are_small_and_of_the_announced_size(tmp_path):
    for layout in ("wide", "tall"):
        path = tmp_path / f"{layout}.png"
        size = save_landscape_figure(path, soft_double_well(), layout)
        assert Image.open(path).size == size
        assert path.stat().st_size < 150_000
    thumb = tmp_path / "thumb.png"
    assert save_pixels(thumb, draw_thumbnail(soft_double_well())) == THUMBNAIL_PIXELS
    assert thumb.stat().st_size < 10_000


def test_saved_colours_are_those_of_the_scale(tmp_path):
    """At the saddle the picture has the colour that the scale gives 300 meV/atom."""
    figure = draw_landscape(soft_double_well(worst=None))
    axes = panels(figure)["dft"]
    contours = filled(axes)
    save_figure(tmp_path / "x.png", figure)
    pixels = np.asarray(Image.open(tmp_path / "x.png").convert("RGB"))
    for u, v in ((0.0, 0.03), (-0.1, 0.06), (0.1, -0.06)):
        x, y = axes.transData.transform((u, v))
        energy = 1000 * np.interp(v, V, double_well(np.array([u]), V)[0])
        level = np.searchsorted(contours.levels, energy) - 1
        middle = contours.levels[level : level + 2].mean()
        wanted = np.array(to_rgb(contours.cmap(contours.norm(middle))))
        patch = pixels[int(pixels.shape[0] - y) - 6 :, int(x) - 6 :][:12, :12].reshape(-1, 3)
        assert np.abs(patch / 255 - wanted).max(axis=1).min() < 0.01


def test_frequent_colours_stay_exact():
    random = np.random.default_rng(0)
    pixels = np.zeros((100, 300, 4), dtype=np.uint8)
    pixels[:, 40:, :3] = (250, 246, 211)
    pixels[:, 120:, :3] = (22, 0, 28)
    pixels[90:, :, :3] = random.integers(0, 256, (10, 300, 3))
    pixels[..., 3] = 255
    indices, palette = reduce_colours(pixels)
    assert len(palette) == MOST_COLOURS
    assert np.array_equal(palette[indices][:90], pixels[:90, :, :3])
    # the rest goes to the nearest colour of the palette
    for row, column in ((95, 7), (99, 299)):
        colour = pixels[row, column, :3].astype(int)
        apart = np.abs(palette.astype(int) - colour).astype(float)
        best = np.square(apart).sum(axis=1).min()
        chosen = np.square(palette[indices[row, column]].astype(int) - colour).sum()
        assert chosen == best


def test_figures_can_be_drawn_in_threads_and_leave_pyplot_alone(tmp_path):
    import sys

    sizes = {}

    def draw(k):
        path = tmp_path / f"{k}.png"
        sizes[k] = save_landscape_figure(path, soft_double_well())

    threads = [threading.Thread(target=draw, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sizes) == 2
    contents = {(tmp_path / f"{k}.png").read_bytes() for k in range(2)}
    assert len(contents) == 1
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
