"""The panels of a landscape figure: maps, cuts and correlation, and what they show."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.figures.colour_scales import Scale
from symscape.figures.landscape_data import LandscapeData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: names come from files: a dollar sign must not begin a formula
PLAIN: dict[str, Any] = {"parse_math": False}
#: a height of one's own spares matplotlib the search for one that overlaps nothing
TITLE: dict[str, Any] = {"loc": "left", "pad": 5, "y": 1.0, **PLAIN}
#: points: letters of a colour bar's name; usual width of a letter in its size
_BAR_SIZE, _LETTER = 8.5, 0.6
#: perceptually uniform, and readable without red-green vision
ENERGY_COLOURS = "viridis"
#: off the energy scale
ABOVE_SCALE, BELOW_SCALE = "#fbf6d3", "#16001c"
#: blue where the model is too low, red where it is too high
ERROR_COLOURS = "RdBu_r"
DFT_COLOUR, MODEL_COLOUR, WORST_COLOUR = "#111111", "#e06c00", "#d4006a"


def draw_map(
    axes: Axes, data: LandscapeData, energies: np.ndarray, scale: Scale, colours: str
) -> Any:
    """Fill one map with colours, contour and label it, hatch what has no energy.

    Parameters
    ----------
    energies
        eV/atom, shape (n_u, n_v).

    Returns
    -------
    The filled contours, None where there is no energy at all.
    """
    from symscape.figures.ticks import add_ticks

    known = np.isfinite(energies)
    filled = None
    if known.any():
        # contours need every point: unknown ones take their neighbour's energy and are covered
        whole = 1000 * fill_nearest(energies, known).T
        filled = axes.contourf(
            data.u, data.v, whole, levels=scale.shades, cmap=colour_map(colours),
            extend=scale.extend,
        )  # fmt: skip
        lines = axes.contour(
            data.u, data.v, whole, levels=scale.lines[1:-1],
            colors="black", linewidths=0.7, alpha=0.55, negative_linestyles="solid",
        )  # fmt: skip
        _label_lines(axes, data, lines, known)
    for kind, where in find_gaps(data, known):
        cover_gap(axes, data, where, kind)
    axes.set_xlim(data.u[0], data.u[-1])
    axes.set_ylim(data.v[0], data.v[-1])
    axes.set_xlabel(data.labels[0], fontsize=9.5, **PLAIN)
    add_ticks(axes)
    return filled


def colour_map(name: str) -> Any:
    """Return a colour map; energies off the scale are set apart from its ends."""
    from matplotlib import colormaps

    if name != ENERGY_COLOURS:
        return colormaps[name]
    return colormaps[name].with_extremes(over=ABOVE_SCALE, under=BELOW_SCALE)


def _label_lines(axes: Axes, data: LandscapeData, lines: Any, known: np.ndarray) -> None:
    """Write the energies on contour lines, but not over each other, markers, gaps or the frame."""
    from matplotlib.patheffects import withStroke

    size = np.array([np.ptp(data.u), np.ptp(data.v)])
    origin = np.array([data.u[0], data.v[0]])
    marks = (data.minimum, data.model_minimum, data.worst)
    taken = [(np.array([data.u[m[0]], data.v[m[1]]]) - origin) / size for m in marks if m]
    for text in axes.clabel(lines, fontsize=7.5, fmt=_number, colors="black", inline=False):
        spot = (np.array(text.get_position()) - origin) / size
        i = int(np.abs(data.u - text.get_position()[0]).argmin())
        j = int(np.abs(data.v - text.get_position()[1]).argmin())
        crowded = any(np.hypot(*(spot - other)) < 0.075 for other in taken)
        if crowded or not known[i, j] or spot.min() < 0.03 or spot.max() > 0.97:
            text.set_visible(False)
            continue
        taken.append(spot)
        text.set_alpha(1)
        text.set_path_effects([withStroke(linewidth=1.8, foreground="white", alpha=0.85)])


def _number(value: float) -> str:
    """Write a number with a proper minus sign."""
    return f"{value:.4g}".replace("-", "−")


def fill_nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give grid points that are not ``known`` the value of the nearest one that is."""
    if known.all():
        return values
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return values[tuple(nearest)]


