"""Figures of minima, saddles, lowest paths and persistence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.figures.colour_scales import Scale, energy_scale
from symscape.figures.landscape_figure import DPI
from symscape.figures.layouts import Layout, add_axes
from symscape.figures.panels import (
    DFT_COLOUR,
    ENERGY_COLOURS,
    MODEL_COLOUR,
    PLAIN,
    TITLE,
    WORST_COLOUR,
    LandscapeData,
    draw_bar,
    draw_map,
)
from symscape.figures.ticks import Ticks, add_ticks, hide_numbers
from symscape.questions.named_points import GridDetail
from symscape.science.landscape.geometry import GridGeometry
from symscape.science.landscape.matching import TopologyComparison, compare_topology
from symscape.science.landscape.minima import FAINT, StationaryPoint
from symscape.science.landscape.paths import EnergyPath

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HALO = "white"
#: kind of point to marker, size and colours; shapes differ, not colours alone
MARKS: dict[str, dict[str, Any]] = {
    "DFT minimum": {
        "marker": "o", "markersize": 9.5, "markerfacecolor": "white",
        "markeredgecolor": DFT_COLOUR, "markeredgewidth": 1.6,
    },
    "model minimum": {
        "marker": "D", "markersize": 5.5, "markerfacecolor": MODEL_COLOUR,
        "markeredgecolor": "black", "markeredgewidth": 0.8,
    },
    "missing minimum": {
        "marker": "o", "markersize": 10.5, "markerfacecolor": "none",
        "markeredgecolor": WORST_COLOUR, "markeredgewidth": 2.4,
    },
    "spurious minimum": {
        "marker": "D", "markersize": 8.5, "markerfacecolor": "none",
        "markeredgecolor": WORST_COLOUR, "markeredgewidth": 2.4,
    },
    "DFT saddle": {
        "marker": "P", "markersize": 9, "markerfacecolor": "white",
        "markeredgecolor": DFT_COLOUR, "markeredgewidth": 1.2,
    },
    "model saddle": {
        "marker": "X", "markersize": 8, "markerfacecolor": MODEL_COLOUR,
        "markeredgecolor": "black", "markeredgewidth": 0.9,
    },
}  # fmt: skip
_DFT_PATH: dict[str, Any] = {"color": DFT_COLOUR, "linewidth": 1.9}
_MODEL_PATH: dict[str, Any] = {"color": MODEL_COLOUR, "linewidth": 1.9, "linestyle": (0, (4, 1.5))}


def comparison_of(
    data: LandscapeData, geometry: GridDetail, window: float = 1.0
) -> TopologyComparison | None:
    """Compare the topology of a figure's grids, as the verdict on the minima did.

    Parameters
    ----------
    data
        Grids of DFT and model.
    geometry
        As the verdict recorded it.
    window
        eV/atom above the DFT minimum up to which minima count.

    Returns
    -------
    TopologyComparison or None
        None if no point has both energies.
    """
    if data.model is None or not np.isfinite(data.error).any():
        return None
    return compare_topology(
        data.reference,
        data.model,
        GridGeometry(np.array(geometry.metric_A2, dtype=float), geometry.periods),
        threshold=geometry.threshold_meV / 1000,
        window=window,
    )


def draw_topology(
    data: LandscapeData,
    comparison: TopologyComparison,
    layout: Layout = "wide",
    forces: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """Draw the maps of DFT and model with their minima, saddles and lowest paths.

    Below them the energies along the path with the largest barrier error, and the persistence
    diagram of both.

    Parameters
    ----------
    data
        Grids and names.
    comparison
        Of the same grids.
    layout
        ``wide``: two columns; ``tall``: one, for small screens.
    forces
        Forces per grid step of DFT and model, each of shape (n_u, n_v, 2), drawn as arrows
        where both are known.
    """
    assert data.model is not None
    wide = layout == "wide"
    figure, axes = add_axes("topology" if comparison.saddles else "wells", layout, DPI[layout])
    scale = energy_scale(1000 * data.reference, 1000 * data.model, 1000 * data.window)
    paths = [comparison.paths(saddle) for saddle in comparison.saddles]
    filled = None
    for k, name in enumerate(("dft", "model")):
        filled = _draw_side(axes[name], data, comparison, paths, scale, k) or filled
        if k == 0 or not wide:
            axes[name].set_ylabel(data.labels[1], fontsize=9.5, **PLAIN)
        else:
            hide_numbers(axes[name])
        if forces is not None:
            _draw_arrows(axes[name], data, forces, k)
    draw_bar(figure, filled, axes["bar"], scale, "energy above the DFT minimum")
    if paths:
        draw_profile(axes["profile"], data, comparison, paths)
    draw_persistence(axes["persistence"], data, comparison, scale)
    legend = figure.legend(
        handles=_legend(comparison, forces is not None), loc="lower center",
        ncols=8 if wide else 2, fontsize=8.5, frameon=False, columnspacing=1.4, handletextpad=0.5,
    )  # fmt: skip
    if data.title and wide:
        up = 1 - 0.06 / figure.get_figheight()
        style: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": 9, "color": "#555555"}
        figure.text(0.008, up, data.title, **style, **PLAIN)
    for text in legend.get_texts():
        text.set(**PLAIN)
    return figure


def _draw_side(
    axes: Axes,
    data: LandscapeData,
    comparison: TopologyComparison,
    paths: list[tuple[EnergyPath, EnergyPath]],
    scale: Scale,
    k: int,
) -> Any:
    """Draw the map of DFT (k = 0) or the model (1); returns the filled contours, if any."""
    grid = data.model if k else data.reference
    assert grid is not None
    filled = draw_map(axes, data, grid, scale, ENERGY_COLOURS)
    title = data.model_name if k else data.reference_name
    axes.set_title(title, fontsize=10.5, fontweight="bold", **TITLE)
    for saddle, both in zip(comparison.saddles, paths, strict=True):
        pairs = [comparison.matched[m] for m in saddle.minima]
        ends = [pair.model if k else pair.reference for pair in pairs]
        style = _MODEL_PATH if k else _DFT_PATH
        _draw_path(axes, data, both[k], (ends[0], ends[1]), style)
    mark_topology(axes, data, comparison)
    return filled


def mark_topology(axes: Axes, data: LandscapeData, comparison: TopologyComparison) -> None:
    """Mark minima and saddles of both surfaces on a map, matched ones joined by a line."""
    for pair in comparison.matched:
        ends = np.array([place(data, pair.reference), place(data, pair.model)])
        if np.abs(np.subtract(pair.reference.position, pair.model.position)).max() < 0.5 * max(
            data.reference.shape
        ):
            for colour, width in ((_HALO, 3.6), (WORST_COLOUR, 1.6)):
                axes.plot(*ends.T, color=colour, linewidth=width, zorder=4, gid="joined")
        _mark(axes, data, pair.reference, "DFT minimum")
        _mark(axes, data, pair.model, "model minimum")
    for saddle in comparison.saddles:
        _mark(axes, data, saddle.reference, "DFT saddle")
        _mark(axes, data, saddle.model, "model saddle")
    for minimum in comparison.missing:
        _mark(axes, data, minimum, "missing minimum")
    for minimum in comparison.spurious:
        _mark(axes, data, minimum, "spurious minimum")


def place(data: LandscapeData, point: StationaryPoint) -> tuple[float, float]:
    """Axis values of a point between grid points."""
    u, v = (
        float(np.interp(k, np.arange(len(values)), values))
        for k, values in zip(point.position, (data.u, data.v), strict=True)
    )
    return u, v


def draw_profile(
    axes: Axes,
    data: LandscapeData,
    comparison: TopologyComparison,
    paths: list[tuple[EnergyPath, EnergyPath]],
) -> None:
    """Draw both surfaces along DFT's lowest path, and the model along its own.

    Of several paths the one with the largest barrier error.
    """
    from matplotlib.lines import Line2D

    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel("meV/atom", fontsize=9)
    errors = [abs(saddle.barrier_error) for saddle in comparison.saddles]
    worst = int(np.argmax(errors))
    own, other = paths[worst]
    axes.plot(own.distance, 1000 * own.reference, gid="DFT", **_DFT_PATH)
    axes.plot(own.distance, 1000 * own.model, gid="model", **_MODEL_PATH)
    # the model's own path is drawn over the same length, so that the barriers stand side by side
    stretched = other.distance * own.distance[-1] / max(other.distance[-1], 1e-12)
    axes.plot(
        stretched, 1000 * other.model, color=MODEL_COLOUR, linewidth=1, alpha=0.8, gid="own path"
    )
    axes.set_xlim(0, own.distance[-1])
    add_ticks(axes, grid=True)
    axes.set_xlabel("r.m.s. displacement along the path (Å)", fontsize=9)
    saddle = comparison.saddles[worst]
    axes.set_title(
        f"lowest path; barrier error {saddle.barrier_error:+.1f} meV/atom".replace("-", "−"),
        fontsize=9,
        **TITLE,
    )
    legend = axes.legend(
        handles=[
            Line2D([], [], label=data.reference_name, **_DFT_PATH),
            Line2D([], [], label=f"{data.model_name} on the same path", **_MODEL_PATH),
            Line2D([], [], color=MODEL_COLOUR, linewidth=1, label="on its own path"),
        ],
        fontsize=7.5,
        frameon=False,
        loc="lower center",
    )
    for text in legend.get_texts():
        text.set(**PLAIN)


def draw_persistence(
    axes: Axes, data: LandscapeData, comparison: TopologyComparison, scale: Scale
) -> None:
    """Draw births and deaths of the wells of both surfaces; the deepest never die."""
    top = max(scale.limits[1], 1.0)
    wells = {}
    for name, side in (("DFT minimum", comparison.reference), ("model minimum", comparison.model)):
        births, deaths = 1000 * side.diagram(top / 1000).T
        seen = deaths - births >= 1000 * FAINT * side.threshold
        wells[name] = births[seen], deaths[seen]
    low = min(scale.limits[0], *(float(births.min(initial=0.0)) for births, _ in wells.values()))
    never = top + 0.13 * (top - low)
    for name, (births, deaths) in wells.items():
        deaths = np.where(np.isfinite(deaths), deaths, never)
        axes.plot(births, deaths, linestyle="none", gid=name, clip_on=False, **MARKS[name])
    ends = np.array([low, top])
    axes.plot(ends, ends, color="#777777", linewidth=1)
    limit = 1000 * comparison.reference.threshold
    axes.fill_between(ends, ends, ends + limit, color="#dddddd", linewidth=0, zorder=0)
    axes.axhline(never, color="#777777", linewidth=0.8, linestyle="dotted")
    ticks = [t for t in scale.lines if low <= t <= top]
    labels = [f"{t:g}".replace("-", "−") for t in ticks]
    Ticks(axes, "x")
    Ticks(axes, "y", [*ticks, never], [*labels, "never"])
    axes.set_xlim(low - 0.03 * (top - low), top)
    axes.set_ylim(low - 0.03 * (top - low), never + 0.05 * (top - low))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("birth: energy of the minimum (meV/atom)", fontsize=9)
    axes.set_ylabel("death: energy of its saddle", fontsize=9)
    axes.set_title(
        f"persistence; bottleneck {comparison.bottleneck_meV:.1f} meV/atom",
        fontsize=9,
        **TITLE,
    )


def describe_topology(data: LandscapeData, comparison: TopologyComparison) -> str:
    """Say in words what a figure of the topology shows, for those who can't see it."""
    counts = (
        (len(comparison.matched), "matched"),
        (len(comparison.missing), "missing"),
        (len(comparison.spurious), "spurious"),
    )
    text = (
        f"Minima, saddles and lowest paths of {data.title}: "
        f"{', '.join(f'{n} {word}' for n, word in counts)} minima"
    )
    for saddle in comparison.saddles:
        text += (
            f"; barrier {1000 * saddle.reference.energy:.1f} meV/atom in DFT, "
            f"{1000 * saddle.model.energy:.1f} in {data.model_name}"
        )
    return f"{text}; persistence diagram of both."


