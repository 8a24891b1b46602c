"""index.html: a page that opens from disk, needs no network, and is whole without its script."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from symscape.crystal.labels import axis_label, symbol_label
from symscape.page import words
from symscape.page.behind_view import crystal_anchor, crystals_behind
from symscape.page.cards import card_choices, elements_of
from symscape.page.case_views import SliceView
from symscape.page.changes import change_of, change_rows, count_changes, shift_text
from symscape.page.checks import check_words
from symscape.page.curves_page import render_curves
from symscape.page.curves_view import CurvesView
from symscape.page.diagnosis import diagnose
from symscape.page.explorer import explorer_json
from symscape.page.history_view import MOST_CHARTS, HistoryView, render_history
from symscape.page.hull_page import render_hulls
from symscape.page.hull_view import HullView
from symscape.page.summary import SYMBOLS, WORDS
from symscape.page.view import RunView
from symscape.questions.energies import (
    MEAN_SIGNED_ERROR,
    N_POINTS,
    SHARE_UNDERPREDICTED,
    SOFTENING_SCALE,
)
from symscape.questions.registry import metric_title

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Environment
    from markupsafe import Markup

    from symscape.page.gallery import Picture, SliceFigures
    from symscape.results.history import History

#: 3Dmol.js; nothing in it ends a script
LIBRARY = "3Dmol-min.js"
#: points named one by one for a slice before the rest is counted
MOST_POINTS = 12
#: lines of diagnosis on the first screen
MOST_TOLD = 14


def render_page(
    view: RunView,
    figures: Mapping[str, SliceFigures],
    hulls: Mapping[str, Picture] | None = None,
    curves: Mapping[str, Picture] | None = None,
    history: History | None = None,
) -> str:
    """Return the page as HTML.

    Whatever comes from files (names, cards, reasons) is escaped.

    Parameters
    ----------
    view
        The run.
    figures
        Pictures by the id of the slice; slices without any get none.
    hulls, curves
        Pictures of the crystals and of their equations of state by what they show.
    history
        Earlier runs; None to leave that part out.
    """
    from markupsafe import Markup

    changes, crystals = change_rows(view), view.run.seen_as(HullView)
    environment = templates()
    return environment.get_template("index.html.j2").render(
        view=view,
        run=view.run,
        figures=figures,
        changes=changes,
        change_counts=count_changes(changes),
        theories=_theories(view),
        holes=[(i, c) for i in view.slices for c in i.cases if c.without_energy],
        sections=[
            *_sections(view, hulls or {}, curves or {}, environment),
            *_history(history, environment),
        ],
        choices=card_choices(view),
        behind={item.slug: crystals_behind(item, crystals) for item in view.slices},
        crystal_anchor=crystal_anchor,
        explorer=Markup(explorer_json(view)),
        library=Markup(_library(view)),
    )


def _library(view: RunView) -> str:
    """Return the script that draws crystals, empty where the run has none to draw.

    The page keeps it as text until a crystal is first asked for.
    """
    if not any(reference.structure for reference in view.run.references):
        return ""
    return files("symscape.page").joinpath("vendor", LIBRARY).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Section:
    """A part of the page below the landscapes, closed until it is asked for.

    Parameters
    ----------
    anchor
        Its id, which the table of contents links to.
    title, summary
        Its head, and in a few words what it says.
    body
        HTML.
    """

    anchor: str
    title: str
    summary: str
    body: Markup


def _sections(
    view: RunView,
    hulls: Mapping[str, Picture],
    curves: Mapping[str, Picture],
    environment: Environment,
) -> list[Section]:
    """Return the parts of the page about more than one landscape, those without content left out.

    A question with a section of its own adds it here.
    """
    hull, states = view.run.seen_as(HullView), view.run.seen_as(CurvesView)
    found = [
        Section(
            "hulls",
            "Formation energies and hulls",
            hull.sentence,
            render_hulls(hull, hulls, environment),
        ),
        Section(
            "curves",
            "Equations of state",
            states.sentence,
            render_curves(states, curves, environment),
        ),
        Section(
            "underprediction",
            "Underprediction",
            _too_low(view),
            _underprediction(view, environment),
        ),
    ]
    return [section for section in found if section.body]


def _history(history: History | None, environment: Environment) -> list[Section]:
    """Return the part about earlier runs, if there are any."""
    if history is None:
        return []
    shown = HistoryView(history, only_moved=True, most=MOST_CHARTS)
    return [Section("history", "History", shown.sentence, render_history(shown, environment))]


def _underprediction(view: RunView, environment: Environment) -> Markup:
    """Return the signed errors by slice and by degrees of freedom."""
    from markupsafe import Markup

    from symscape.page.run_tables import underprediction_by, underprediction_table

    under = underprediction_table(view.run)
    groups = [
        (title, name, _groups(underprediction_by(under, name), name))
        for title, name in (
            ("By free lattice parameters", "n_lattice"),
            ("By free Wyckoff coordinates", "n_wyckoff"),
        )
    ]
    template = environment.get_template("underprediction.html.j2")
    text = template.render(view=view, run=view.run, under=_by_slice(view), groups=groups)
    return Markup(text)


@cache
def templates() -> Environment:
    """Return the templates, which escape what they are given, and the words they know."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("symscape.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number_text,
        spacegroup=words.symbol_markup,
        symbol=symbol_label,
        prototype=words.prototype_markup,
        axis=axis_label,
        place=words.place_text,
        pair=words.pair_text,
        crystal=words.crystal_text,
        duration=words.duration_text,
        check=check_words,
        moment=_moment_text,
        formula=words.formula_markup,
        sentence=words.sentence_text,
        shift=shift_text,
        metric=metric_title,
        unit=words.unit_text,
        diagnosis=diagnose,
        elements=elements_of,
    )
    environment.globals.update(
        symbols=SYMBOLS, words=WORDS, most_points=MOST_POINTS, most_told=MOST_TOLD,
        count=words.count_text, change_of=change_of, metric_text=words.metric_text,
    )  # fmt: skip
    return environment