#: kinds of grid points without a colour: words for the legend and style
GAPS: dict[str, tuple[str, dict[str, Any]]] = {
    "masked": (
        "masked: atoms too close",
        {"facecolor": "#e4e4e4", "edgecolor": "#8a8a8a", "hatch": "////"},
    ),
    "not computed": (
        "no DFT energy",
        {"facecolor": "#ffffff", "edgecolor": "#b0b0b0", "hatch": ".."},
    ),
    "failed": (
        "model gave no energy",
        {"facecolor": "#ffd9e8", "edgecolor": "#d4006a", "hatch": "xxx"},
    ),
}


def find_gaps(data: LandscapeData, known: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Grid points that a panel has no colour for, by the reason."""
    unmasked = ~known & ~data.masked
    has_dft = np.isfinite(data.reference)
    kinds = (
        ("masked", data.masked),
        ("not computed", unmasked & ~has_dft),
        ("failed", unmasked & has_dft),
    )
    return [(kind, where) for kind, where in kinds if where.any()]


def cover_gap(axes: Axes, data: LandscapeData, where: np.ndarray, kind: str) -> None:
    """Cover the cells around grid points with one hatched patch."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    u, v = _cell_edges(data.u), _cell_edges(data.v)
    i, j = np.nonzero(where)
    corners = np.stack(
        [
            np.stack([u[i + a], v[j + b]], axis=-1)
            for a, b in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
        ],
        axis=1,
    )
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * len(i)
    outline = Outline(corners.reshape(-1, 2), codes)
    axes.add_patch(PathPatch(outline, linewidth=0, zorder=2.5, gid=kind, **GAPS[kind][1]))


def _cell_edges(values: np.ndarray) -> np.ndarray:
    between = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - between[0]], between, [2 * values[-1] - between[-1]]])


class Mark(StrEnum):
    """What a marker stands for, as the legend says it."""

    DFT_MINIMUM = "DFT minimum"
    MODEL_MINIMUM = "model minimum"
    WORST_POINT = "worst point"


#: grid indices of what is marked; None where there is none
Marked = Mapping[Mark, tuple[int, int] | None]


def mark_points(axes: Axes, data: LandscapeData, points: Marked) -> None:
    """Mark minima and the worst point."""
    for kind, index in points.items():
        if index is not None:
            axes.plot(
                [data.u[index[0]]], [data.v[index[1]]], linestyle="none", gid=kind,
                clip_on=False, zorder=4, **MARKERS[kind],
            )  # fmt: skip


MARKERS: dict[Mark, dict[str, Any]] = {
    Mark.DFT_MINIMUM: {
        "marker": "o", "markersize": 10, "markerfacecolor": "white",
        "markeredgecolor": DFT_COLOUR, "markeredgewidth": 1.6,
    },
    Mark.MODEL_MINIMUM: {
        "marker": "D", "markersize": 5, "markerfacecolor": MODEL_COLOUR,
        "markeredgecolor": "black", "markeredgewidth": 0.8,
    },
    Mark.WORST_POINT: {
        "marker": "X", "markersize": 9.5, "markerfacecolor": WORST_COLOUR,
        "markeredgecolor": "white", "markeredgewidth": 1.1,
    },
}  # fmt: skip


def draw_window(axes: Axes, data: LandscapeData) -> None:
    """Outline the judged window: beyond it errors do not count."""
    known = np.isfinite(data.reference)
    if (data.reference[known] > data.window).any():
        whole = fill_nearest(data.reference, known).T
        axes.contour(
            data.u, data.v, whole, levels=[data.window], colors="black", linewidths=1.4,
            linestyles="dashed",
        )  # fmt: skip


def draw_bar(figure: Figure, filled: Any, axes: Axes, scale: Scale, label: str) -> None:
    """Draw a map's colour bar into axes of its own."""
    from symscape.figures.ticks import Ticks

    if filled is None:
        axes.set_axis_off()
        return
    bar = figure.colorbar(
        filled, cax=axes, orientation="horizontal", ticks=[]
    )  # fmt: skip
    Ticks(axes, "x", scale.lines, [_number(value) for value in scale.lines])
    words = f"{label} (meV/atom)"
    if scale.note:
        beyond = f"beyond the scale {scale.note}"
        width = 72 * axes.bbox.width / figure.dpi
        fits = _LETTER * _BAR_SIZE * len(f"{words}; {beyond}") < width
        words = f"{words}; {beyond}" if fits else f"{words};\n{beyond}"
    bar.set_label(words, fontsize=_BAR_SIZE, **PLAIN)
    bar.outline.set_linewidth(0.6)  # type: ignore[operator]


