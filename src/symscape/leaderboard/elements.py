"""Periodic tables of what models say about equations of state, as pictures beside the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from symscape.figures.image import figure_pixels, save_pixels, stamped_size
from symscape.leaderboard.collect import Entry
from symscape.leaderboard.maps import Thumbnail
from symscape.page.curves_page import curve_figures
from symscape.page.curves_view import CurvesView
from symscape.page.gallery import stamp_of
from symscape.questions.equation_of_state import EPSILON

if TYPE_CHECKING:
    from symscape.figures.image import Size
    from symscape.page.gallery import Draw

#: the folder of the pictures in the leaderboard's
FOLDER = "elements"
#: which figures of a report are shown
SHOWN = (EPSILON.name, "differences")


def write_elements(folder: Path, entry: Entry, slug: str) -> tuple[Thumbnail, ...]:
    """Draw a model's periodic tables, unless the files on disk were drawn from the same numbers.

    Parameters
    ----------
    folder
        The leaderboard's.
    slug
        The model's name as a file name.

    Returns
    -------
    tuple
        None, one or two pictures: epsilon, and differences between prototypes.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    view = CurvesView(entry.run)
    figures = curve_figures(view)
    content = [entry.name, view.curves, view.differences]
    return tuple(
        _write(folder, f"{FOLDER}/{slug}-{name}.png", stamp_of(name, content), *figures[name])
        for name in SHOWN
        if name in figures
    )


def _write(folder: Path, path: str, stamp: str, draw: Draw, alt: str) -> Thumbnail:
    target = folder / path
    size: Size | None = stamped_size(target, stamp)
    if size is None:
        target.parent.mkdir(parents=True, exist_ok=True)
        size = save_pixels(target, figure_pixels(draw("wide")), stamp)
    return Thumbnail(path, size.width, size.height, alt)
