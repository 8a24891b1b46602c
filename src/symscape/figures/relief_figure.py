"""The landscape as a relief, for those who read mountains more easily than maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.figures.colour_scales import Scale, energy_scale
from symscape.figures.landscape_data import LandscapeData
from symscape.figures.landscape_figure import DPI
from symscape.figures.layouts import Layout
from symscape.figures.panels import (
    ENERGY_COLOURS,
    MARKERS,
    PLAIN,
    Mark,
    Marked,
    colour_map,
    draw_bar,
)
from symscape.science.landscape.relief import (
    clip_polygons,
    faces_viewer,
    hides,
    relief_lines,
    relief_triangles,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: left, bottom, width and height of the two reliefs and of the bar, as shares of the figure
_BOXES = {
    "wide": ((9.4, 4.9), (0.0, 0.16, 0.49, 0.78), (0.49, 0.16, 0.49, 0.78), (0.3, 0.1, 0.4, 0.025)),
    "tall": (
        (4.0, 8.4),
        (0.0, 0.58, 0.94, 0.385),
        (0.0, 0.135, 0.94, 0.385),
        (0.15, 0.08, 0.7, 0.013),
    ),
}
#: degrees above the horizon from which the reliefs are seen, and directions to choose from
_ELEVATION, _AZIMUTHS = 50.0, (-60.0, 30.0, 120.0, 210.0)
#: how long the axes are drawn
_ASPECT = np.array([1.0, 1.0, 0.5])
#: what is seen from below, and the lines of the grid, which are drawn nearer by a share of the box
_UNDERSIDE, _LINE, _NEARER = "#c9c9c9", "#00000073", 0.03


def draw_relief(data: LandscapeData, layout: Layout = "wide") -> Figure:
    """Draw DFT and model as surfaces seen from above, on one scale.

    Masked points, and points without an energy, are holes: the surface ends at the last grid
    points that have one. It is cut off at the judged window, so that walls don't hide valleys. The
    bands of colour are those of the maps, thin lines are the grid's, and what is seen from below is
    grey. Minima that stand behind something are drawn pale.

    Parameters
    ----------
    data
        Grids of DFT and model.
    layout
        ``wide``: side by side; ``tall``: one below the other, for small screens.

    Raises
    ------
    ValueError
        If there are no energies of a model.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if data.model is None:
        raise ValueError("a relief of DFT and model needs the energies of both")
    size, *boxes, bar = _BOXES[layout]
    figure = Figure(figsize=size, dpi=DPI[layout], facecolor="white")
    FigureCanvasAgg(figure)
    scale = energy_scale(1000 * data.reference, 1000 * data.model, 1000 * data.window)
    dft = {Mark.DFT_MINIMUM: data.minimum}
    sides = (
        _side(data, data.reference, scale, dft),
        _side(data, data.model, scale, {**dft, Mark.MODEL_MINIMUM: data.model_minimum}),
    )
    azimuth = best_azimuth(sides)
    titles = (data.reference_name, data.model_name)
    for box, side, title in zip(boxes, sides, titles, strict=True):
        axes: Any = figure.add_axes(box, projection="3d", computed_zorder=False)
        _draw_side(axes, data, side, scale, azimuth)
        axes.set_title(title, fontsize=10.5, fontweight="bold", pad=-4, **PLAIN)
    _draw_bar(figure, scale, bar)
    if data.title and layout == "wide":
        style: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": 9, "color": "#555555"}
        figure.text(0.008, 0.99, data.title, **style, **PLAIN)
    return figure


@dataclass(frozen=True, eq=False)
class Side:
    """The surface of DFT or of the model, energies in meV/atom.

    Parameters
    ----------
    triangles
        Corners (u, v, energy), shape (n, 3, 3).
    lines
        Pieces of the grid's lines, each of shape (2, 3).
    limits
        Lowest and highest energy that is drawn.
    box
        By which corners are divided to be in the box as it is drawn, shape (3,).
    marks
        What is marked to its place, shape (3,).
    """

    triangles: np.ndarray
    lines: list[np.ndarray]
    limits: tuple[float, float]
    box: np.ndarray
    marks: dict[Mark, np.ndarray]

    def hidden(self, azimuth: float) -> set[Mark]:
        """Return the points that stand behind something."""
        towards = towards_viewer(azimuth)
        low, high = self.limits
        heights = self.triangles[..., 2]
        # what is cut off hides nothing; triangles that are cut count whole
        drawn = (heights.min(axis=1) < high) & (heights.max(axis=1) > low)
        triangles = self.triangles[drawn] / self.box
        return {
            kind
            for kind, place in self.marks.items()
            if hides(triangles, place / self.box, towards)
        }


