"""Landscapes of several models side by side, and a map of where they disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.figures.colour_scales import Scale, energy_scale
from symscape.figures.landscape_data import LandscapeData
from symscape.figures.panels import ENERGY_COLOURS, draw_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from symscape.science.landscape.several import ModelComparison

_SPREAD_COLOURS = "magma_r"
#: numbers below a colour bar, at most
_MOST_NUMBERS = 6


@dataclass(frozen=True, eq=False)
class _Panel:
    title: str
    energies: np.ndarray
    scale: Scale
    colours: str
    label: str


@dataclass(frozen=True, eq=False)
class Overlay:
    """DFT points to be drawn on the maps.

    Parameters
    ----------
    values
        Axis values, shape (n, 2).
    energies
        For each model DFT's energies on the scale of its map, eV/atom, shape (n,): at DFT's lowest
        point they are the model's own.
    """

    values: np.ndarray
    energies: tuple[np.ndarray, ...]


def draw_several(
    comparison: ModelComparison,
    labels: tuple[str, str],
    title: str = "",
    window: float = 0.5,
    overlay: Overlay | None = None,
    most_columns: int = 3,
) -> Figure:
    """Draw each model's map on one scale, with its minima, and the spread where there are several.

    A DFT point is a disk of its energy's colour: where the model is right, it vanishes in the map.

    Parameters
    ----------
    comparison
        The models.
    labels
        Of the axes, as printed.
    title
        Above the figure.
    window
        Where the energy scale ends at the latest, eV/atom.
    overlay
        DFT points, if there are any.
    most_columns
        Maps beside each other, at most; one for narrow screens.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    panels = _panels(comparison, window)
    columns = min(most_columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.4 * columns, 4.2 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    u, v = (axis.values for axis in comparison.slice.axes)
    for k, (axes, panel) in enumerate(zip(grid, panels, strict=False)):
        data = LandscapeData(
            u, v, labels, panel.energies, None, comparison.slice.mask, comparison.zero
        )
        filled = draw_map(axes, data, panel.energies, panel.scale, panel.colours)
        axes.set_title(panel.title, fontsize=10, loc="left", parse_math=False)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.plot(u[comparison.zero[0]], v[comparison.zero[1]], "+", color="white", markersize=11)
        if filled is not None and overlay is not None and k < len(overlay.energies):
            axes.scatter(
                *overlay.values.T, c=1000 * overlay.energies[k], cmap=filled.cmap,
                norm=filled.norm, edgecolors="white", linewidths=1.4, s=70, clip_on=False, zorder=4,
            )  # fmt: skip
        if filled is not None:
            figure.colorbar(
                filled, ax=axes, location="bottom", label=panel.label, shrink=0.9,
                # levels need not be round: 1.88, 3.75, ...
                ticks=MaxNLocator(_MOST_NUMBERS),
            )  # fmt: skip
    for axes, side in zip(grid, comparison.topologies, strict=False):
        places = [comparison.values_at(minimum.position) for minimum in side.deep]
        axes.plot(
            *np.array(places).reshape(-1, 2).T, "o",
            markerfacecolor="white", markeredgecolor="black", markersize=6, clip_on=False,
            # above the numbers of contours
            zorder=5,
        )  # fmt: skip
    figure.suptitle(title, fontsize=11, parse_math=False)
    # ticks are known once axes have their size: the first layout leaves no room for their numbers
    figure.draw_without_rendering()
    return figure


def _panels(comparison: ModelComparison, window: float) -> list[_Panel]:
    """Return what is drawn: a map a model and the map of the spread."""
    energies = 1000 * comparison.energies
    mean = np.broadcast_to(1000 * comparison.mean, energies.shape)
    scale = energy_scale(mean, energies, 1000 * window)
    panels = [
        _Panel(name, grid, scale, ENERGY_COLOURS, "above the crystal at + (meV/atom)")
        for name, grid in zip(comparison.names, comparison.energies, strict=True)
    ]
    if len(panels) > 1:
        spread = comparison.spread
        own = energy_scale(1000 * spread, 1000 * spread, 1000 * window)
        label = "highest minus lowest model (meV/atom)"
        panels.append(_Panel("where they disagree", spread, own, _SPREAD_COLOURS, label))
    return panels
