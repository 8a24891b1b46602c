"""A periodic table as SVG: a file of its own, or a part of a page that answers to a pointer."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import numpy as np

from symscape.figures.periodic_table import (
    GAP,
    NOT_JUDGED,
    NOTHING,
    PERIODS,
    ElementNote,
    ElementTable,
    element_cell,
    is_dark,
)

#: side of a cell in pixels, of the room above the table and of that below
_CELL, _HEAD, _FOOT = 52, 34, 72
#: colours of the bar
_STEPS = 24
#: the last element that has a cell
_LAST = 103
#: letters where a file is looked at alone; a page's style sheet gives ``ink`` and ``quiet`` its own
_INK, _QUIET = "#222222", "#666666"
#: letters on a colour, whichever is read better
_DARK, _LIGHT = "#000000", "#ffffff"


class Svg(NamedTuple):
    """A picture: its text, and its size in pixels."""

    text: str
    width: int
    height: int


def periodic_table_svg(table: ElementTable) -> Svg:
    """Draw a table of the elements with its colour bar, as a file of its own on white."""
    width, height = _size()
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" text-anchor="middle">\n'
        f"<title>{escape(table.words)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
    )
    cells = (_cell(table, number) for number in range(1, _LAST + 1))
    return Svg("\n".join((text + _frame(table), *cells, "</svg>\n")), width, height)


def periodic_table_markup(table: ElementTable) -> str:
    """Return a table of the elements as a part of a page, each element with its note.

    The elements are reached by one stop of the tab key, and then by the arrow keys
    (``periodic.js``); those with an address are links. Colours of letters and of elements that are
    not judged are the page's (``periodic.css``).
    """
    width, height = _size()
    first = min(table.values, default=1)
    cells = (
        _noted(table, number, stop=number == first, note=table.notes.get(number))
        for number in range(1, _LAST + 1)
    )
    head = (
        f'<svg class="periodic" viewBox="0 0 {width} {height}" role="group" text-anchor="middle" '
        f'aria-label="{escape(f"{table.title}: {table.words}")}">'
    )
    return "\n".join((head, _frame(table), *cells, "</svg>"))


def _size() -> tuple[int, int]:
    return 18 * _CELL, _below() + _FOOT


def _below() -> int:
    """Return where the table ends and the colour bar's room begins."""
    return _HEAD + round((PERIODS + 2 + GAP) * _CELL)


def _frame(table: ElementTable) -> str:
    """Draw the title and the colour bar."""
    width = _size()[0]
    title = _text(width / 2, 22, table.title, 16, _INK, "ink title", bold=True)
    return f"{title}\n{_bar(table, width, _below() + 8)}"


def _colour(table: ElementTable, value: float) -> str:
    """Return a value's colour as ``#rrggbb``."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    share = (value - table.bottom) / (table.top - table.bottom)
    return to_hex(colormaps[table.colours](float(np.clip(share, 0, 1))))


def _noted(table: ElementTable, number: int, *, stop: bool, note: ElementNote | None) -> str:
    """Draw an element's cell so that it can be pointed at and be reached by keys."""
    from ase.data import atomic_names, chemical_symbols

    row, column = element_cell(number)
    told = note or ElementNote("not judged")
    words = escape(f"{atomic_names[number]}, {chemical_symbols[number]}: {told.text}")
    known = (
        f'class="cell" data-row="{row}" data-column="{column}" tabindex="{0 if stop else -1}" '
        f'aria-label="{words}"'
    )
    cell = _cell(table, number)
    if told.href:
        return f'<a {known} href="{escape(told.href)}">{cell}</a>'
    return f'<g {known} role="img">{cell}</g>'


def _cell(table: ElementTable, number: int) -> str:
    """Draw an element's cell: symbol and number."""
    from ase.data import chemical_symbols

    row, column = element_cell(number)
    x, y = column * _CELL, _HEAD + round((row + (GAP if row >= PERIODS else 0)) * _CELL)
    value = table.values.get(number)
    if value is None:
        face, text, kind, ink, letters = NOT_JUDGED, "", "grey", _QUIET, "quiet"
    else:
        face, text = _colour(table, value) if np.isfinite(value) else NOTHING, table.text(value)
        kind, ink, letters = "judged", _LIGHT if is_dark(face) else _DARK, ""
    middle, side = x + _CELL / 2, _CELL - 2
    return (
        f'<rect class="{kind}" x="{x + 1}" y="{y + 1}" width="{side}" height="{side}" '
        f'fill="{face}" stroke="#bbbbbb" stroke-width="0.7"/>'
        + _text(middle, y + 24, chemical_symbols[number], 15, ink, f"{letters} symbol", bold=True)
        + (_text(middle, y + 42, text, 11, ink, "value") if text else "")
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
        parts.append(_text(from_x + share * width / 2, y + 24, beyond + mark, 11, _INK, "ink tick"))
    parts.append(_text(width / 2, y + 42, table.label, 12, _INK, "ink label"))
    return "\n".join(parts)


def _text(
    x: float, y: float, text: str, size: int, ink: str, kind: str, *, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text class="{kind.strip()}" x="{x:g}" y="{y:g}" font-size="{size}" fill="{ink}"{weight}>'
        f"{escape(text)}</text>"
    )
