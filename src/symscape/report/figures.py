"""The landscape figure: DFT, model and difference side by side, cuts and correlation below.

Figures are drawn with matplotlib's objects only; no pyplot, no global state, so that they can be
drawn in threads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from symscape.report.image import save_figure
from symscape.report.panels import (
    DFT_LINE,
    ENERGY_COLOURS,
    ERROR_COLOURS,
    GAPS,
    MARKERS,
    MODEL_LINE,
    TITLE,
    LandscapeData,
    draw_bar,
    draw_correlation,
    draw_cut,
    draw_map,
    draw_window,
    fill_map,
    find_gaps,
    mark_points,
)
from symscape.report.scales import Scale, energy_scale, error_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Layout = Literal["wide", "tall"]

DPI = 144
THUMBNAIL_PIXELS = (240, 80)


def draw_landscape(data: LandscapeData, layout: Layout = "wide") -> Figure:
    """Draw the landscape figure.

    Three maps (DFT and model on one energy scale, their difference on one centred on zero), below
    them the cuts through the DFT minimum along each axis and the model's energies against DFT's.

    Parameters
    ----------
    layout
        ``wide``: the maps in a row; ``tall``: one column for small screens, without correlation.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    wide = layout == "wide"
    figure = Figure(figsize=(11.6, 7.7) if wide else (4.0, 11.6), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = (_wide_axes if wide else _tall_axes)(figure)
    energies, errors = _scales(data)
    shared = draw_map(axes["dft"], data, data.reference, energies, ENERGY_COLOURS)
    draw_map(axes["model"], data, data.model, energies, ENERGY_COLOURS)
    apart = draw_map(axes["error"], data, data.error, errors, ERROR_COLOURS)
    for name, title in (
        ("dft", data.reference_name),
        ("model", data.model_name),
        ("error", f"{data.model_name} − {data.reference_name}"),
    ):
        if name == "dft" or not wide:
            axes[name].set_ylabel(data.labels[1], fontsize=9.5)
        axes[name].set_title(title, fontsize=10.5, fontweight="bold", **TITLE)
        mark_points(axes[name], data)
    draw_window(axes["error"], data)
    draw_bar(figure, shared, axes["energy_bar"], energies, "energy above the DFT minimum")
    draw_bar(figure, apart, axes["error_bar"], errors, "model − DFT, blue: too low")
    draw_cut(axes["cut_u"], data, 0, energies)
    draw_cut(axes["cut_v"], data, 1, energies)
    axes["cut_u"].set_ylabel("meV/atom", fontsize=9)
    if "correlation" in axes:
        draw_correlation(axes["correlation"], data, energies)
    figure.legend(
        handles=_legend_handles(data),
        loc="lower center",
        ncols=8 if wide else 2,
        fontsize=8.5,
        frameon=False,
        columnspacing=1.4,
        handletextpad=0.5,
    )
    if data.title and wide:
        figure.text(0.008, 0.992, data.title, ha="left", va="top", fontsize=9, color="#555555")
    for text in figure.findobj(Text):
        # names come from files: a dollar sign must not begin a formula
        text.set_parse_math(False)  # type: ignore[attr-defined]
    return figure


def _scales(data: LandscapeData) -> tuple[Scale, Scale]:
    """Return the scale of DFT and model and that of their difference."""
    inside = np.isfinite(data.error) & (data.reference <= data.window + 1e-12)
    energies = energy_scale(1000 * data.reference, 1000 * data.model, 1000 * data.window)
    return energies, error_scale(1000 * data.error, inside)


def _wide_axes(figure: Figure) -> dict[str, Axes]:
    sides = {"left": 0.065, "right": 0.985}
    maps = figure.add_gridspec(1, 3, top=0.93, bottom=0.55, wspace=0.12, **sides)
    bars = figure.add_gridspec(1, 3, top=0.472, bottom=0.455, wspace=0.12, **sides)
    cuts = figure.add_gridspec(1, 3, top=0.35, bottom=0.125, wspace=0.18, **sides)
    axes = {"dft": figure.add_subplot(maps[0])}
    for k, name in ((1, "model"), (2, "error")):
        axes[name] = figure.add_subplot(maps[k], sharex=axes["dft"], sharey=axes["dft"])
        axes[name].tick_params(labelleft=False)
    axes["energy_bar"] = figure.add_subplot(bars[:2])
    axes["error_bar"] = figure.add_subplot(bars[2])
    for k, name in enumerate(("cut_u", "cut_v", "correlation")):
        axes[name] = figure.add_subplot(cuts[k])
    return axes


def _tall_axes(figure: Figure) -> dict[str, Axes]:
    # (top, bottom) as shares of the figure's height
    rows = {
        "dft": (0.964, 0.81),
        "model": (0.758, 0.604),
        "energy_bar": (0.562, 0.553),
        "error": (0.494, 0.34),
        "error_bar": (0.298, 0.289),
    }
    axes: dict[str, Axes] = {}
    for name, (top, bottom) in rows.items():
        spec = figure.add_gridspec(1, 1, left=0.165, right=0.97, top=top, bottom=bottom)
        axes[name] = figure.add_subplot(spec[0])
    cuts = figure.add_gridspec(1, 2, left=0.165, right=0.97, top=0.222, bottom=0.117, wspace=0.3)
    axes["cut_u"] = figure.add_subplot(cuts[0])
    axes["cut_v"] = figure.add_subplot(cuts[1])
    return axes


def _legend_handles(data: LandscapeData) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    shown = {"DFT minimum": data.minimum, "model minimum": data.model_minimum}
    handles: list[Any] = [
        Line2D([], [], linestyle="none", label=kind, **style)
        for kind, style in MARKERS.items()
        if {**shown, "worst point": data.worst}[kind] is not None
    ]
    handles += [
        Line2D([], [], label=data.reference_name, **DFT_LINE),
        Line2D([], [], label=data.model_name, **MODEL_LINE),
    ]
    if (data.reference[np.isfinite(data.reference)] > data.window).any():
        label = f"judged window, {1000 * data.window:g} meV/atom"
        handles.append(Line2D([], [], color="black", linestyle="dashed", label=label))
    present = {
        kind
        for grid in (data.reference, data.model)
        for kind, _ in find_gaps(data, np.isfinite(grid))
    }
    handles += [
        Patch(label=label, linewidth=0.5, **style)
        for kind, (label, style) in GAPS.items()
        if kind in present
    ]
    return handles


def draw_thumbnail(data: LandscapeData) -> Figure:
    """Draw the three maps small, without words: 240 x 80 pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = THUMBNAIL_PIXELS
    figure = Figure(figsize=(width / 50, height / 50), dpi=50, facecolor="white")
    FigureCanvasAgg(figure)
    energies, errors = _scales(data)
    for k, (grid, scale, colours) in enumerate(
        (
            (data.reference, energies, ENERGY_COLOURS),
            (data.model, energies, ENERGY_COLOURS),
            (data.error, errors, ERROR_COLOURS),
        )
    ):
        axes = figure.add_axes((k / 3 + 0.004, 0.01, 1 / 3 - 0.008, 0.98))
        axes.set_axis_off()
        fill_map(axes, data, grid, scale, colours)
    return figure


def save_landscape_figure(
    path: str | Path, data: LandscapeData, layout: Layout = "wide"
) -> tuple[int, int]:
    """Draw the landscape figure into a PNG file and return its width and height in pixels.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    return save_figure(path, draw_landscape(data, layout))