def _mark(axes: Axes, data: LandscapeData, point: StationaryPoint, kind: str) -> None:
    u, v = place(data, point)
    axes.plot([u], [v], linestyle="none", gid=kind, clip_on=False, zorder=5, **MARKS[kind])


def _draw_path(
    axes: Axes,
    data: LandscapeData,
    path: EnergyPath,
    ends: tuple[StationaryPoint, StationaryPoint],
    style: dict[str, Any],
) -> None:
    """Draw a path from minimum to minimum, without the staircase of the grid that it follows."""
    steps = np.concatenate([[ends[0].position], path.points, [ends[1].position]])
    # a path across a periodic border goes on at the other side
    jumps = np.flatnonzero(np.abs(np.diff(steps, axis=0)).max(axis=1) > 1.5)
    for part in np.split(steps, jumps + 1):
        smooth = part.copy()
        for _ in range(4):
            smooth[1:-1] = (smooth[:-2] + 2 * smooth[1:-1] + smooth[2:]) / 4
        points = [
            np.interp(smooth[:, k], np.arange(len(values)), values)
            for k, values in enumerate((data.u, data.v))
        ]
        axes.plot(*points, color=_HALO, linewidth=3.8, alpha=0.8, zorder=3)
        axes.plot(*points, zorder=3.2, gid="path", **style)


