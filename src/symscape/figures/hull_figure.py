"""Figures of hulls: parity, errors by symmetry, and DFT's hull over the model's per system.

Figures are drawn with matplotlib's objects only; no pyplot, no global state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.figures.layouts import Layout
from symscape.figures.panels import DFT_COLOUR, MODEL_COLOUR, PLAIN, TITLE
from symscape.science.hull.systems import elements_of_system

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: dots for each inch; a tall figure has the width of a telephone
DPI: dict[Layout, int] = {"wide": 144, "tall": 120}
#: systems in one row of the hull diagrams
_COLUMNS: dict[Layout, int] = {"wide": 3, "tall": 1}
#: crystal system to a mark, so that the parity plot shows symmetry without colour
_MARKS = {
    "cubic": "s", "hexagonal": "h", "trigonal": "^", "tetragonal": "D", "orthorhombic": "P",
    "monoclinic": "X", "triclinic": "v",
}  # fmt: skip


def _figure(width: float, height: float, layout: Layout) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(width, height), dpi=DPI[layout], layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)
    return figure


def _pair(layout: Layout, height: float, *, sharey: bool = False) -> tuple[Figure, Any]:
    """Two panels of some height in inches, side by side or one below the other."""
    if layout == "wide":
        figure = _figure(9.6, height, layout)
        return figure, figure.subplots(1, 2, sharey=sharey)
    figure = _figure(4.0, 2 * height - 0.6, layout)
    return figure, figure.subplots(2, 1, sharey=sharey)


def draw_parity(table: pd.DataFrame, model: str, layout: Layout = "wide") -> Figure:
    """Draw the model's formation energies and energies above hull against DFT's.

    Parameters
    ----------
    table
        One row a crystal, energies in meV/atom.
    model
        Its name.
    layout
        ``wide``: side by side; ``tall``: one below the other, for small screens.
    """
    figure, panels = _pair(layout, 4.6)
    for axes, name, title in zip(
        panels,
        ("formation", "above_hull"),
        ("energy of formation", "energy above the own hull"),
        strict=True,
    ):
        x, y = table[f"{name}_dft"].to_numpy(), table[f"{name}_model"].to_numpy()
        low, high = min(x.min(), y.min()), max(x.max(), y.max())
        margin = 0.05 * (high - low or 1.0)
        ends = [low - margin, high + margin]
        axes.plot(ends, ends, color=DFT_COLOUR, linewidth=1, gid="equal", zorder=1)
        for system, mark in _MARKS.items():
            own = (table["crystal_system"] == system).to_numpy()
            if own.any():
                axes.plot(
                    x[own], y[own], linestyle="none", marker=mark, markersize=5.5, alpha=0.8,
                    color=MODEL_COLOUR, markeredgecolor="white", markeredgewidth=0.5,
                    label=f"{system} ({own.sum()})", gid=system,
                )  # fmt: skip
        axes.set_xlim(ends)
        axes.set_ylim(ends)
        axes.set_aspect("equal")
        _plain(axes)
        axes.set_xlabel("DFT (meV/atom)", fontsize=9.5)
        axes.set_ylabel(f"{model} (meV/atom)", fontsize=9.5, **PLAIN)
        axes.set_title(title, fontsize=10.5, fontweight="bold", **TITLE)
    panels[0].legend(fontsize=8.5, frameon=False, loc="upper left")
    return figure


def draw_errors(table: pd.DataFrame, model: str, layout: Layout = "wide") -> Figure:
    """Draw the signed errors above hull by free Wyckoff coordinates and lattice parameters.

    Boxes from quartile to quartile with the median, whiskers to the ends, every crystal as a dot,
    and the count of each class. ``layout`` as in `draw_parity`.
    """
    figure, panels = _pair(layout, 4.2, sharey=True)
    for axes, column, title in zip(
        panels,
        ("n_wyckoff", "n_lattice"),
        ("free Wyckoff coordinates", "free lattice parameters"),
        strict=True,
    ):
        numbers = sorted(set(table[column]))
        groups = [(n, table["error_above_hull"][table[column] == n].to_numpy()) for n in numbers]
        axes.axhline(0, color=DFT_COLOUR, linewidth=1, gid="zero")
        axes.boxplot(
            [values for _, values in groups], positions=range(len(groups)), widths=0.55,
            whis=(0, 100), showcaps=False, medianprops={"color": MODEL_COLOUR, "linewidth": 2},
            boxprops={"color": "#555555"}, whiskerprops={"color": "#999999"}, manage_ticks=False,
        )  # fmt: skip
        for k, (_, values) in enumerate(groups):
            spread = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(1)
            axes.plot(
                k + spread, np.sort(values), linestyle="none", marker="o", markersize=3.2,
                color=MODEL_COLOUR, alpha=0.6, markeredgewidth=0, gid=f"{column}-{k}",
            )  # fmt: skip
        labels = [f"{n}\nn = {len(values)}" for n, values in groups]
        axes.set_xticks(range(len(groups)), labels, fontsize=8.5)
        _plain(axes)
        axes.set_xlabel(title, fontsize=9.5)
    for axes in panels[: 1 if layout == "wide" else 2]:
        axes.set_ylabel("model − DFT above hull (meV/atom)", fontsize=9.5)
    panels[0].set_title(f"{model}: below the line is too low", fontsize=9, **TITLE)
    return figure


def draw_hulls(tables: dict[str, pd.DataFrame], model: str, layout: Layout = "wide") -> Figure:
    """Draw the hull of each system, DFT's over the model's.

    Binary systems as energies of formation over the composition, ternary ones as the triangle of
    compositions with what is stable.

    Parameters
    ----------
    tables
        System to its crystals, energies in meV/atom; two or three elements.
    model
        Its name.
    layout
        ``wide``: up to three in a row; ``tall``: one, for small screens.
    """
    from matplotlib.lines import Line2D

    columns = min(_COLUMNS[layout], len(tables))
    rows = -(-len(tables) // columns)
    legend_rows = 1 if columns > 1 else 2
    figure = _figure(3.6 * columns + 0.4, 3.1 * rows + 0.25 + 0.25 * legend_rows, layout)
    panels: Any = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.ravel()[len(tables) :]:
        axes.set_axis_off()
    for axes, (system, table) in zip(panels.ravel(), tables.items(), strict=False):
        (_draw_ternary if system.count("-") == 2 else _draw_hull)(axes, system, table)
    handles = [
        Line2D(
            [], [], linestyle="none", marker=mark, color=colour, markerfacecolor=face, label=text
        )
        for mark, colour, face, text in (
            ("o", DFT_COLOUR, "white", "DFT, above the hull"),
            ("o", DFT_COLOUR, DFT_COLOUR, "DFT, on the hull"),
            ("D", MODEL_COLOUR, "white", f"{model}, above the hull"),
            ("D", MODEL_COLOUR, MODEL_COLOUR, f"{model}, on the hull"),
        )
    ]
    legend = figure.legend(
        handles=handles, loc="outside lower center", ncols=4 // legend_rows, frameon=False
    )
    for text in legend.get_texts():
        text.set(fontsize=8.5, **PLAIN)
    return figure


def _draw_hull(axes: Axes, system: str, table: pd.DataFrame) -> None:
    from pymatgen.core import Composition

    _, second = elements_of_system(system)
    x = np.array([Composition(f).get_atomic_fraction(second) for f in table["formula"]])
    lines = []
    for who, colour, mark, style in (
        ("dft", DFT_COLOUR, "o", "solid"),
        ("model", MODEL_COLOUR, "D", (0, (4, 1.5))),
    ):
        energies = table[f"formation_{who}"].to_numpy()
        on_hull = table[f"above_hull_{who}"].to_numpy() < 1e-3
        order = np.flatnonzero(on_hull)[np.argsort(x[on_hull])]
        axes.plot(x[order], energies[order], color=colour, linestyle=style, gid=f"{system}-{who}")
        axes.plot(
            x, energies, linestyle="none", marker=mark, color=colour, markersize=4.5,
            markerfacecolor="white",
        )  # fmt: skip
        axes.plot(
            x[on_hull], energies[on_hull], linestyle="none", marker=mark, color=colour,
            markersize=5.5,
        )  # fmt: skip
        lines.append(energies)
    deepest = min(float(np.min(np.concatenate(lines))), 0.0)
    # what is far above the hull would press the hull flat
    top = max(0.6 * abs(deepest), 60.0)
    axes.set_ylim(1.08 * deepest - 8, top)
    axes.axhline(0, color="#bbbbbb", linewidth=0.8, zorder=0)
    axes.set_xlim(-0.03, 1.03)
    _plain(axes)
    axes.set_xlabel(f"share of {second}", fontsize=9)
    axes.set_ylabel("formation (meV/atom)", fontsize=9)
    above = int((np.minimum(*lines) > top).sum())
    note = f" ({above} higher up)" if above else ""
    axes.set_title(f"{system}{note}", fontsize=9.5, fontweight="bold", **TITLE)


def _draw_ternary(axes: Axes, system: str, table: pd.DataFrame) -> None:
    """Draw the triangle of compositions: who is on whose hull."""
    from pymatgen.core import Composition

    elements = elements_of_system(system)
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    axes.plot(*np.vstack([corners, corners[:1]]).T, color="#bbbbbb", linewidth=0.8, zorder=0)
    for element, (x, y), (dx, dy) in zip(
        elements, corners, ((-0.05, -0.05), (0.05, -0.05), (0.0, 0.06)), strict=True
    ):
        axes.text(x + dx, y + dy, element, ha="center", va="center", fontsize=9.5)
    for formula, group in table.groupby("formula"):
        shares = [Composition(str(formula)).get_atomic_fraction(e) for e in elements]
        x, y = np.array(shares) @ corners
        for who, colour, mark, size in (
            ("dft", DFT_COLOUR, "o", 8.5),
            ("model", MODEL_COLOUR, "D", 4.0),
        ):
            stable = bool((group[f"above_hull_{who}"] < 1e-3).any())
            axes.plot(
                [x], [y], linestyle="none", marker=mark, color=colour, markersize=size,
                markerfacecolor=colour if stable else "white", gid=f"{system}-{formula}-{who}",
            )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(system, fontsize=9.5, fontweight="bold", **TITLE)


def _plain(axes: Axes) -> None:
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8.5, length=3)
