"""What a notebook shows of an object: a small table, and a grid of energies as a map.

An object whose words are known only to a layer above its own asks `noun_html`, where that layer has
put in how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch
from html import escape

import numpy as np

#: width and height of a map in pixels
_SIDE = 160
#: viridis at equal steps
_COLOURS = np.array(
    [[68, 1, 84], [70, 50, 126], [54, 92, 141], [39, 127, 142], [31, 161, 135], [74, 193, 109],
     [160, 218, 57], [253, 231, 37]]
)  # fmt: skip


@singledispatch
def noun_html(noun: object) -> str:
    """Return an object as HTML: as its kind was registered, else its ``repr``."""
    return f"<code>{escape(repr(noun))}</code>"


def table_html(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Return an HTML table; everything is escaped, and numbers have four digits."""

    def text(cell: object) -> str:
        return escape(f"{cell:.4g}" if isinstance(cell, float) else str(cell))

    lines = ["<tr>" + "".join(f"<th>{escape(h)}</th>" for h in head) + "</tr>"] if head else []
    lines += ["<tr>" + "".join(f"<td>{text(c)}</td>" for c in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def map_html(grid: np.ndarray, title: str) -> str:
    """Return a grid as an SVG map, the first axis to the right, the second upwards.

    Parameters
    ----------
    grid
        Shape (n_u, n_v); NaN is grey.
    title
        What it shows, for those who can't see it.
    """
    known = np.isfinite(grid)
    low, high = (float(f(grid[known])) if known.any() else 0.0 for f in (np.min, np.max))
    shares = (np.where(known, grid, low) - low) / ((high - low) or 1.0) * (len(_COLOURS) - 1)
    channels = [
        np.interp(shares, np.arange(len(_COLOURS)), _COLOURS[:, channel]) for channel in range(3)
    ]
    colours = np.where(known[..., None], np.stack(channels, axis=-1), 187).astype(int)
    n_u, n_v = grid.shape
    cells = "".join(
        f'<rect x="{i}" y="{n_v - 1 - j}" width="1.02" height="1.02" '
        f'fill="#{r:02x}{g:02x}{b:02x}"/>'
        for (i, j), (r, g, b) in zip(
            np.ndindex(n_u, n_v), colours.reshape(-1, 3).tolist(), strict=True
        )
    )
    return (
        f'<svg width="{_SIDE}" height="{_SIDE}" viewBox="0 0 {n_u} {n_v}" role="img" '
        f'preserveAspectRatio="none"><title>{escape(title)}</title>{cells}</svg>'
    )
