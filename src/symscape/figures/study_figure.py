"""The figure of the study of underprediction: signed errors by free coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symscape.figures.hull_figure import DPI

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABELS = {"n_wyckoff": "free Wyckoff coordinates", "n_lattice": "free lattice parameters"}
#: windows drawn, from near DFT's hull outwards, and their colours
_COLOURS = {"≤ 25": "#1b6ca8", "≤ 100": "#7a8f3c", "> 100": "#b5533c"}
_MARKS = {"≤ 25": "o", "≤ 100": "s", "> 100": "^"}


#: panels in a row
_COLUMNS = 3


def draw_signed_errors(
    errors: pd.DataFrame, error: str = "error_above_hull", by: str = "n_wyckoff"
) -> Figure:
    """Draw mean signed errors with their intervals by free coordinates, a panel a model.

    Parameters
    ----------
    errors
        As `symscape.science.hull.study.signed_errors` makes them, meV/atom.
    error
        Which of them.
    by
        ``n_wyckoff`` or ``n_lattice``.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    chosen = (errors["error"] == error) & (errors["class"] != "all") & (errors["by"] == by)
    own = errors[chosen]
    models = list(dict.fromkeys(own["model"]))
    columns = min(_COLUMNS, len(models))
    rows = -(-len(models) // columns)
    figure = Figure(
        figsize=(3.6 * columns + 0.6, 2.9 * rows + 0.5),
        dpi=DPI["wide"],
        layout="constrained",
        facecolor="white",
    )
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, model in zip(panels.flat, models, strict=False):
        _panel(axes, own[own["model"] == model])
        axes.set_title(model, fontsize="medium")
        axes.set_xlabel(_LABELS[by])
    for axes in panels.flat[len(models) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("mean signed error (meV/atom)")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _panel(axes: Axes, part: pd.DataFrame) -> None:
    """Draw one model: each window's means over the classes, side by side."""
    classes = sorted(set(part["class"]), key=lambda name: int(name.rstrip("+")[0]))
    for shift, (window, colour) in zip((-0.2, 0.0, 0.2), _COLOURS.items(), strict=True):
        shown = part[part["window"] == window].set_index("class").reindex(classes)
        at = np.arange(len(classes)) + shift
        reach = np.abs(shown[["low", "high"]].to_numpy().T - shown["mean"].to_numpy())
        axes.errorbar(
            at, shown["mean"], reach, color=colour, marker=_MARKS[window], capsize=3,
            linestyle="none", label=f"{window} meV/atom above DFT's hull",
        )  # fmt: skip
    axes.axhline(0.0, color="#555555", linewidth=0.8, zorder=0)
    axes.set_xticks(range(len(classes)), classes)
