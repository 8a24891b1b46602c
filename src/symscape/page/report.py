"""Writing a report: everything that a run leaves behind, in one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symscape.arguments import named_arguments
from symscape.figures.landscape_data import LandscapeData
from symscape.files import write_atomically
from symscape.page.badge import badge_svg
from symscape.page.case_views import SliceView
from symscape.page.curves_page import write_curves
from symscape.page.curves_view import CurvesView
from symscape.page.gallery import Gallery, MissingPicture, Picture, SliceFigures
from symscape.page.html import render_page
from symscape.page.hull_page import write_hulls
from symscape.page.hull_view import HullView
from symscape.page.processes import do_all
from symscape.page.run_tables import write_tables
from symscape.page.summary import summary_markdown
from symscape.page.topology_pictures import add_topology
from symscape.page.view import RunView
from symscape.page.words import number_text
from symscape.results.files import round_energies, save_results
from symscape.results.run_results import RunResults

if TYPE_CHECKING:
    from symscape.figures.layouts import Layout
    from symscape.results.history import History


@named_arguments
def write_report(
    folder: str | Path,
    run: RunResults,
    *,
    relief: bool = False,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
    history: History | None = None,
) -> Path:
    """Write results, summary, badge, tables, figures and index.html, and return the page's path.

    The results come first, so that they are safe whatever happens to the rest. Figures that an
    earlier run left in the folder are kept where they are those of this run, else drawn anew or
    removed.

    Parameters
    ----------
    folder
        The model's folder, ``reports/<model>``; made if it is not there.
    run
        The results of one model.
    relief
        Whether to draw each landscape as a surface too.
    jobs
        Processes that draw.
    progress
        Called with (slices drawn, slices that lacked a picture).
    history
        Earlier runs, which the page shows beside this one.

    Raises
    ------
    OSError
        If the folder can't be written to.
    """
    folder = Path(folder)
    save_results(folder / "results.json", run)
    # the report is that of the file, so that it can be made from it again
    run = round_energies(run)
    view = run.seen_as(RunView)
    write_atomically(folder / "summary.md", summary_markdown(run))
    write_atomically(folder / "badge.svg", badge_svg(view))
    write_tables(folder / "tables", run)
    figures = write_figures(folder, view, relief=relief, jobs=jobs, progress=progress)
    pictures = write_hulls(folder, run.seen_as(HullView))
    curves = write_curves(folder, run.seen_as(CurvesView))
    page = folder / "index.html"
    write_atomically(page, render_page(view, figures, pictures, curves, history))
    return page


def write_figures(
    folder: Path,
    view: RunView,
    *,
    relief: bool = False,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, SliceFigures]:
    """Draw the figures of every slice that has energies, and return them by the slice's id.

    Parameters are those of `write_report`.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    there = Gallery(folder, drawing=False)
    wanted, figures, lacking = [], {}, []
    for item in view.slices:
        data = landscape_data(view, item)
        if data is None:
            continue
        wanted.append(item.id)
        try:
            figures[item.id] = _add_slice(there, item, data, relief)
        except MissingPicture:
            lacking.append((item, data))
    draw = partial(_draw_slice, folder, relief)
    drawn = do_all(draw, lacking, jobs=jobs, progress=progress)
    figures |= {item.id: made for (item, _), made in zip(lacking, drawn, strict=True)}
    there.tidy(figures.values())
    return {name: figures[name] for name in wanted}


def draw_slices(folder: Path, run: RunResults, *, relief: bool = False) -> None:
    """Draw the figures of a run's slices that are not there yet, and nothing else of its report.

    Parameters are those of `write_report`.
    """
    view = RunView(round_energies(run))
    for item in view.slices:
        data = landscape_data(view, item)
        if data is not None:
            _draw_slice(folder, relief, (item, data))


def _draw_slice(folder: Path, relief: bool, what: tuple[SliceView, LandscapeData]) -> SliceFigures:
    """Draw what is missing of one slice's figures, in whichever process."""
    return _add_slice(Gallery(folder), *what, relief)


def _add_slice(
    gallery: Gallery, item: SliceView, data: LandscapeData, relief: bool
) -> SliceFigures:
    """Return one slice's figures."""
    # most of them do not depend on the baseline
    alone = replace(data, baseline=None)

    def thumbnail() -> np.ndarray:
        from symscape.figures.thumbnail import draw_thumbnail

        return draw_thumbnail(alone)

    return SliceFigures(
        landscape=_add_landscape(gallery, item.slug, alone),
        thumb=gallery.add(item.slug, "thumb", alone, thumbnail),
        topology=add_topology(gallery, item, alone),
        baseline=_add_baseline(gallery, item.slug, data) if item.changed else None,
        relief=_add_relief(gallery, item.slug, alone) if relief else None,
    )


