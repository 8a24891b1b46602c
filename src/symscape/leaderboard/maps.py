"""Landscapes on the pages: thumbnails as files, large maps as numbers that the browser draws."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symscape.figures.colour_scales import Scale, landscape_scales
from symscape.figures.image import Size, save_pixels, stamped_size
from symscape.figures.panels import (
    ABOVE_SCALE,
    BELOW_SCALE,
    ENERGY_COLOURS,
    ERROR_COLOURS,
    LandscapeData,
    colour_map,
)
from symscape.figures.thumbnail import draw_thumbnail
from symscape.leaderboard.collect import Entry
from symscape.page.case_views import CaseView, SliceView
from symscape.questions.energies import SCORED_WINDOW
from symscape.results.run_results import ReferenceSummary

#: raised when thumbnails look different, so that those of an earlier leaderboard are drawn anew
DRAWING = 2
#: side in pixels of the one map of `draw_reference`
REFERENCE_PIXELS = 78


@dataclass(frozen=True)
class Thumbnail:
    """A small picture: path relative to the leaderboard's folder, size in pixels, words."""

    path: str
    width: int
    height: int
    alt: str


def map_data(reference: ReferenceSummary, entry: Entry | None = None) -> LandscapeData | None:
    """Return DFT's landscape and, if there is one, a model's; None if the model has none.

    Parameters
    ----------
    entry
        The model's run; without it DFT alone.
    """
    model = None
    if entry is not None:
        found = [
            CaseView(case)
            for case in entry.run.cases
            if case.question == "energies"
            and (case.material, case.slice) == (reference.material, reference.slice)
        ]
        view = SliceView(reference.material, reference.slice, reference, tuple(found))
        if view.model is None:
            return None
        model = np.where(reference.masked, np.nan, view.model)
    return LandscapeData(
        u=np.array(reference.axes[0].values),
        v=np.array(reference.axes[1].values),
        labels=(reference.axes[0].label, reference.axes[1].label),
        reference=np.where(reference.masked, np.nan, reference.relative),
        model=model,
        masked=reference.masked,
        minimum=reference.minimum,
        window=SCORED_WINDOW / 1000,
        model_name=entry.name if entry else "",
        reference_name=f"DFT ({reference.level_of_theory})",
        title=reference.title,
    )


def write_thumbnail(folder: Path, path: str, data: LandscapeData) -> Thumbnail:
    """Draw a landscape small, unless the file on disk was drawn from the same numbers.

    DFT, model and difference side by side; DFT alone where there is no model.

    Parameters
    ----------
    folder
        The leaderboard's.
    path
        Relative to it.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    target = folder / path
    stamp = _stamp(data)
    size: Size | None = stamped_size(target, stamp)
    if size is None:
        target.parent.mkdir(parents=True, exist_ok=True)
        pixels = draw_thumbnail(data)
        if data.model is None:
            pixels = np.ascontiguousarray(pixels[1 : REFERENCE_PIXELS + 1, :REFERENCE_PIXELS])
        size = save_pixels(target, pixels, stamp)
    return Thumbnail(path, size.width, size.height, describe_map(data))


def _stamp(data: LandscapeData) -> str:
    """Digest of what a thumbnail shows."""
    digest = hashlib.sha256(f"thumbnail {DRAWING} {data.window} {data.minimum}".encode())
    for grid in (data.u, data.v, data.reference, data.model, data.masked):
        digest.update(b"|" if grid is None else np.ascontiguousarray(grid).tobytes())
    return digest.hexdigest()


def describe_map(data: LandscapeData) -> str:
    """Say in words what a thumbnail shows, for those who can't see it."""
    over = f"over {data.labels[0]} and {data.labels[1]}"
    if data.model is None:
        return f"Energy map of {data.title} {over}, {data.reference_name}"
    return (
        f"Energy maps of {data.title} {over}: {data.reference_name}, {data.model_name} and their "
        "difference"
    )


@dataclass(frozen=True)
class ModelMap:
    """A model's energies on a slice, meV/atom, and the contour lines of energies and errors."""

    name: str
    energies: list[list[float | None]]
    minimum: tuple[int, int] | None
    scale: list[float]
    errors: list[float]


@dataclass(frozen=True)
class SliceMap:
    """What a browser draws the maps of a slice from; energies in meV/atom."""

    id: str
    reference_name: str
    labels: list[str]
    u: list[float]
    v: list[float]
    reference: list[list[float | None]]
    masked: list[str]
    minimum: list[int]
    window: float
    models: list[ModelMap]


def map_numbers(reference: ReferenceSummary, entries: list[Entry]) -> SliceMap:
    """Return what the browser draws the maps of one slice from; models without energies are out."""
    alone = map_data(reference)
    assert alone is not None
    models = []
    for entry in entries:
        data = map_data(reference, entry)
        if data is None or data.model is None or not np.isfinite(data.model).any():
            continue
        energies, errors = landscape_scales(data)
        models.append(
            ModelMap(
                name=entry.name,
                energies=_grid(data.model),
                minimum=data.model_minimum,
                scale=_scale(energies),
                errors=_scale(errors),
            )
        )
    return SliceMap(
        id=reference.id,
        reference_name=alone.reference_name,
        labels=list(alone.labels),
        u=[round(float(x), 6) for x in alone.u],
        v=[round(float(x), 6) for x in alone.v],
        reference=_grid(alone.reference),
        masked=["".join("#" if m else "." for m in row) for row in reference.masked],
        minimum=list(reference.minimum),
        window=SCORED_WINDOW,
        models=models,
    )


def _grid(energies: np.ndarray) -> list[list[float | None]]:
    """Energies in meV/atom with one decimal, None where there is none."""
    return [[round(float(e), 1) if e == e else None for e in row] for row in 1000 * energies]


def _scale(scale: Scale) -> list[float]:
    """Values of the contour lines, which begin and end the scale."""
    return [float(f"{value:.6g}") for value in scale.lines]


def colour_script() -> str:
    """Return the colour maps of the figures as a script that the pages load."""
    parts = []
    for key, name in (("energies", ENERGY_COLOURS), ("errors", ERROR_COLOURS)):
        samples = colour_map(name)(np.arange(256), bytes=True)[:, :3]
        under, over = colour_map(name)([-1.0, 2.0], bytes=True)[:, :3]
        if key == "energies":
            under, over = (np.frombuffer(bytes.fromhex(c[1:]), dtype=np.uint8)
                           for c in (BELOW_SCALE, ABOVE_SCALE))  # fmt: skip
        table = np.concatenate([[under], samples, [over]]).astype(np.uint8)
        parts.append(f'  {key}: "{table.tobytes().hex()}"')
    body = ",\n".join(parts)
    return (
        "// below the scale, 256 colours, above the scale; red, green and blue in hexadecimal\n"
        f"window.COLOURS = {{\n{body}\n}};\n"
    )
