"""A periodic table whose cells are coloured by a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.equation_of_state.groups import table_place
from symscape.figures.layouts import Layout
from symscape.figures.panels import ERROR_COLOURS, PLAIN, TITLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Colour = str | tuple[float, float, float, float]

#: dots for each inch; a tall figure has the width of a telephone
_DPI: dict[Layout, int] = {"wide": 144, "tall": 120}
_WIDTH: dict[Layout, float] = {"wide": 9.6, "tall": 4.6}
#: light is good, dark is bad, and both are read without red-green vision
_COLOURS = "YlOrBr"
NOTHING, NOT_JUDGED = "#ffffff", "#eeeeee"
#: size of letters in points, multiplied by what they are
_LETTERS: dict[Layout, float] = {"wide": 7.5, "tall": 4.4}
#: rows of the table above its two rows of f elements
PERIODS = 7
GAP = 0.4


def element_cell(number: int) -> tuple[int, int]:
    """Return row and column of an element's cell, both from 0; f elements stand below the others.

    Parameters
    ----------
    number
        Atomic number, 1 to 118.
    """
    period, group = table_place(number)
    if group:
        return period - 1, group - 1
    return PERIODS + period - 6, 2 + number - (57 if period == 6 else 89)


@dataclass(frozen=True)
class ElementTable:
    """What a periodic table shows.

    Parameters
    ----------
    values
        Atomic number to value; NaN where the model gives none. What is not in it is not judged and
        is grey.
    label
        What the colour bar shows, with its unit.
    title
        Above the table.
    words
        What it shows, for those who can't see it.
    top
        Where the colour scale ends; for a signed number at both ends.
    signed
        Whether the scale is centred on zero, blue for too low.
    decimals
        Of the number in each cell.
    """

    values: Mapping[int, float]
    label: str
    title: str
    words: str
    top: float
    signed: bool = False
    decimals: int = 2

    @property
    def colours(self) -> str:
        """Name of the colour map."""
        return ERROR_COLOURS if self.signed else _COLOURS

    @property
    def bottom(self) -> float:
        """Where the colour scale begins."""
        return -self.top if self.signed else 0.0

    def text(self, value: float) -> str:
        """Return the number of a cell, ``none`` where there is none."""
        if not np.isfinite(value):
            return "none"
        return f"{value:{'+' if self.signed else ''}.{self.decimals}f}".replace("-", "−")


def draw_periodic_table(table: ElementTable, layout: Layout = "wide") -> Figure:
    """Draw a table of the elements.

    Parameters
    ----------
    layout
        ``wide``, or ``tall`` for small screens.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    figure, axes = _canvas(layout)
    norm = Normalize(table.bottom, table.top)
    colours = colormaps[table.colours]
    size = _LETTERS[layout]
    for number in range(1, 104):
        if number not in table.values:
            _draw_cell(axes, number, NOT_JUDGED, "", size)
        else:
            value = table.values[number]
            face = colours(norm(value)) if np.isfinite(value) else NOTHING
            _draw_cell(axes, number, face, table.text(value), size)
    bar = figure.colorbar(
        ScalarMappable(norm, colours), ax=axes, orientation="horizontal", fraction=0.05, pad=0.02,
        shrink=0.5, extend="both" if table.signed else "max",
    )  # fmt: skip
    bar.set_label(table.label, fontsize=1.1 * size, **PLAIN)
    bar.ax.tick_params(labelsize=size)
    axes.set_title(table.title, fontsize=1.3 * size, fontweight="bold", **TITLE)
    return figure


def _draw_cell(axes: Axes, number: int, face: Colour, text: str, size: float) -> None:
    """Draw an element's cell: symbol and number."""
    from ase.data import chemical_symbols
    from matplotlib.patches import Rectangle

    row, column = element_cell(number)
    y = row + (GAP if row >= PERIODS else 0)
    cell = Rectangle(
        (column + 0.03, y + 0.03), 0.94, 0.94, facecolor=face, edgecolor="#bbbbbb", linewidth=0.5,
        hatch="////" if face == NOTHING else "", gid=f"element-{number}",
    )  # fmt: skip
    axes.add_patch(cell)
    ink = "#999999" if face == NOT_JUDGED else "#ffffff" if is_dark(face) else "#222222"
    centred: dict[str, Any] = {"ha": "center", "va": "center", "color": ink}
    symbol = chemical_symbols[number]
    axes.text(column + 0.5, y + 0.4, symbol, fontsize=1.3 * size, fontweight="bold", **centred)
    axes.text(column + 0.5, y + 0.78, text, fontsize=0.85 * size, **centred)


def _canvas(layout: Layout) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width = _WIDTH[layout]
    figure = Figure(
        figsize=(width, 0.62 * width), dpi=_DPI[layout], layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_xlim(0, 18)
    axes.set_ylim(PERIODS + 2 + GAP, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure, axes


def is_dark(face: Colour) -> bool:
    """Whether white letters are read better than black ones (ITU-R BT.601 luma)."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(face)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