def _add_landscape(gallery: Gallery, slug: str, data: LandscapeData) -> Picture:
    def draw(layout: Layout) -> np.ndarray:
        from symscape.figures import landscape_figure as figures
        from symscape.figures.image import figure_pixels

        return figure_pixels(figures.draw_landscape(data, layout))

    return Picture(
        wide=gallery.add(slug, "wide", data, lambda: draw("wide")),
        tall=gallery.add(slug, "tall", data, lambda: draw("tall")),
        alt=describe_figure(data),
    )


def _add_baseline(gallery: Gallery, slug: str, data: LandscapeData) -> Picture | None:
    """Draw an earlier model beside the model; None if the energies of one are missing."""
    if data.model is None or data.baseline is None or not np.isfinite(data.change).any():
        return None

    def draw(layout: Layout) -> np.ndarray:
        from symscape.figures import landscape_figure as figures
        from symscape.figures.image import figure_pixels

        return figure_pixels(figures.draw_baseline(data, layout))

    judged = np.where(data.reference <= data.window, np.abs(data.change), np.nan)
    largest = 1000 * float(np.nanmax(judged, initial=0.0))
    return Picture(
        wide=gallery.add(slug, "baseline", data, lambda: draw("wide")),
        tall=gallery.add(slug, "baseline-tall", data, lambda: draw("tall")),
        alt=f"Energy maps of {data.title}: the baseline, {data.model_name}, and their difference, "
        f"at most {number_text(largest, 1)} meV/atom in the judged window.",
    )


def _add_relief(gallery: Gallery, slug: str, data: LandscapeData) -> Picture | None:
    """Draw both landscapes as surfaces; None if no point has both energies."""
    if not np.isfinite(data.error).any():
        return None

    def draw(layout: Layout) -> np.ndarray:
        from symscape.figures.image import figure_pixels
        from symscape.figures.relief_figure import draw_relief

        return figure_pixels(draw_relief(data, layout))

    return Picture(
        wide=gallery.add(slug, "relief", data, lambda: draw("wide")),
        tall=gallery.add(slug, "relief-tall", data, lambda: draw("tall")),
        alt=f"The energies of {data.title} as surfaces over {data.labels[0]} and "
        f"{data.labels[1]}: {data.reference_name} and {data.model_name}, seen from one side.",
    )


def landscape_data(view: RunView, item: SliceView) -> LandscapeData | None:
    """Return what the landscape figure of a slice shows; None if there are no energies."""
    reference, model, baseline = item.reference, item.model, item.baseline
    if reference is None or model is None:
        return None
    worst = item.energies.notes.worst if item.energies else None
    if baseline is not None:
        baseline = np.where(reference.masked, np.nan, baseline)
    return LandscapeData(
        u=np.array(reference.axes[0].values),
        v=np.array(reference.axes[1].values),
        labels=(reference.axes[0].label, reference.axes[1].label),
        reference=np.where(reference.masked, np.nan, reference.relative),
        model=np.where(reference.masked, np.nan, model),
        masked=reference.masked,
        minimum=reference.minimum,
        window=item.window,
        worst=worst.index if worst else None,
        baseline=baseline,
        model_name=view.run.model.name,
        reference_name=f"DFT ({reference.level_of_theory})",
        title=reference.title,
    )


def describe_figure(data: LandscapeData) -> str:
    """Say in words what a landscape figure shows, for those who can't see it."""

    def place(index: tuple[int, int]) -> str:
        return ", ".join(
            f"{label} = {number_text(float(values[k]), 4)}"
            for label, values, k in zip(data.labels, (data.u, data.v), index, strict=True)
        )

    text = (
        f"Energy maps of {data.title} over {data.labels[0]} and {data.labels[1]}: "
        f"{data.reference_name}, {data.model_name} and their difference; "
        f"cuts through the DFT minimum. The DFT minimum is at {place(data.minimum)}"
    )
    if data.model_minimum is not None:
        same = data.model_minimum == data.minimum
        text += f", the model's {'too' if same else 'at ' + place(data.model_minimum)}"
    if data.worst is not None:
        error = number_text(1000 * float(data.error[data.worst]), 1, sign=True)
        text += f". The worst error, {error} meV/atom, is at {place(data.worst)}"
    return f"{text}."
