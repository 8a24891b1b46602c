"""Where the panels of the figures stand: sizes and places in inches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: ``wide``: maps in a row; ``tall``: one column, for small screens
Layout = Literal["wide", "tall"]
#: left, bottom, width, height
Box = tuple[float, float, float, float]


def _row(bottom: float, height: float, gap: float) -> tuple[Box, Box, Box]:
    """Three boxes of one size across a wide figure."""
    left, right = 0.754, 11.43
    width = (right - left - 2 * gap) / 3
    first, second, third = ((left + k * (width + gap), bottom, width, height) for k in range(3))
    return first, second, third


def _span(one: Box, other: Box) -> Box:
    """Return the box from the left side of one to the right side of the other."""
    return one[0], one[1], other[0] + other[2] - one[0], one[3]


def _column(bottom: float, height: float) -> Box:
    """Return a box across a tall figure."""
    return 0.66, bottom, 3.22, height


def _cuts(bottom: float) -> dict[str, Box]:
    """Two cuts side by side in a tall figure."""
    return {"cut_u": (0.66, bottom, 1.4, 1.218), "cut_v": (2.48, bottom, 1.4, 1.218)}


def _wide_maps(bottom: float, names: tuple[str, str, str]) -> dict[str, Box]:
    """Three maps in a row; one bar for the first two, one for the third."""
    bars = _row(bottom - 0.73, 0.13, 0.395)
    return {
        **dict(zip(names, _row(bottom, 2.926, 0.395), strict=True)),
        "energy_bar": _span(bars[0], bars[1]),
        "error_bar": bars[2],
    }


def _landscape(layout: Layout) -> tuple[tuple[float, float], dict[str, Box]]:
    """DFT, model and difference, cuts and correlation."""
    if layout == "wide":
        maps = _wide_maps(4.235, ("dft", "model", "error"))
        cuts = ("cut_u", "cut_v", "correlation")
        return (11.6, 7.7), {**maps, **dict(zip(cuts, _row(0.9625, 1.733, 0.572), strict=True))}
    return (4.0, 11.8), {
        "dft": _column(9.596, 1.786),
        "model": _column(7.206, 1.786),
        "energy_bar": _column(6.615, 0.104),
        "error": _column(3.944, 1.786),
        "error_bar": _column(3.352, 0.104),
        **_cuts(1.357),
    }


def _reference(layout: Layout) -> tuple[tuple[float, float], dict[str, Box]]:
    """DFT alone, and its cuts."""
    if layout == "wide":
        panels = _row(1.3, 2.5, 0.572)
        bar = _row(0.63, 0.13, 0.572)[0]
        return (11.6, 4.3), {**dict(zip(("dft", "cut_u", "cut_v"), panels, strict=True)),
                             "energy_bar": bar}  # fmt: skip
    return (4.0, 5.4), {
        "dft": _column(3.1, 1.786),
        "energy_bar": _column(2.5, 0.104),
        **_cuts(0.75),
    }


def _baseline(layout: Layout) -> tuple[tuple[float, float], dict[str, Box]]:
    """Baseline, model, and their difference."""
    names = ("baseline", "model", "error")
    if layout == "wide":
        return (11.6, 5.1), _wide_maps(1.635, names)
    return (4.0, 9.5), {
        "baseline": _column(7.296, 1.786),
        "model": _column(4.906, 1.786),
        "energy_bar": _column(4.315, 0.104),
        "error": _column(1.694, 1.786),
        "error_bar": _column(1.1, 0.104),
    }


def _topology(layout: Layout) -> tuple[tuple[float, float], dict[str, Box]]:
    """DFT and model with minima and saddles; the profile of a path, the persistence diagram."""
    if layout == "wide":
        first, second, third = _row(1.5, 3.35, 0.395)
        left, width = third[0] + 0.3, third[2] - 0.3
        return (11.6, 5.3), {
            "dft": first,
            "model": second,
            "bar": (first[0], 0.82, second[0] + second[2] - first[0], 0.13),
            "profile": (left, 3.25, width, 1.6),
            "persistence": (left, 0.9, width, 1.45),
        }
    return (4.0, 11.95), {
        "dft": _column(9.8, 1.786),
        "model": _column(7.41, 1.786),
        "bar": _column(6.8, 0.104),
        "profile": _column(4.05, 1.9),
        "persistence": _column(1.35, 1.9),
    }


def _wells(layout: Layout) -> tuple[tuple[float, float], dict[str, Box]]:
    """As `_topology` where there is no saddle, so no path to show."""
    size, boxes = _topology(layout)
    del boxes["profile"]
    if layout == "wide":
        left, _, width, _ = boxes["persistence"]
        return size, {**boxes, "persistence": (left, *boxes["dft"][1:2], width, boxes["dft"][3])}
    shift = 2.75
    moved = {name: (x, y - shift, w, h) for name, (x, y, w, h) in boxes.items()}
    return (size[0], size[1] - shift), {**moved, "persistence": boxes["persistence"]}


Kind = Literal["landscape", "reference", "baseline", "topology", "wells"]
LAYOUTS: dict[str, Callable[[Layout], tuple[tuple[float, float], dict[str, Box]]]] = {
    "landscape": _landscape,
    "reference": _reference,
    "baseline": _baseline,
    "topology": _topology,
    "wells": _wells,
}


def add_axes(kind: Kind, layout: Layout, dpi: float) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure and its empty panels, labelled by name; no pyplot, no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    (width, height), boxes = LAYOUTS[kind](layout)
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    axes = {
        name: figure.add_axes((x / width, y / height, w / width, h / height), label=name)
        for name, (x, y, w, h) in boxes.items()
    }
    return figure, axes
