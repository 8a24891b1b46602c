"""The figure of the study of underprediction: signed errors by free coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symscape.figures.hull_figure import DPI

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_LABELS = {"n_wyckoff": "free Wyckoff coordinates", "n_lattice": "free lattice parameters"}
#: windows drawn, from near DFT's hull outwards, and their colours
_COLOURS = {"≤ 25": "#1b6ca8", "≤ 100": "#7a8f3c", "> 100": "#b5533c"}
_MARKS = {"≤ 25": "o", "≤ 100": "s", "> 100": "^"}


def draw_signed_errors(errors: pd.DataFrame, error: str = "error_above_hull") -> Figure:
    """Draw mean signed errors with their intervals, a row a model and a column a kind of freedom.

    Parameters
    ----------
    errors
        As `symscape.hull.study.signed_errors` makes them, meV/atom.
    error
        Which of them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    own = errors[(errors["error"] == error) & (errors["class"] != "all")]
    models = list(dict.fromkeys(own["model"]))
    size = (9.6, 3.4 * len(models))
    figure = Figure(figsize=size, dpi=DPI["wide"], layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(models), len(_LABELS), sharey=True, squeeze=False)
    for row, model in zip(panels, models, strict=True):
        for axes, (by, label) in zip(row, _LABELS.items(), strict=True):
            part = own[(own["model"] == model) & (own["by"] == by)]
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
            axes.set_xlabel(label)
            axes.set_title(model, fontsize="medium")
        row[0].set_ylabel("mean signed error (meV/atom)")
    panels[0][0].legend(fontsize="small", frameon=False)
    return figure
