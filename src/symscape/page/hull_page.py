"""The part of a report that is about hulls: figures, tables, and a section of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.files import write_atomically
from symscape.page.behind_view import crystal_anchor
from symscape.page.gallery import HULL_PREFIX, Gallery, Picture
from symscape.page.hull_view import GROUPS, HullView
from symscape.page.view import RunView

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from symscape.figures.layouts import Layout


def write_hulls(folder: str | Path, view: HullView) -> dict[str, Picture]:
    """Draw the figures and write the tables of a run's crystals; nothing where it has none.

    Returns
    -------
    dict
        ``parity``, ``errors`` and ``hulls``, as far as there is something to draw. Pictures of an
        earlier run that are not drawn now are removed.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    folder = Path(folder)
    pictures = _draw(folder, view)
    for name, table in hull_tables(view).items():
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_atomically(folder / "tables" / f"{name}.csv", text)
    return pictures


def _draw(folder: Path, view: HullView) -> dict[str, Picture]:
    """Draw the figures that are not there yet, and remove those of an earlier run."""
    figures = _figures(view)
    # a few numbers a crystal: all figures depend on all of them
    content = [view.run.model.name, view.crystals.to_csv(), view.judged.to_csv()]
    return Gallery(folder).add_figures(HULL_PREFIX, content, figures)


def _figures(view: HullView) -> dict[str, tuple[Callable[[Layout], Figure], str]]:
    """Return how to draw each figure, and what it shows in words."""
    from symscape.figures.hull_figure import draw_errors, draw_hulls, draw_parity

    model, table, judged = view.run.model.name, view.crystals, view.judged
    if table.empty:
        return {}
    tables = {name: view.system(name) for name in view.systems if name.count("-") < 3}
    found: dict[str, tuple[Callable[[Layout], Figure], str]] = {
        "parity": (
            lambda layout: draw_parity(table, model, layout),
            f"Formation energies and energies above hull of {len(table)} crystals.",
        )
    }
    if not judged.empty:
        from symscape.science.hull.statistics import too_low

        low = int(too_low(judged["error_above_hull"].to_numpy()).sum())
        found["errors"] = (
            lambda layout: draw_errors(judged, model, layout),
            f"{low} of {len(judged)} crystals are too low above their hull.",
        )
    if tables:
        found["hulls"] = (
            lambda layout: draw_hulls(tables, model, layout),
            f"Hulls of {', '.join(tables)}: DFT and {model}.",
        )
    return found


def hull_tables(view: HullView) -> dict[str, pd.DataFrame]:
    """Return the tables of a run's crystals by the names of their files; energies in meV/atom."""
    if view.crystals.empty:
        return {}
    tables = {"crystals": view.crystals, "crystals_near_hull": view.bias_near_hull()}
    for column, _ in GROUPS:
        tables[f"crystals_by_{column}"] = view.bias_by(column)
    if not view.relaxed.empty:
        tables["crystals_relaxed"] = view.relaxed
    return tables


def render_hulls(view: HullView, pictures: Mapping[str, Picture], environment: Any) -> Markup:
    """Return the section of the page, empty where no case was about crystals.

    Parameters
    ----------
    environment
        The page's jinja2 environment, with its filters.
    """
    from markupsafe import Markup

    if view.crystals.empty:
        return Markup("")
    slugs = {(item.material, item.slice): item.slug for item in view.run.seen_as(RunView).slices}
    text = environment.get_template("hull.html.j2").render(
        slugs=slugs,
        crystal_anchor=crystal_anchor,
        hull=view,
        pictures=pictures,
        groups=[(title, column, view.biases(column)) for column, title in GROUPS],
        near=view.biases_near_hull(),
        stability=view.stability(),
        worst=view.worst().to_dict("records"),
    )
    return Markup(text)
