"""The figures of the topology of slices whose minima were judged."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from symscape.page.gallery import Gallery, Picture
from symscape.questions.minima import MinimaDetail

if TYPE_CHECKING:
    from symscape.figures.landscape_data import LandscapeData
    from symscape.figures.layouts import Layout
    from symscape.page.case_views import SliceView
    from symscape.questions.named_points import GridDetail
    from symscape.science.landscape.matching import TopologyComparison


def add_topology(gallery: Gallery, item: SliceView, data: LandscapeData) -> Picture | None:
    """Draw minima, saddles, lowest paths and persistence of a slice, where they are not there yet.

    Returns
    -------
    Picture or None
        None if the minima were not judged or no point has both energies.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    geometry = judged_geometry(item)
    if geometry is None or not np.isfinite(data.error).any():
        return None

    # the surfaces are analysed for a picture, not for every report
    @cache
    def comparison() -> TopologyComparison:
        from symscape.figures.topology_figure import comparison_of

        found = comparison_of(data, geometry)
        assert found is not None
        return found

    def draw(layout: Layout) -> np.ndarray:
        from symscape.figures.image import figure_pixels
        from symscape.figures.topology_figure import draw_topology

        return figure_pixels(draw_topology(data, comparison(), layout, item.arrows))

    def describe() -> str:
        from symscape.figures.topology_figure import describe_topology

        return describe_topology(data, comparison())

    content = [data, geometry, item.arrows]
    wide = gallery.add(item.slug, "topology", content, lambda: draw("wide"), describe)
    tall = gallery.add(item.slug, "topology-tall", content, lambda: draw("tall"), describe)
    return Picture(wide, tall, gallery.description(wide))


def judged_geometry(item: SliceView) -> GridDetail | None:
    """Return what the verdict on the minima recorded of the grid's geometry, if there is one."""
    kept = (case.case.kept(MinimaDetail) for case in item.cases)
    return next((detail.geometry for detail in kept if detail), None)
