"""Periodic tables of what models say about equations of state, as pictures beside the pages."""

from __future__ import annotations

from pathlib import Path

from symscape.figures.periodic_table_svg import periodic_table_svg
from symscape.files import write_atomically
from symscape.leaderboard.collect import Entry
from symscape.leaderboard.maps import Thumbnail
from symscape.page.curves_page import element_tables
from symscape.page.curves_view import CurvesView

#: the folder of the pictures in the leaderboard's
FOLDER = "elements"


def write_elements(folder: Path, entry: Entry, slug: str) -> tuple[Thumbnail, ...]:
    """Draw a model's periodic tables.

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
    written = []
    for name, table in element_tables(CurvesView(entry.run)).items():
        path = f"{FOLDER}/{slug}-{name}.svg"
        picture = periodic_table_svg(table)
        write_atomically(folder / path, picture.text)
        written.append(Thumbnail(path, picture.width, picture.height, table.words))
    return tuple(written)
