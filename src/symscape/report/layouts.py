"""Where the panels of the figures stand: sizes and places in inches."""

from __future__ import annotations

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
    return (4.0, 11.6), {
        "dft": _column(9.396, 1.786),
        "model": _column(7.006, 1.786),
        "energy_bar": _column(6.415, 0.104),
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
        return (11.6, 4.75), _wide_maps(1.285, names)
    return (4.0, 8.65), {
        "baseline": _column(6.446, 1.786),
        "model": _column(4.056, 1.786),
        "energy_bar": _column(3.465, 0.104),
        "error": _column(1.094 + 0.35, 1.786),
        "error_bar": _column(0.5 + 0.35, 0.104),
    }


LAYOUTS = {"landscape": _landscape, "reference": _reference, "baseline": _baseline}


def add_axes(
    kind: Literal["landscape", "reference", "baseline"], layout: Layout, dpi: float
) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure and its empty panels, without pyplot and its global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    (width, height), boxes = LAYOUTS[kind](layout)
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    axes = {
        name: figure.add_axes((x / width, y / height, w / width, h / height))
        for name, (x, y, w, h) in boxes.items()
    }
    return figure, axes
