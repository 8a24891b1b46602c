"""The part of a report that is about equations of state: figures, tables, a section of the page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.figures.periodic_table import ElementNote, ElementTable
from symscape.files import write_atomically
from symscape.page.curves_view import CurvesView, ElementRow
from symscape.page.gallery import CURVES_PREFIX, Gallery, Picture
from symscape.page.words import count_text, number_text
from symscape.questions.energies import SOFTENING_SCALE
from symscape.questions.equation_of_state import (
    BULK_MODULUS_ERROR,
    DELTA,
    EPSILON,
    VOLUME_ERROR,
    WITHOUT_MINIMUM,
)
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.library import formula_of

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from symscape.figures.layouts import Layout
    from symscape.page.gallery import Draw
    from symscape.questions.equation_of_state import Curve

#: heads of the periodic tables and of the figure, in the order in which the page shows them
DIFFERENCES = "differences"
TABLE_TITLES = {EPSILON.name: "Curves by element", DIFFERENCES: "Prototypes by element"}
TITLES = {"worst": "Worst curves"}
#: where the colour scales of the tables of elements end: epsilon, and meV/atom
EPSILON_TOP, DIFFERENCE_TOP = 2.0, 300.0


def write_curves(folder: str | Path, view: CurvesView) -> dict[str, Picture]:
    """Draw the figures and write the tables of a run's equations of state, where it has any.

    Returns
    -------
    dict
        ``worst``, if there is something to draw.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    folder = Path(folder)
    content = [view.run.model.name, view.curves, view.differences]
    pictures = Gallery(folder).add_figures(CURVES_PREFIX, content, curve_figures(view))
    for name, table in curve_tables(view).items():
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_atomically(folder / "tables" / f"{name}.csv", text)
    return pictures


def curve_figures(view: CurvesView) -> dict[str, tuple[Draw, str]]:
    """Return how to draw each figure, and what it shows in words."""
    worst = view.worst()
    if not worst:
        return {}
    text = f"Energy against volume of {', '.join(curve.id for curve in worst)}, DFT and model."
    return {"worst": (partial(draw_worst, view), text)}


def element_anchor(row: ElementRow) -> str:
    """Address of an element's row on the page."""
    return f"element-{row.symbol}"


def element_tables(
    view: CurvesView, links: Mapping[str, Mapping[int, str]] | None = None
) -> dict[str, ElementTable]:
    """Return what periodic tables of a run show: epsilon, and errors of prototypes.

    Parameters
    ----------
    links
        By table: atomic number to where the page says more of an element.
    """
    found: dict[str, ElementTable] = {}
    links = links or {}
    count = len({curve.element for curve in view.curves})
    if view.curves:
        own = links.get(EPSILON.name, {})
        found[EPSILON.name] = ElementTable(
            {row.number: row.epsilon for row in view.elements if row.judged},
            "epsilon against all-electron PBE, median of an element's crystals",
            f"Equations of state, {view.run.model.name}",
            f"Epsilon of each of {count_text(count, 'element')}, the median over its crystals.",
            top=EPSILON_TOP,
            notes=_reasons(view) | {
                row.number: ElementNote(_curves_note(row), own.get(row.number, ""))
                for row in view.elements if row.judged
            },
        )  # fmt: skip
    if any(row.compared for row in view.elements):
        own = links.get(DIFFERENCES, {})
        found[DIFFERENCES] = ElementTable(
            {row.number: row.signed_error for row in view.elements if row.compared},
            "model minus DFT, meV/atom, mean over an element's prototypes",
            f"Energies above the lowest prototype, {view.run.model.name}",
            "Mean signed error of prototypes above each element's lowest one; negative: too low.",
            top=DIFFERENCE_TOP, signed=True, decimals=0,
            notes=_reasons(view) | {
                row.number: ElementNote(_differences_note(row), own.get(row.number, ""))
                for row in view.elements if row.compared
            },
        )  # fmt: skip
    return found


def _curves_note(row: ElementRow) -> str:
    """Say what an element's curves are like."""
    crystals = count_text(row.judged, "crystal")
    if row.no_minimum == row.judged:
        return f"none of its {crystals} has a minimum near DFT's"
    none = f", {row.no_minimum} without a minimum near DFT's" if row.no_minimum else ""
    return f"epsilon {number_text(row.epsilon, 2)}, the median of {crystals}{none}"


