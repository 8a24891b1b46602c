"""The page of ``symscape landscape``: models on the slices of one crystal, without DFT."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symscape.figures.several_figure import draw_several
from symscape.results.run_results import axis_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from symscape.landscape.several import ModelComparison


@dataclass(frozen=True, eq=False)
class LandscapePage:
    """What the page shows.

    Parameters
    ----------
    title
        Crystal and space group.
    comparisons
        One a slice.
    failures
        Model -> why it is not on the page.
    n_first
        How many points are proposed for a first DFT calculation, slice by slice.
    """

    title: str
    comparisons: Sequence[ModelComparison]
    failures: dict[str, str]
    n_first: int = 8


def comparison_figure(comparison: ModelComparison) -> Figure:
    """Draw the models on a slice, with the crystal, the space group and the axes named."""
    crystal = comparison.slice.crystal
    first, second = (axis_label(axis.name) for axis in comparison.slice.axes)
    title = f"{crystal.formula}, {crystal.symbol}, {comparison.slice.name}"
    return draw_several(comparison, (first, second), title)


def render_landscape_page(page: LandscapePage) -> str:
    """Return the page as HTML that opens from disk, pictures within it."""
    from symscape.page.html import templates

    pictures = [_picture(comparison_figure(comparison)) for comparison in page.comparisons]
    text: str = (
        templates()
        .get_template("landscape.html.j2")
        .render(page=page, slices=list(zip(page.comparisons, pictures, strict=True)))
    )
    return text


def _picture(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
