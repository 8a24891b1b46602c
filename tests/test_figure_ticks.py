"""Ticks of the landscape figures: round numbers where matplotlib would put them, with room."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator

from symscape.figures.ticks import Ticks, add_ticks, hide_numbers, tick_words


def panel(width: float = 3.0, height: float = 2.0, limits=(0.0, 1.0)):
    """Return an empty panel of some size in inches; the smallest of the layouts is 1.4 wide."""
    figure = Figure(figsize=(width + 1.5, height + 1.0), dpi=100)
    FigureCanvasAgg(figure)
    box = (1 / (width + 1.5), 0.6 / (height + 1), width / (width + 1.5), height / (height + 1))
    axes = figure.add_axes(box)
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    return figure, axes


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.floats(1.4, 6.0))
def test_ticks_lie_within_the_limits_are_even_and_are_written_as_they_are(low, span, width):
    _, axes = panel(width, limits=(low, low + span))
    across, _ = add_ticks(axes)
    places = across.places()
    assert ((places >= low - 1e-6 * span) & (places <= low + 1.000001 * span)).all()
    written = np.array([float(word.replace("−", "-")) for word in across.words()])
    assert written == pytest.approx(places, abs=1e-6 * span + 1e-8)
    if len(places) > 1:
        assert np.ptp(np.diff(places)) < 1e-6 * span
        # room for four digits and what is between two numbers; the locator may take one step more
        step = np.diff(places)[0] / span * width * 72
        assert step >= 8.5 * 2.4


def test_where_there_is_room_they_are_matplotlibs():
    _, axes = panel(6.0, 4.0, (-0.13, 0.42))
    across, up = add_ticks(axes)
    locator = AutoLocator()
    locator.set_params(nbins=6)
    expected = [t for t in locator.tick_values(-0.13, 0.42) if -0.13 <= t <= 0.42]
    assert across.places() == pytest.approx(expected)
    assert up.places() == pytest.approx(expected)


def test_numbers_have_as_many_decimals_as_they_need():
    assert tick_words(np.array([-0.05, 0.0, 0.05])) == ["−0.05", "0.00", "0.05"]
    assert tick_words(np.array([100.0, 200.0])) == ["100", "200"]
    assert tick_words(np.array([2.5, 5.0])) == ["2.5", "5.0"]


def ink(figure: Figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].min(axis=-1) < 128


def test_hidden_numbers_leave_the_ticks():
    figure, axes = panel()
    add_ticks(axes)
    before = ink(figure)
    hide_numbers(axes)
    after = ink(figure)
    left = int(axes.bbox.x0)
    # above the numbers of the other axis
    rows = slice(0, len(before) - int(axes.bbox.y0) - 10)
    assert before[rows, : left - 8].any()
    assert not after[rows, : left - 8].any()
    assert after[rows, left - 4].any()


def test_given_places_beyond_the_limits_take_their_words_with_them():
    _, axes = panel()
    bar = Ticks(axes, "x", [-1.0, 0.0, 0.5, 2.0], ["low", "zero", "half", "high"])
    assert bar.places().tolist() == [0.0, 0.5]
    assert bar.words() == ["zero", "half"]


def test_the_name_of_an_axis_stands_clear_of_its_numbers():
    figure, axes = panel(limits=(-12000.0, 12000.0))
    axes.set_ylabel("energy")
    _, up = add_ticks(axes)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    name = axes.yaxis.label.get_window_extent(renderer)
    longest = max(up.words(), key=len)
    width = axes.text(0, 0, longest, fontsize=8.5).get_window_extent(renderer).width
    assert name.x1 <= axes.bbox.x0 - width