def _draw_arrows(
    axes: Axes, data: LandscapeData, forces: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    """Draw side ``k``'s force at every other grid point at which both sides have one.

    In the plane as it is drawn, with one scale for both sides.
    """
    steps = np.array([data.u[1] - data.u[0], data.v[1] - data.v[0]])
    both = np.isfinite(np.stack(forces)).all(axis=(0, -1))[::2, ::2]
    lengths = np.linalg.norm(forces[0][::2, ::2], axis=-1)[both]
    if not lengths.size or not lengths.max() > 0:
        return
    arrows = forces[k][::2, ::2][both]
    u, v = np.meshgrid(data.u[::2], data.v[::2], indexing="ij")
    # walls push a hundred times harder than valleys: beyond DFT's median arrows grow no longer
    usual = max(float(np.median(lengths)), 1e-12)
    length = np.linalg.norm(arrows, axis=-1, keepdims=True)
    scaled = 1.4 * steps * arrows / np.maximum(length, usual)
    axes.quiver(
        u[both], v[both], *scaled.T, angles="xy", scale_units="xy", scale=1, width=0.005,
        color="black", edgecolor=_HALO, linewidth=0.5, zorder=2.8, gid="forces",
    )  # fmt: skip


def _legend(comparison: TopologyComparison, forces: bool) -> list[Any]:
    from matplotlib.lines import Line2D

    shown = {
        "DFT minimum": comparison.matched,
        "model minimum": comparison.matched,
        "missing minimum": comparison.missing,
        "spurious minimum": comparison.spurious,
        "DFT saddle": comparison.saddles,
        "model saddle": comparison.saddles,
    }
    handles: list[Any] = [
        Line2D([], [], linestyle="none", label=kind, **MARKS[kind])
        for kind, found in shown.items()
        if found
    ]
    if forces:
        style: dict[str, Any] = {"marker": r"$\rightarrow$", "markersize": 11, "color": "black"}
        handles.append(Line2D([], [], linestyle="none", label="force", **style))
    if comparison.saddles:
        handles.append(Line2D([], [], label="lowest path of DFT", **_DFT_PATH))
        handles.append(Line2D([], [], label="lowest path of the model", **_MODEL_PATH))
    return handles
