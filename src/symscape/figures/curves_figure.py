"""Energy against volume, DFT's and the model's, a panel a crystal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.figures.layouts import Layout
from symscape.figures.panels import DFT_COLOUR, MODEL_COLOUR, TITLE
from symscape.references.birch_murnaghan import BirchMurnaghan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: dots for each inch; a tall figure has the width of a telephone
_DPI: dict[Layout, int] = {"wide": 144, "tall": 120}
_COLUMNS: dict[Layout, int] = {"wide": 5, "tall": 2}
#: ends of the volume axis, relative to DFT's minimum
_ENDS = (0.92, 1.08)


@dataclass(frozen=True, eq=False)
class CurvePair:
    """Two curves of one crystal.

    Parameters
    ----------
    title
        Above the panel: ``Ti-BCC``.
    dft
        One curve.
    model
        The model's, NaN where its minimum was not found.
    note
        Beside the title: ``epsilon 1.08``.
    """

    title: str
    dft: BirchMurnaghan
    model: BirchMurnaghan
    note: str


def draw_curves(pairs: Sequence[CurvePair], model: str, layout: Layout = "wide") -> Figure:
    """Draw pairs of curves, each curve from its own minimum as epsilon compares them.

    Parameters
    ----------
    pairs
        At least one.
    model
        The model's name.
    layout
        ``wide``, or ``tall`` for small screens.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(_COLUMNS[layout], len(pairs))
    rows = math.ceil(len(pairs) / columns)
    figure = Figure(
        figsize=(2.0 * columns + 0.4, 1.9 * rows + 0.5), dpi=_DPI[layout], layout="constrained",
        facecolor="white",
    )  # fmt: skip
    FigureCanvasAgg(figure)
    panels = np.ravel(figure.subplots(rows, columns, squeeze=False, sharex=True))
    for axes, pair in zip(panels, pairs, strict=False):
        _draw_pair(axes, pair, model)
    for axes in panels[len(pairs) :]:
        axes.set_axis_off()
    panels[0].legend(fontsize=7.5, frameon=False, loc="upper center")
    figure.supxlabel("volume / DFT's at the minimum", fontsize=9)
    figure.supylabel("energy above the own minimum (meV/atom)", fontsize=9)
    return figure


def _draw_pair(axes: Axes, pair: CurvePair, model: str) -> None:
    """Draw one panel; what the model's curve does far above DFT's is cut off."""
    ratios = np.linspace(*_ENDS, 97)
    volumes = pair.dft.volume[:, None] * ratios
    for curve, colour, label in (
        (pair.dft, DFT_COLOUR, "DFT"),
        (pair.model, MODEL_COLOUR, model),
    ):
        energies = 1000 * (curve.energies(volumes) - curve.energy[:, None])[0]
        axes.plot(ratios, energies, color=colour, linewidth=1.4, label=label, gid=label)
    top = 1000 * float((pair.dft.energies(volumes) - pair.dft.energy[:, None]).max())
    axes.set_xlim(*_ENDS)
    axes.set_ylim(-0.06 * top, 1.15 * top)
    axes.tick_params(labelsize=7.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(pair.title, fontsize=9, fontweight="bold", **TITLE)
    axes.set_title(pair.note, fontsize=7.5, **{**TITLE, "loc": "right"})
