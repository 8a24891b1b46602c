"""A periodic table whose cells are coloured by a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from symscape.figures.panels import ERROR_COLOURS
from symscape.science.equation_of_state.groups import table_place

#: light is good, dark is bad, and both are read without red-green vision
_COLOURS = "YlOrBr"
NOTHING, NOT_JUDGED = "#ffffff", "#eeeeee"
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
class ElementNote:
    """What is told of an element that is pointed at.

    Parameters
    ----------
    text
        Its value and counts, or why it has none.
    href
        Where the page says more; empty for nowhere.
    """

    text: str
    href: str = ""


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
    notes
        Atomic number to what is told of an element on a page.
    """

    values: Mapping[int, float]
    label: str
    title: str
    words: str
    top: float
    signed: bool = False
    decimals: int = 2
    notes: Mapping[int, ElementNote] = field(default_factory=dict)

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


def is_dark(face: str) -> bool:
    """Whether white letters have more contrast than black ones (WCAG's relative luminance)."""
    from matplotlib.colors import to_rgb

    parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(face))
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), parts, strict=True))
    return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05