def draw_cut(axes: Axes, data: LandscapeData, along: int, scale: Scale) -> None:
    """Draw DFT and model along one axis through the DFT minimum."""
    i, j = data.minimum
    cut = (slice(None), j) if along == 0 else (i, slice(None))
    values = data.u if along == 0 else data.v
    other, fixed = (data.labels[1], data.v[j]) if along == 0 else (data.labels[0], data.u[i])
    shown = [("DFT", data.reference, DFT_LINE), ("model", data.model, MODEL_LINE)]
    lines = [(name, 1000 * grid[cut], style) for name, grid, style in shown if grid is not None]
    for name, energies, style in lines:
        axes.plot(values, energies, gid=name, **style)
    low, high = scale.limits
    both = np.concatenate([energies for _, energies, _ in lines])
    # a cut along a soft direction fills its panel, but is not magnified into noise
    top = min(high, max(float(np.nanmax(both, initial=0.0)), 0.02 * high))
    _frame_cut(axes, max(low, float(np.nanmin(both, initial=0.0))), top)
    for _, energies, style in lines:
        _point_beyond(axes, values, energies, style["color"])
    axes.set_xlim(values[0], values[-1])
    axes.set_xlabel(data.labels[along], fontsize=9.5, **PLAIN)
    axes.set_title(f"cut at {other} = {_number(fixed)}", fontsize=9, **TITLE)


DFT_LINE: dict[str, Any] = {
    "color": DFT_COLOUR, "linewidth": 1.6, "marker": "o", "markersize": 3,
}  # fmt: skip
MODEL_LINE: dict[str, Any] = {
    "color": MODEL_COLOUR, "linewidth": 1.6, "linestyle": (0, (4, 1.5)), "marker": "D",
    "markersize": 2.6,
}  # fmt: skip


def _point_beyond(axes: Axes, values: np.ndarray, energies: np.ndarray, colour: str) -> None:
    """Point from the border of a cut at what lies beyond it."""
    bottom, top = axes.get_ylim()
    for where, height, marker in ((energies < bottom, bottom, "v"), (energies > top, top, "^")):
        if where.any():
            axes.plot(
                values[where], np.full(where.sum(), height), linestyle="none", marker=marker,
                markersize=4, color=colour, clip_on=False, zorder=4, gid="beyond",
            )  # fmt: skip


def _frame_cut(axes: Axes, low: float, high: float) -> None:
    from symscape.figures.ticks import add_ticks

    margin = 0.05 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    add_ticks(axes, grid=True)
    axes.spines[["top", "right"]].set_visible(False)


def draw_correlation(axes: Axes, data: LandscapeData, scale: Scale) -> None:
    """Draw the model's energies against DFT's, with the softening scale as a line."""
    from symscape.science.landscape.metrics import slope_through_zero

    known = np.isfinite(data.error)
    x = data.reference[known]
    y = x + data.error[known]
    inside = x <= data.window + 1e-12
    low, high = scale.limits
    axes.plot([low, high], [low, high], color=DFT_COLOUR, linewidth=1, gid="equal")
    axes.plot(
        1000 * x, 1000 * y, linestyle="none", marker="D", markersize=2.8, gid="points",
        color=MODEL_COLOUR, alpha=0.75, markeredgewidth=0,
    )  # fmt: skip
    title = "each grid point"
    slope = slope_through_zero(x[inside], y[inside]) if inside.any() else float("nan")
    if np.isfinite(slope):
        ends = np.array([0.0, high])
        axes.plot(ends, slope * ends, color=MODEL_COLOUR, linewidth=1.6, gid="slope")
        title = f"each grid point; softening scale {slope:.2f}"
    _frame_cut(axes, low, high)
    axes.set_xlim(min(low, 0.0), high)
    axes.set_xlabel("DFT (meV/atom)", fontsize=9.5)
    axes.set_ylabel("model (meV/atom)", fontsize=9)
    axes.set_title(title, fontsize=9, **TITLE)
