"""Writing a report: everything that a run leaves behind, in one folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symscape.report.html import FigureFiles, Image, render_page
from symscape.report.panels import LandscapeData
from symscape.report.results import RunResults, save_results, write_atomically
from symscape.report.summary import summary_markdown
from symscape.report.tables import write_tables
from symscape.report.topology_write import write_topology_figures
from symscape.report.view import RunView, SliceView
from symscape.report.words import number_text

#: what the names of the figures of a slice end with
_KINDS = ("wide", "tall", "thumb")


def write_report(folder: str | Path, run: RunResults) -> Path:
    """Write results.json, summary.md, tables/, figures/ and index.html, and return the page's path.

    The results come first, so that they are safe whatever happens to the rest. Figures of slices
    that an earlier run left in the folder and that are not in this one are removed.

    Parameters
    ----------
    folder
        The model's folder, ``reports/<model>``; made if it is not there.
    run
        The results of one model.

    Raises
    ------
    OSError
        If the folder can't be written to.
    """
    folder = Path(folder)
    save_results(folder / "results.json", run)
    view = RunView(run)
    write_atomically(folder / "summary.md", summary_markdown(run))
    write_tables(folder / "tables", run)
    figures = write_figures(folder, view)
    topology = write_topology_figures(folder, view)
    page = folder / "index.html"
    write_atomically(page, render_page(view, figures, topology))
    return page


def write_figures(folder: Path, view: RunView) -> dict[str, FigureFiles]:
    """Draw the figures of every slice that has energies, and return them by the slice's id.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    from symscape.report.figures import draw_landscape
    from symscape.report.image import figure_pixels, save_pixels
    from symscape.report.thumbnail import draw_thumbnail

    target = folder / "figures"
    target.mkdir(parents=True, exist_ok=True)
    files = {}
    for item in view.slices:
        data = landscape_data(view, item)
        if data is None:
            continue
        pictures = {
            "wide": figure_pixels(draw_landscape(data, "wide")),
            "tall": figure_pixels(draw_landscape(data, "tall")),
            "thumb": draw_thumbnail(data),
        }
        images = {}
        for kind, picture in pictures.items():
            path = target / f"{item.slug}-{kind}.png"
            images[kind] = Image(f"figures/{path.name}", *save_pixels(path, picture))
        files[item.id] = FigureFiles(**images, alt=describe_figure(data))
    written = {Path(i.path).name for f in files.values() for i in (f.wide, f.tall, f.thumb)}
    for kind in _KINDS:
        for path in target.glob(f"*-{kind}.png"):
            if path.name not in written:
                path.unlink()
    return files


def landscape_data(view: RunView, item: SliceView) -> LandscapeData | None:
    """Return what the landscape figure of a slice shows; None if there are no energies."""
    reference, model = item.reference, item.model
    if reference is None or model is None:
        return None
    worst = item.energies.detail.worst if item.energies else None
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
        model_name=view.run.model.name,
        reference_name=f"DFT ({reference.level_of_theory})",
        title=item.id,
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
