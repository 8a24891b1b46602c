"""The landscape figures: DFT, model and difference side by side, cuts and correlation below.

Figures are drawn with matplotlib's objects only; no pyplot, no global state, so that they can be
drawn in threads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.figures.colour_scales import Scale, change_scale, energy_scale, landscape_scales
from symscape.figures.image import Size, save_figure
from symscape.figures.landscape_data import LandscapeData
from symscape.figures.layouts import Layout, add_axes
from symscape.figures.panels import (
    DFT_LINE,
    ENERGY_COLOURS,
    ERROR_COLOURS,
    GAPS,
    MARKERS,
    MODEL_LINE,
    PLAIN,
    TITLE,
    Mark,
    Marked,
    draw_bar,
    draw_correlation,
    draw_cut,
    draw_map,
    draw_window,
    find_gaps,
    mark_points,
)
from symscape.figures.ticks import hide_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI: dict[Layout, int] = {"wide": 116, "tall": 120}
#: what the bars say
_ABOVE, _APART = "energy above the DFT minimum", "model − DFT, blue: too low"
_CHANGED = "new − baseline, blue: lower than before"


def draw_landscape(data: LandscapeData, layout: Layout = "wide") -> Figure:
    """Draw the landscape figure.

    Three maps (DFT and model on one energy scale, their difference on one centred on zero), below
    them the cuts through the DFT minimum along each axis and the model's energies against DFT's.
    DFT's map and cuts alone where nothing is known about the model's energies.

    Parameters
    ----------
    layout
        ``wide``: the maps in a row; ``tall``: one column for small screens, without correlation.
    """
    if data.model is None:
        return _draw_reference(data, layout)
    figure, axes = add_axes("landscape", layout, DPI[layout])
    energies, errors = landscape_scales(data)
    shared = draw_map(axes["dft"], data, data.reference, energies, ENERGY_COLOURS)
    draw_map(axes["model"], data, data.model, energies, ENERGY_COLOURS)
    apart = draw_map(axes["error"], data, data.error, errors, ERROR_COLOURS)
    titles = {
        "dft": data.reference_name,
        "model": data.model_name,
        "error": f"{data.model_name} − {data.reference_name}",
    }
    points = {
        Mark.DFT_MINIMUM: data.minimum,
        Mark.MODEL_MINIMUM: data.model_minimum,
        Mark.WORST_POINT: data.worst,
    }
    _name_maps(axes, data, layout, titles)
    for name in titles:
        mark_points(axes[name], data, points)
    draw_window(axes["error"], data)
    draw_bar(figure, shared, axes["energy_bar"], energies, _ABOVE)
    draw_bar(figure, apart, axes["error_bar"], errors, _APART)
    _draw_cuts(axes, data, energies)
    if "correlation" in axes:
        draw_correlation(axes["correlation"], data, energies)
    handles = [*_markers(points), *_lines(data), *_window(data)]
    _finish(figure, data, layout, handles + _gaps(data, data.reference, data.model))
    return figure


def draw_alone(data: LandscapeData, layout: Layout = "wide") -> Figure:
    """Draw a model's landscape where there is no DFT: map and cuts through its minimum.

    Parameters
    ----------
    data
        With the model's energies and name in the places of the reference's.
    layout
        As for `draw_landscape`.
    """
    return _draw_reference(data, layout, Mark.MODEL_MINIMUM, "energy above the model's minimum")


def _draw_reference(
    data: LandscapeData, layout: Layout, minimum: Mark = Mark.DFT_MINIMUM, above: str = _ABOVE
) -> Figure:
    """Draw the landscape figure of one method."""
    figure, axes = add_axes("reference", layout, DPI[layout])
    energies, _ = landscape_scales(data)
    filled = draw_map(axes["dft"], data, data.reference, energies, ENERGY_COLOURS)
    points = {minimum: data.minimum}
    _name_maps(axes, data, layout, {"dft": data.reference_name})
    mark_points(axes["dft"], data, points)
    draw_bar(figure, filled, axes["energy_bar"], energies, above)
    _draw_cuts(axes, data, energies)
    handles = [*_markers(points), *_lines(data)]
    _finish(figure, data, layout, handles + _gaps(data, data.reference))
    return figure


def draw_baseline(data: LandscapeData, layout: Layout = "wide") -> Figure:
    """Draw an earlier model beside the model on one energy scale, and how they differ.

    Parameters
    ----------
    data
        With the energies of both.
    layout
        ``wide``: three maps in a row; ``tall``: one column for small screens.

    Raises
    ------
    ValueError
        If the energies of one are missing.
    """
    if data.model is None or data.baseline is None:
        raise ValueError("a figure of model and baseline needs the energies of both")
    figure, axes = add_axes("baseline", layout, DPI[layout])
    both = 1000 * np.stack([data.baseline, data.model])
    energies = energy_scale(1000 * data.reference, both, 1000 * data.window)
    changes = change_scale(data)
    draw_map(axes["baseline"], data, data.baseline, energies, ENERGY_COLOURS)
    shared = draw_map(axes["model"], data, data.model, energies, ENERGY_COLOURS)
    apart = draw_map(axes["error"], data, data.change, changes, ERROR_COLOURS)
    new = f"new: {data.model_name}"
    titles = {"baseline": "baseline", "model": new, "error": "new − baseline"}
    _name_maps(axes, data, layout, titles)
    dft = {Mark.DFT_MINIMUM: data.minimum}
    mark_points(axes["baseline"], data, {**dft, Mark.MODEL_MINIMUM: data.baseline_minimum})
    mark_points(axes["model"], data, {**dft, Mark.MODEL_MINIMUM: data.model_minimum})
    mark_points(axes["error"], data, dft)
    draw_window(axes["error"], data)
    draw_bar(figure, shared, axes["energy_bar"], energies, _ABOVE)
    draw_bar(figure, apart, axes["error_bar"], changes, _CHANGED)
    handles = [*_markers({**dft, Mark.MODEL_MINIMUM: data.model_minimum}), *_window(data)]
    _finish(figure, data, layout, handles + _gaps(data, data.baseline, data.model))
    return figure


def _name_maps(
    axes: dict[str, Axes], data: LandscapeData, layout: Layout, titles: dict[str, str]
) -> None:
    """Write the titles above the maps and the second axis's name beside the first of each row."""
    for k, (name, title) in enumerate(titles.items()):
        axes[name].set_title(title, fontsize=10.5, fontweight="bold", **TITLE)
        if k == 0 or layout == "tall":
            axes[name].set_ylabel(data.labels[1], fontsize=9.5, **PLAIN)
        else:
            hide_numbers(axes[name])


