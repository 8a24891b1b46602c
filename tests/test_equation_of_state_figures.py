"""Pictures of curves and of the periodic table."""

from __future__ import annotations

import numpy as np
import pytest

from symscape.figures.curves_figure import CurvePair, draw_curves
from symscape.figures.periodic_table import draw_periodic_table, place
from symscape.references.birch_murnaghan import BirchMurnaghan


def curve(volume: float) -> BirchMurnaghan:
    """Return one curve with its minimum at a volume."""
    return BirchMurnaghan(*(np.array([value]) for value in (-3.0, volume, 0.7, 4.0)))


def test_every_element_has_a_cell_of_its_own():
    assert len({place(number) for number in range(1, 119)}) == 118


@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_a_table_shows_what_is_judged(layout):
    values = {22: 0.5, 26: -2.25, 2: float("nan")}
    figure = draw_periodic_table(values, "error (%)", "a", top=3, signed=True, layout=layout)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"+0.50", "−2.25", "none"} <= set(texts)
    assert len(figure.axes[0].patches) == 103


def test_curves_are_drawn_from_their_own_minima():
    pairs = [CurvePair("Ti-BCC", curve(17.0), curve(v), "") for v in (17.0, 17.5, np.nan)]
    figure = draw_curves(pairs, "model")
    dft, model = figure.axes[1].lines
    at = dft.get_xdata()
    assert dft.get_ydata().min() == pytest.approx(0, abs=1e-9)
    assert at[dft.get_ydata().argmin()] == pytest.approx(1)
    assert at[model.get_ydata().argmin()] == pytest.approx(17.5 / 17, abs=0.002)
    assert np.isnan(figure.axes[2].lines[1].get_ydata()).all()
