"""Writing the figures of the topology of every slice whose minima were judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.report.html import Image

if TYPE_CHECKING:
    from symscape.report.panels import LandscapeData
    from symscape.report.view import RunView, SliceView

_KINDS = {"wide": "topology", "tall": "topology-tall"}


@dataclass(frozen=True)
class TopologyFiles:
    """The pictures of a slice's topology, and what they show in words."""

    wide: Image
    tall: Image
    alt: str


def write_topology_figures(folder: Path, view: RunView) -> dict[str, TopologyFiles]:
    """Draw minima, saddles, lowest paths and persistence of slices, by the slice's id.

    Slices whose minima were not judged, or that have no energies, get none; pictures of slices
    that an earlier run left behind are removed.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    from symscape.report.write import landscape_data

    target = folder / "figures"
    target.mkdir(parents=True, exist_ok=True)
    files = {}
    for item in view.slices:
        data, geometry = landscape_data(view, item), judged_geometry(item)
        if data is None or data.model is None or geometry is None:
            continue
        found = _draw(target, item.slug, data, geometry)
        if found is not None:
            files[item.id] = found
    written = {Path(i.path).name for f in files.values() for i in (f.wide, f.tall)}
    for kind in _KINDS.values():
        for path in target.glob(f"*-{kind}.png"):
            if path.name not in written:
                path.unlink()
    return files


def judged_geometry(item: SliceView) -> dict[str, Any] | None:
    """Return what the verdict on the minima recorded of the grid's geometry, if there is one."""
    for case in item.cases:
        geometry = case.case.detail.get("geometry")
        if case.case.question == "minima" and isinstance(geometry, dict):
            return geometry
    return None


def _draw(
    target: Path, slug: str, data: LandscapeData, geometry: dict[str, Any]
) -> TopologyFiles | None:
    from symscape.report.image import save_figure
    from symscape.report.topology_figures import comparison_of, describe_topology, draw_topology

    comparison = comparison_of(data, geometry)
    if comparison is None:
        return None
    images = {}
    for layout, kind in _KINDS.items():
        path = target / f"{slug}-{kind}.png"
        width, height = save_figure(path, draw_topology(data, comparison, layout))
        images[layout] = Image(f"figures/{path.name}", width, height)
    return TopologyFiles(**images, alt=describe_topology(data, comparison))