def _draw_cuts(axes: dict[str, Axes], data: LandscapeData, energies: Scale) -> None:
    draw_cut(axes["cut_u"], data, 0, energies)
    draw_cut(axes["cut_v"], data, 1, energies)
    axes["cut_u"].set_ylabel("meV/atom", fontsize=9)


def _markers(points: Marked) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="none", label=kind, **MARKERS[kind])
        for kind, index in points.items()
        if index is not None
    ]


def _lines(data: LandscapeData) -> list[Any]:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], label=data.reference_name, **DFT_LINE)]
    if data.model is not None:
        lines.append(Line2D([], [], label=data.model_name, **MODEL_LINE))
    return lines


def _window(data: LandscapeData) -> list[Any]:
    from matplotlib.lines import Line2D

    if not (data.reference[np.isfinite(data.reference)] > data.window).any():
        return []
    label = f"judged window, {1000 * data.window:g} meV/atom"
    return [Line2D([], [], color="black", linestyle="dashed", label=label)]


def _gaps(data: LandscapeData, *grids: np.ndarray) -> list[Any]:
    from matplotlib.patches import Patch

    present = {kind for grid in grids for kind, _ in find_gaps(data, np.isfinite(grid))}
    return [
        Patch(label=label, linewidth=0.5, **style)
        for kind, (label, style) in GAPS.items()
        if kind in present
    ]


def _finish(figure: Figure, data: LandscapeData, layout: Layout, handles: list[Any]) -> None:
    """Add the legend below, and the slice's name above where there is room."""
    legend = figure.legend(
        handles=handles,
        loc="lower center",
        ncols=8 if layout == "wide" else 2,
        fontsize=8.5,
        frameon=False,
        columnspacing=1.4,
        handletextpad=0.5,
    )
    for text in legend.get_texts():
        text.set(**PLAIN)
    if data.title and layout == "wide":
        up = 1 - 0.06 / figure.get_figheight()
        style: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": 9, "color": "#555555"}
        figure.text(0.008, up, data.title, **style, **PLAIN)


def save_landscape_figure(path: str | Path, data: LandscapeData, layout: Layout = "wide") -> Size:
    """Draw the landscape figure into a PNG file and return its width and height in pixels.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    return save_figure(path, draw_landscape(data, layout))
