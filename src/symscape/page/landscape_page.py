"""The page of ``symscape landscape``: models on the slices of one crystal, with DFT or without."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from symscape.crystal.labels import axis_label, crystal_label, symbol_label
from symscape.crystal.slice import slice_titles
from symscape.figures.several_figure import Overlay, draw_several
from symscape.page.words import (
    count_text,
    limit_text,
    metric_text,
    number_text,
    unit_text,
)
from symscape.questions.registry import metric_title
from symscape.questions.subjects import subject_of_id
from symscape.science.landscape.overlay import DftPoints, PointErrors
from symscape.science.landscape.several import ModelComparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from symscape.questions.case import Check
    from symscape.science.landscape.similar import LibraryDistances

#: of pictures: for wide screens and for narrow ones
_Layout = Literal["wide", "tall"]


@dataclass(frozen=True, eq=False)
class ComparedSlice:
    """One slice of the page.

    Parameters
    ----------
    comparison
        The models on it.
    points
        The user's DFT points; None without.
    errors
        One a model of the comparison, in its order; empty without DFT points.
    lowest_above
        Energy of DFT's lowest point above the comparison's zero in each model, eV/atom.
    """

    comparison: ModelComparison
    points: DftPoints | None = None
    errors: tuple[PointErrors, ...] = ()
    lowest_above: tuple[float, ...] = ()

    @property
    def overlay(self) -> Overlay | None:
        """What is drawn of the DFT points; None without."""
        if self.points is None:
            return None
        dft = self.points.relative
        return Overlay(self.points.values, tuple(dft + above for above in self.lowest_above))

    @property
    def falls_off(self) -> bool:
        """Whether every model goes on falling where the grid ends: no crystal at rest."""
        low = [side.minima[0] for side in self.comparison.topologies if side.minima]
        return bool(low) and all(well.on_edge and well.energy < -_AT_REST_eV for well in low)


#: a well on the edge that is deeper than this below the crystal, eV/atom, is no noise
_AT_REST_eV = 0.005


@dataclass(frozen=True, eq=False)
class LandscapePage:
    """What the page shows.

    Parameters
    ----------
    title
        The crystal.
    views
        One a slice.
    failures
        Model -> why it is not on the page, or not on all of it.
    n_first
        How many points are proposed for a first DFT calculation, slice by slice.
    contracts
        Model -> what contracts found of it on the crystal.
    library
        How far the models are apart on materials of the library that share elements; None unknown.
    pending
        What is still being computed; empty for a finished page.
    """

    title: str
    views: Sequence[ComparedSlice]
    failures: Mapping[str, str]
    n_first: int = 8
    contracts: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    library: LibraryDistances | None = None
    pending: str = ""

    @property
    def slice_titles(self) -> tuple[str, ...]:
        """What the slices are called, one a view; no two alike."""
        return slice_titles([view.comparison.slice for view in self.views])

    @property
    def slice_words(self) -> tuple[str, ...]:
        """The titles as pages print them: ``z(Na), c/a in I4mm``."""
        slices = [view.comparison.slice for view in self.views]
        return tuple(
            ", ".join(axis_label(axis.name) for axis in one.axes)
            + symbol_label(title.removeprefix(one.name))
            for one, title in zip(slices, self.slice_titles, strict=True)
        )

    @property
    def shown(self) -> set[str]:
        """Models with a map."""
        return {name for view in self.views for name in view.comparison.names}

    @property
    def contract_names(self) -> list[str]:
        """Metrics of all contracts that were checked of any model."""
        found = (check.metric for checks in self.contracts.values() for check in checks)
        return list(dict.fromkeys(found))

    def contract(self, metric: str, model: str) -> Check | None:
        """Return what was found of a model, None if it was not checked."""
        return next((c for c in self.contracts[model] if c.metric == metric), None)


def comparison_figure(
    comparison: ModelComparison,
    overlay: Overlay | None = None,
    layout: _Layout = "wide",
) -> Figure:
    """Draw the models on a slice, with the crystal, the space group and the axes named."""
    crystal = comparison.slice.crystal
    first, second = (axis_label(axis.name) for axis in comparison.slice.axes)
    title = crystal_label(crystal.formula, crystal.symbol)
    columns = 3 if layout == "wide" else 1
    return draw_several(comparison, (first, second), title, overlay=overlay, most_columns=columns)


def render_landscape_page(page: LandscapePage) -> str:
    """Return the page as HTML that opens from disk, pictures within it."""
    from symscape.page.html import templates

    environment = templates()
    pictures = [
        {
            layout: _picture(comparison_figure(view.comparison, view.overlay, layout))
            for layout in get_args(_Layout)
        }
        for view in page.views
    ]
    text: str = environment.get_template("landscape.html.j2").render(
        page=page,
        slices=list(zip(page.views, page.slice_words, pictures, strict=True)),
        count=count_text,
        limit=limit_text,
        metric_text=metric_text,
        number=number_text,
        title_of=metric_title,
        unit=unit_text,
        library_slices=[
            subject_of_id(n).title for n in (page.library.slices if page.library else ())
        ],
    )
    return text


def _picture(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
