"""The landscape as a relief, for those who read mountains more easily than maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.landscape.interpolate import upsample
from symscape.report.panels import ENERGY_COLOURS, LandscapeData
from symscape.report.scales import energy_scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 144


def draw_relief(data: LandscapeData) -> Figure:
    """Draw DFT and model as surfaces seen from above, side by side on one scale.

    Energies beyond the judged window are cut off, so that walls don't hide the valleys.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    assert data.model is not None
    figure = Figure(figsize=(9.4, 4.4), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    scale = energy_scale(1000 * data.reference, 1000 * data.model, 1000 * data.window)
    low, high = scale.limits
    fine = [np.linspace(a[0], a[-1], 3 * (len(a) - 1) + 1) for a in (data.u, data.v)]
    u, v = np.meshgrid(*fine, indexing="ij")
    for k, (grid, title) in enumerate(
        ((data.reference, data.reference_name), (data.model, data.model_name))
    ):
        axes: Any = figure.add_subplot(1, 2, k + 1, projection="3d")
        height = np.clip(1000 * upsample(grid, factor=3), low, high)
        axes.plot_surface(
            u, v, height, cmap=ENERGY_COLOURS, vmin=low, vmax=high, rstride=1, cstride=1,
            linewidth=0.15, edgecolor="#00000030", antialiased=True,
        )  # fmt: skip
        axes.set_zlim(low, high)
        axes.view_init(elev=38, azim=-60)
        axes.set_xlabel(data.labels[0], fontsize=8.5)
        axes.set_ylabel(data.labels[1], fontsize=8.5)
        axes.set_zlabel("meV/atom", fontsize=8.5)
        axes.tick_params(labelsize=7)
        axes.set_title(title, fontsize=10.5, fontweight="bold")
    return figure
