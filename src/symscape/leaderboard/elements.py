"""Periodic tables of what models say about equations of state: on their pages, and as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from symscape.figures.periodic_table_svg import periodic_table_markup, periodic_table_svg
from symscape.files import write_atomically
from symscape.leaderboard.collect import Entry
from symscape.leaderboard.maps import Thumbnail
from symscape.page.curves_page import DIFFERENCES, TABLE_TITLES, element_tables
from symscape.page.curves_view import CurvesView
from symscape.questions.equation_of_state import EPSILON, EQUATION_OF_STATE
from symscape.questions.prototype_differences import PROTOTYPE_DIFFERENCES

if TYPE_CHECKING:
    from markupsafe import Markup

#: the folder of the pictures in the leaderboard's
FOLDER = "elements"


def write_elements(folder: Path, entry: Entry, slug: str) -> tuple[Thumbnail, ...]:
    """Draw the periodic table that stands for a model on the ranking's page.

    Parameters
    ----------
    folder
        The leaderboard's.
    slug
        The model's name as a file name.

    Returns
    -------
    tuple
        None or one picture: epsilon, or else the differences between prototypes.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    for name, table in element_tables(CurvesView(entry.run)).items():
        path = f"{FOLDER}/{slug}-{name}.svg"
        picture = periodic_table_svg(table)
        write_atomically(folder / path, picture.text)
        return (Thumbnail(path, picture.width, picture.height, table.words),)
    return ()


def element_figures(entry: Entry) -> list[tuple[str, str, Markup]]:
    """Return the periodic tables of a model's page: title, what it shows, and the table itself.

    An element leads to the row of its group, or to the table of prototypes.
    """
    from markupsafe import Markup

    view = CurvesView(entry.run)
    groups = {
        row.number: f"#{row_anchor(EQUATION_OF_STATE.name, subject.material)}"
        for subject in view.groups
        for row in view.elements
        if row.symbol in subject.elements
    }
    prototypes = {row.number: f"#crystals-{PROTOTYPE_DIFFERENCES.name}" for row in view.elements}
    tables = element_tables(view, {EPSILON.name: groups, DIFFERENCES: prototypes})
    return [
        (TABLE_TITLES[name], table.words, Markup(periodic_table_markup(table)))
        for name, table in tables.items()
    ]


def row_anchor(question: str, material: str) -> str:
    """Address of a row in the table of a question on a model's page."""
    return f"{question}-{material}"