#: signed error that fills a bar of the underprediction table if none is larger, meV/atom
SMALLEST_FULL_BAR_MEV = 1.0


@dataclass(frozen=True, eq=False)
class UnderpredictionRow:
    """A row of the underprediction table.

    Parameters
    ----------
    item
        The slice.
    error
        Mean signed error, meV/atom.
    bar
        Length of the error's bar, %.
    low
        Share of points that are too low.
    scale
        Softening scale.
    """

    item: SliceView
    error: float
    bar: float
    low: float
    scale: float


@dataclass(frozen=True)
class UnderpredictionGroup:
    """Slices whose crystals have equally many free parameters: means over them, and how many.

    Parameters
    ----------
    number
        Of free parameters.
    error, low, scale
        As of `UnderpredictionRow`.
    slices, points
        How many slices, and points on them.
    """

    number: int
    error: float
    low: float
    scale: float
    slices: int
    points: float


def _by_slice(view: RunView) -> list[UnderpredictionRow]:
    """Rows of the underprediction table, most underpredicted first."""
    items = [item for item in view.slices if item.judged and item.reference]
    errors = [MEAN_SIGNED_ERROR.of(item.judged) for item in items]
    finite = [abs(error) for error in errors if math.isfinite(error)]
    # errors that the table shows as 0.0 must not fill its bars
    largest = max([SMALLEST_FULL_BAR_MEV, *finite])
    rows = [
        UnderpredictionRow(
            item,
            error,
            100 * abs(error) / largest if math.isfinite(error) else 0.0,
            SHARE_UNDERPREDICTED.of(item.judged),
            SOFTENING_SCALE.of(item.judged),
        )
        for item, error in zip(items, errors, strict=True)
    ]
    return sorted(rows, key=lambda row: row.error if math.isfinite(row.error) else math.inf)


def _too_low(view: RunView) -> str:
    """Say on how many slices the model lies too low on average; empty without any."""
    rows = [row for row in _by_slice(view) if math.isfinite(row.error)]
    low = sum(row.error < 0 for row in rows)
    slices = words.count_text(len(rows), "slice")
    return f"mean signed error below zero on {low} of {slices}" if rows else ""


def _theories(view: RunView) -> list[str]:
    """Every way in which the model's level of theory differs from that of the references."""
    found = (view.theory_notice(item.reference) for item in view.slices)
    return list(dict.fromkeys(filter(None, found)))


def _groups(table: pd.DataFrame, column: str) -> list[UnderpredictionGroup]:
    """Return the rows of `underprediction_by`."""
    from symscape.page.run_tables import AVERAGED

    if table.empty:
        return []
    means = [metric.column for metric in AVERAGED]
    columns = [column, *means, "n_slices", N_POINTS.column]
    return [UnderpredictionGroup(*row) for row in table[columns].itertuples(index=False)]


def _moment_text(text: str) -> str:
    """Write a point in time for people: ``21 November 2026, 07:40 UTC``."""
    moment = datetime.fromisoformat(text)
    zone = f" {moment.tzname()}" if moment.tzinfo else ""
    return f"{moment.day} {moment:%B %Y, %H:%M}{zone}"
