"""The part of a report that is about equations of state: figures, tables, a section of the page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.figures.periodic_table import ElementTable, draw_periodic_table
from symscape.files import write_atomically
from symscape.page.curves_view import CurvesView
from symscape.page.gallery import CURVES_PREFIX, Gallery, Picture
from symscape.questions.energies import SOFTENING_SCALE
from symscape.questions.equation_of_state import (
    BULK_MODULUS_ERROR,
    DELTA,
    EPSILON,
    VOLUME_ERROR,
    WITHOUT_MINIMUM,
)
from symscape.references.birch_murnaghan import BirchMurnaghan

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from symscape.figures.layouts import Layout
    from symscape.page.gallery import Draw
    from symscape.questions.equation_of_state import Curve

#: heads of the figures, in the order in which the page shows them
TITLES = {
    EPSILON.name: "Curves by element",
    "differences": "Prototypes by element",
    "worst": "Worst curves",
}
#: where the colour scales of the tables of elements end: epsilon, and meV/atom
EPSILON_TOP, DIFFERENCE_TOP = 2.0, 300.0


def write_curves(folder: str | Path, view: CurvesView) -> dict[str, Picture]:
    """Draw the figures and write the tables of a run's equations of state, where it has any.

    Returns
    -------
    dict
        ``epsilon``, ``differences`` and ``worst``, as far as there is something to draw.

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
    found: dict[str, tuple[Draw, str]] = {
        name: (partial(draw_periodic_table, table), table.words)
        for name, table in element_tables(view).items()
    }
    worst = view.worst()
    if worst:
        found["worst"] = (
            lambda layout: draw_worst(view, layout),
            f"Energy against volume of {', '.join(curve.id for curve in worst)}, DFT and model.",
        )
    return found


def element_tables(view: CurvesView) -> dict[str, ElementTable]:
    """Return what periodic tables of a run show: epsilon, and errors of prototypes."""
    found: dict[str, ElementTable] = {}
    count = len({curve.element for curve in view.curves})
    if view.curves:
        found[EPSILON.name] = ElementTable(
            {row.number: row.epsilon for row in view.elements if row.judged},
            "epsilon against all-electron PBE, median of an element's crystals",
            f"Equations of state, {view.run.model.name}",
            f"Epsilon of each of {count} elements, the median over its crystals.",
            top=EPSILON_TOP,
        )
    judged = {d.element for own in view.differences.values() for d in own}
    if judged:
        found["differences"] = ElementTable(
            {row.number: row.signed_error for row in view.elements if row.number in judged},
            "model minus DFT, meV/atom, mean over an element's prototypes",
            f"Energies above the lowest prototype, {view.run.model.name}",
            "Mean signed error of prototypes above each element's lowest one; negative: too low.",
            top=DIFFERENCE_TOP, signed=True, decimals=0,
        )  # fmt: skip
    return found


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

    if not view.elements and not view.not_judged:
        return Markup("")
    shown = [(title, pictures[name]) for name, title in TITLES.items() if name in pictures]
    return Markup(environment.get_template("curves.html.j2").render(curves=view, pictures=shown))
