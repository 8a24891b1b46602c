"""The pictures of a report: drawn only where the right ones are not on disk yet.

Each picture carries a stamp, the digest of what it shows, of the code that draws it and of
matplotlib's version. One with the right stamp stays, so that a second report takes seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.decode import encode
from symscape.digest import code_digest
from symscape.figures.image import read_description, save_pixels, stamped_size

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from symscape.figures.layouts import Layout

    Draw = Callable[[Layout], Figure]

#: what the names of pictures end with; those of slices no longer in the run are removed
KINDS = (
    "wide", "tall", "thumb", "topology", "topology-tall", "baseline", "baseline-tall", "relief",
    "relief-tall",
)  # fmt: skip
#: what the names of pictures of hulls and of equations of state begin with; no slice's slug does
HULL_PREFIX, CURVES_PREFIX = "hull", "curves"
#: modules whose content decides what a picture looks like
DRAWING_MODULES = (
    "symscape.science.landscape.align",
    "symscape.science.landscape.geometry",
    "symscape.science.landscape.interpolate",
    "symscape.science.landscape.matching",
    "symscape.science.landscape.metrics",
    "symscape.science.landscape.minima",
    "symscape.science.landscape.paths",
    "symscape.science.landscape.persistence",
    "symscape.science.landscape.relief",
    "symscape.science.hull.systems",
    "symscape.references.birch_murnaghan",
    "symscape.figures.curves_figure",
    "symscape.figures.landscape_figure",
    "symscape.figures.hull_figure",
    "symscape.figures.image",
    "symscape.figures.landscape_data",
    "symscape.figures.layouts",
    "symscape.figures.panels",
    "symscape.figures.relief_figure",
    "symscape.figures.colour_scales",
    "symscape.figures.thumbnail",
    "symscape.figures.ticks",
    "symscape.figures.topology_figure",
)


@dataclass(frozen=True)
class GalleryImage:
    """A file beside the page: path relative to it, width and height in pixels."""

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """One figure in two layouts, for wide and for narrow screens, and what it shows in words."""

    wide: GalleryImage
    tall: GalleryImage
    alt: str


@dataclass(frozen=True)
class SliceFigures:
    """The pictures of one slice; None where there is nothing to show."""

    landscape: Picture
    thumb: GalleryImage
    topology: Picture | None = None
    baseline: Picture | None = None
    relief: Picture | None = None

    @property
    def images(self) -> tuple[GalleryImage, ...]:
        """All files."""
        pictures = (self.landscape, self.topology, self.baseline, self.relief)
        return (self.thumb, *(image for p in pictures if p for image in (p.wide, p.tall)))


class MissingPicture(Exception):
    """A picture is not there, and whoever asked did not want it drawn."""


class Gallery:
    """The folder ``figures`` of a report.

    Parameters
    ----------
    folder
        The report's folder; ``figures`` is made in it.
    drawing
        Whether pictures that are not there are drawn.
    """

    def __init__(self, folder: Path, *, drawing: bool = True):
        self.folder = folder / "figures"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.drawing = drawing

    def add(
        self,
        slug: str,
        kind: str,
        drawn_from: Any,
        draw: Callable[[], np.ndarray],
        describe: Callable[[], str] = str,
    ) -> GalleryImage:
        """Return a picture, drawn if it is not there.

        Parameters
        ----------
        slug, kind
            The file is ``figures/<slug>-<kind>.png``; `tidy` knows the kinds of ``KINDS``.
        drawn_from
            Everything that the picture depends on: dataclasses, arrays, containers.
        draw
            Makes the pixels, shape (height, width, 4), uint8.
        describe
            Says what the picture shows, for `description`; called after ``draw``.

        Raises
        ------
        OSError
            If the file can't be written.
        MissingPicture
            If it is not there and none are drawn.
        """
        path = self.folder / f"{slug}-{kind}.png"
        stamp = stamp_of(kind, drawn_from)
        size = stamped_size(path, stamp)
        if size is None:
            if not self.drawing:
                raise MissingPicture(path.name)
            size = save_pixels(path, draw(), stamp, describe())
        return GalleryImage(f"figures/{path.name}", *size)

    def description(self, image: GalleryImage) -> str:
        """Return what a picture says that it shows."""
        return read_description(self.folder / Path(image.path).name)

    def tidy(self, kept: Iterable[SliceFigures]) -> None:
        """Remove the pictures of slices that an earlier report had and this one has not."""
        names = {Path(image.path).name for figures in kept for image in figures.images}
        others = (f"{HULL_PREFIX}-", f"{CURVES_PREFIX}-")
        for kind in KINDS:
            for path in self.folder.glob(f"*-{kind}.png"):
                if path.name not in names and not path.name.startswith(others):
                    path.unlink(missing_ok=True)

    def add_figures(
        self, prefix: str, drawn_from: Any, figures: Mapping[str, tuple[Draw, str]]
    ) -> dict[str, Picture]:
        """Return figures of the whole run in both layouts, and remove those that it has no more.

        Parameters
        ----------
        prefix
            What the names of their files begin with.
        drawn_from
            Everything that any of them depends on.
        figures
            By name: how to draw one in a layout, and what it shows in words.

        Raises
        ------
        OSError
            If a file can't be written.
        """

        def pixels(draw: Draw, layout: Layout) -> np.ndarray:
            from symscape.figures.image import figure_pixels

            return figure_pixels(draw(layout))

        for path in self.folder.glob(f"{prefix}-*.png"):
            if path.stem.removeprefix(f"{prefix}-").removesuffix("-tall") not in figures:
                path.unlink()
        return {
            name: Picture(
                self.add(prefix, name, drawn_from, partial(pixels, draw, "wide")),
                self.add(prefix, f"{name}-tall", drawn_from, partial(pixels, draw, "tall")),
                alt,
            )
            for name, (draw, alt) in figures.items()
        }


def stamp_of(kind: str, drawn_from: Any) -> str:
    """Return the digest of what a picture of some kind is drawn from, and by which code."""
    content = json.dumps(encode([kind, drawn_from]), separators=(",", ":"))
    code = code_digest(DRAWING_MODULES, ("matplotlib",))
    return hashlib.sha256(f"{code}{content}".encode()).hexdigest()
