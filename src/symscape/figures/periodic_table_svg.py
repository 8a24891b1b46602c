"""A periodic table as SVG: a few kilobytes of text, made in a hundredth of matplotlib's time."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import numpy as np

from symscape.figures.periodic_table import (
    GAP,
    NOT_JUDGED,
    NOTHING,
    PERIODS,
    ElementTable,
    element_cell,
    is_dark,
)

#: side of a cell in pixels, of the room above the table and of that below
_CELL, _HEAD, _FOOT = 52, 30, 58
#: colours of the bar
_STEPS = 24


class Svg(NamedTuple):
    """A picture: its text, and its size in pixels."""

    text: str
    width: int
    height: int


def periodic_table_svg(table: ElementTable) -> Svg:
    """Draw a table of the elements with its colour bar."""
    width = 18 * _CELL
    below = _HEAD + round((PERIODS + 2 + GAP) * _CELL)
    parts = [_text(width / 2, 20, table.title, 16, "#222222", bold=True)]
    parts += [_cell(table, number) for number in range(1, 104)]
    parts.append(_bar(table, width, below + 8))
    height = below + _FOOT
    body = "\n".join(parts)
    return Svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" text-anchor="middle">\n'
        f"<title>{escape(table.words)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n',
        width,
        height,
    )


def _colour(table: ElementTable, value: float) -> str:
    """Return a value's colour as ``#rrggbb``."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    share = (value - table.bottom) / (table.top - table.bottom)
    return to_hex(colormaps[table.colours](float(np.clip(share, 0, 1))))


def _cell(table: ElementTable, number: int) -> str:
    """Draw an element's cell: symbol and number."""
    from ase.data import chemical_symbols

    row, column = element_cell(number)
    x, y = column * _CELL, _HEAD + round((row + (GAP if row >= PERIODS else 0)) * _CELL)
    value = table.values.get(number)
    if value is None:
        face, text = NOT_JUDGED, ""
    else:
        face, text = _colour(table, value) if np.isfinite(value) else NOTHING, table.text(value)
    ink = "#767676" if value is None else "#ffffff" if is_dark(face) else "#222222"
    middle, side = x + _CELL / 2, _CELL - 2
    return (
        f'<rect x="{x + 1}" y="{y + 1}" width="{side}" height="{side}" fill="{face}" '
        f'stroke="#bbbbbb" stroke-width="0.7"/>'
        + _text(middle, y + 24, chemical_symbols[number], 15, ink, bold=True)
        + (_text(middle, y + 42, text, 11, ink) if text else "")
    )


def _bar(table: ElementTable, width: int, y: int) -> str:
    """Draw the colour bar with its ends, its middle and what it shows."""
    from_x, step = width / 4, width / 2 / _STEPS
    ends = np.linspace(table.bottom, table.top, _STEPS + 1)
    parts = [
        f'<rect x="{from_x + k * step:.1f}" y="{y}" width="{step + 0.5:.1f}" height="10" '
        f'fill="{_colour(table, (ends[k] + ends[k + 1]) / 2)}"/>'
        for k in range(_STEPS)
    ]
    for share in (0.0, 0.5, 1.0):
        value = table.bottom + share * (table.top - table.bottom)
        mark = f"{value:g}".replace("-", "−")
        beyond = {0.0: "≤ " if table.signed else "", 1.0: "≥ "}.get(share, "")
        parts.append(_text(from_x + share * width / 2, y + 24, beyond + mark, 11, "#222222"))
    parts.append(_text(width / 2, y + 42, table.label, 12, "#222222"))
    return "\n".join(parts)


def _text(x: float, y: float, text: str, size: int, ink: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{ink}"{weight}>{escape(text)}</text>'
    )