def _differences_note(row: ElementRow) -> str:
    """Say what the differences between an element's prototypes are like."""
    counted = count_text(row.compared, "prototype")
    if not np.isfinite(row.signed_error):
        return f"none of {counted} has a minimum in the model"
    return (
        f"{number_text(row.signed_error, 0, sign=True)} meV/atom, the mean over {counted} above "
        f"its lowest; slope {number_text(row.slope, 2)}"
    )


def _reasons(view: CurvesView) -> dict[int, ElementNote]:
    """Say of elements that are wholly left out why they are."""
    from ase.data import atomic_numbers

    # an element's crystal is called after it: Ti-BCC
    return {
        atomic_numbers[symbol]: ElementNote(f"not judged, {entry.reason}")
        for entry in view.not_judged
        for symbol in map(formula_of, entry.crystals)
        if symbol in atomic_numbers
    }


def draw_worst(view: CurvesView, layout: Layout) -> Figure:
    """Draw both curves of the worst crystals."""
    from symscape.figures.curves_figure import CurvePair, draw_curves

    pairs = [
        CurvePair(c.id, _curve(c.dft), _curve(c.model), f"epsilon {c.epsilon:.2f}")
        for c in view.worst()
    ]
    return draw_curves(pairs, view.run.model.name, layout)


def _curve(curve: Curve) -> BirchMurnaghan:
    """Return one curve whose zero is its own minimum."""
    values = (0.0, curve.volume, curve.bulk_modulus, curve.derivative)
    return BirchMurnaghan(*(np.array([value]) for value in values))


def curve_tables(view: CurvesView) -> dict[str, pd.DataFrame]:
    """Return the tables of a run's equations of state by the names of their files."""
    import pandas as pd
    from ase.data import chemical_symbols

    from symscape.references.birch_murnaghan import GPA

    if not view.elements:
        return {}
    curves = [
        {
            "crystal": c.id,
            EPSILON.column: c.epsilon,
            DELTA.column: c.delta,
            "volume_dft_A3_per_atom": c.dft.volume,
            "volume_model_A3_per_atom": c.model.volume,
            VOLUME_ERROR.column: VOLUME_ERROR.of(vars(c)),
            "bulk_modulus_dft_GPa": GPA * c.dft.bulk_modulus,
            "bulk_modulus_model_GPa": GPA * c.model.bulk_modulus,
            BULK_MODULUS_ERROR.column: BULK_MODULUS_ERROR.of(vars(c)),
        }
        for c in view.curves
    ]
    differences = [
        {
            "element": chemical_symbols[d.element],
            "prototype": prototype,
            "lowest": d.lowest,
            "dft_meV_per_atom": d.dft,
            "spread_meV_per_atom": d.spread,
            "model_meV_per_atom": d.model,
            "error_meV_per_atom": d.model - d.dft,
        }
        for prototype, own in view.differences.items()
        for d in own
    ]
    elements = [
        {
            "element": row.symbol,
            "crystals": row.judged,
            f"{EPSILON.column}_median": row.epsilon,
            WITHOUT_MINIMUM.column: row.no_minimum,
            "prototypes_signed_error_meV_per_atom": row.signed_error,
            f"prototypes_{SOFTENING_SCALE.column}": row.slope,
        }
        for row in view.elements
    ]
    return {
        "elements": pd.DataFrame(elements),
        "equations_of_state": pd.DataFrame(curves),
        "prototype_differences": pd.DataFrame(differences),
    }


def render_curves(view: CurvesView, pictures: Mapping[str, Picture], environment: Any) -> Markup:
    """Return the section of the page, empty where no case was about equations of state.

    Parameters
    ----------
    environment
        The page's jinja2 environment, with its filters.
    """
    from markupsafe import Markup

    from symscape.figures.periodic_table_svg import periodic_table_markup
    from symscape.page.view import RunView

    if not view.elements and not view.not_judged:
        return Markup("")
    rows = {row.number: f"#{element_anchor(row)}" for row in view.elements}
    drawn = element_tables(view, dict.fromkeys(TABLE_TITLES, rows))
    tables = [(TABLE_TITLES[name], table.words, Markup(periodic_table_markup(table)))
              for name, table in drawn.items()]  # fmt: skip
    shown = [(title, pictures[name]) for name, title in TITLES.items() if name in pictures]
    asked = [item for item in view.run.seen_as(RunView).slices if item.about == "curves"]
    cards = {
        row.symbol: [item for item in asked if row.symbol in item.subject.elements]
        for row in view.elements
    }
    text = environment.get_template("curves.html.j2").render(
        curves=view, tables=tables, pictures=shown, anchor=element_anchor, cards=cards
    )
    return Markup(text)