def _side(data: LandscapeData, grid: np.ndarray, scale: Scale, marks: Marked) -> Side:
    low, high = scale.limits
    both = [1000 * energies for energies in (data.reference, data.model) if energies is not None]
    lowest = min(float(np.nanmin(energies, initial=0.0)) for energies in both)
    # what is hardly below the scale is drawn, in the colour for it
    bottom = min(low, max(lowest, -0.1 * high))
    energies = 1000 * grid
    return Side(
        relief_triangles(data.u, data.v, energies),
        relief_lines(data.u, data.v, energies, bottom, high),
        (bottom, high),
        np.array([np.ptp(data.u), np.ptp(data.v), high - bottom]) / _ASPECT,
        {
            kind: np.array([data.u[index[0]], data.v[index[1]], energies[index]])
            for kind, index in marks.items()
            if index is not None and bottom <= energies[index] <= high
        },
    )


def best_azimuth(sides: Sequence[Side]) -> float:
    """Return the azimuth in degrees from which fewest minima are hidden.

    Of several the one with the least in front of the rest.
    """

    def in_front(side: Side, azimuth: float) -> float:
        low, high = side.limits
        centres = side.triangles.mean(axis=1)
        centres = centres[(centres[:, 2] >= low) & (centres[:, 2] <= high)] / side.box
        if not len(centres):
            return 0.0
        angle = np.radians(azimuth)
        near = (centres[:, :2] - centres[:, :2].mean(axis=0)) @ [np.cos(angle), np.sin(angle)]
        return float((near * centres[:, 2]).sum())

    def faults(azimuth: float) -> tuple[int, float]:
        hidden = sum(len(side.hidden(azimuth)) for side in sides)
        return hidden, round(sum(in_front(side, azimuth) for side in sides), 6)

    return min(_AZIMUTHS, key=faults)


def towards_viewer(azimuth: float) -> np.ndarray:
    """Direction to the eye in the box as it is drawn, shape (3,)."""
    up, around = np.radians([_ELEVATION, azimuth])
    return np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])


def _draw_side(axes: Any, data: LandscapeData, side: Side, scale: Scale, azimuth: float) -> None:
    """Draw one relief, its parts sorted by their distance, and mark the minima on it."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    towards = towards_viewer(azimuth)
    parts, colours = _bands(side, scale, towards)
    faces = colours + ["none"] * len(side.lines)
    edges = colours + [_LINE] * len(side.lines)
    # a little nearer, or the surface that they lie on would cover them here and there
    parts += [line + _NEARER * towards * side.box for line in side.lines]
    if parts:
        corners = np.stack([_padded(part) for part in parts])
        surface = Poly3DCollection(corners, facecolors=faces, edgecolors=edges, linewidths=0.5)
        surface.set_gid("surface")
        axes.add_collection(surface, autolim=False)
    hidden = side.hidden(azimuth)
    for kind, (u, v, energy) in side.marks.items():
        axes.plot(
            [u], [v], [energy], linestyle="none", gid=kind, zorder=10,
            alpha=0.35 if kind in hidden else 1, **MARKERS[kind],
        )  # fmt: skip
    axes.set_xlim(data.u[0], data.u[-1])
    axes.set_ylim(data.v[0], data.v[-1])
    axes.set_zlim(*side.limits)
    axes.set_proj_type("ortho")
    axes.view_init(elev=_ELEVATION, azim=azimuth)
    axes.set_box_aspect(_ASPECT, zoom=1.02)
    low, high = side.limits
    _plain(axes, data, [line for line in scale.lines if low <= line <= high])


def _padded(polygon: np.ndarray) -> np.ndarray:
    """Repeat the last corner until there are five, as a triangle that is cut twice can have."""
    return np.concatenate([polygon, np.repeat(polygon[-1:], 5 - len(polygon), axis=0)])


def _bands(side: Side, scale: Scale, towards: np.ndarray) -> tuple[list[np.ndarray], list[Any]]:
    """Cut the surface into the bands of the scale; polygons and their colours."""
    cmap = colour_map(ENERGY_COLOURS)
    low, high = scale.limits
    seen = faces_viewer(side.triangles / side.box, towards)
    levels = np.unique([side.limits[0], *scale.shades])
    polygons: list[np.ndarray] = []
    colours: list[Any] = []
    for below, above in pairwise(levels):
        share = ((below + above) / 2 - low) / (high - low)
        for visible, colour in ((seen, cmap(share)), (~seen, _UNDERSIDE)):
            found = clip_polygons(side.triangles[visible], below, above)
            polygons += found
            colours += [colour] * len(found)
    return polygons, colours


def _plain(axes: Any, data: LandscapeData, heights: list[float]) -> None:
    """Name the axes; no walls, few ticks."""
    for axis, label in zip((axes.xaxis, axes.yaxis), data.labels, strict=True):
        axis.set_label_text(label, fontsize=9, **PLAIN)
    axes.set_zticks(heights)
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(labelsize=7.5, pad=0)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis._axinfo["grid"].update(color="#dddddd", linewidth=0.6)


def _draw_bar(figure: Figure, scale: Scale, box: tuple[float, float, float, float]) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm

    cmap = colour_map(ENERGY_COLOURS)
    # what is above the scale is cut off, what is below it is drawn
    cmap.colorbar_extend = "min" if scale.extend in ("min", "both") else False
    filled = ScalarMappable(BoundaryNorm(scale.shades, cmap.N), cmap)
    draw_bar(figure, filled, figure.add_axes(box), scale, "energy above the DFT minimum")
