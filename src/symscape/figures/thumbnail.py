"""Thumbnails: the three maps small, without words."""

from __future__ import annotations

import numpy as np

from symscape.figures.colour_scales import Scale, landscape_scales
from symscape.figures.panels import (
    ENERGY_COLOURS,
    ERROR_COLOURS,
    GAPS,
    LandscapeData,
    colour_map,
    fill_nearest,
    find_gaps,
)

#: width and height in pixels of the picture, of one map, and the white between two
THUMBNAIL_PIXELS = (240, 80)
_SIDE, _GAP = 78, 3
#: distance in pixels of the stripes on points without an energy
_STRIPES = 5


def draw_thumbnail(data: LandscapeData) -> np.ndarray:
    """Draw DFT, model and difference; red, green, blue, opacity, shape (80, 240, 4), uint8."""
    energies, errors = landscape_scales(data)
    width, height = THUMBNAIL_PIXELS
    picture = np.full((height, width, 4), 255, dtype=np.uint8)
    model = np.full(data.reference.shape, np.nan) if data.model is None else data.model
    maps = (
        (data.reference, energies, ENERGY_COLOURS),
        (model, energies, ENERGY_COLOURS),
        (data.error, errors, ERROR_COLOURS),
    )
    for k, (grid, scale, colours) in enumerate(maps):
        left = k * (_SIDE + _GAP)
        picture[1 : _SIDE + 1, left : left + _SIDE] = _draw_map(data, grid, scale, colours)
    return picture


def _draw_map(data: LandscapeData, grid: np.ndarray, scale: Scale, colours: str) -> np.ndarray:
    """One map, the second axis upwards; shape (78, 78, 4), uint8."""
    known = np.isfinite(grid)
    # row k: the weight of each grid value in pixel k, by linear interpolation
    across, up = (_weights(values) for values in (data.u, data.v))
    if known.any():
        whole = up[::-1] @ (1000 * fill_nearest(grid, known)).T @ across.T
        pixels = _colours(whole, scale, colours)
    else:
        pixels = np.full((_SIDE, _SIDE, 4), 255, dtype=np.uint8)
    row, column = np.indices(pixels.shape[:2])
    stripe = (row + column) % _STRIPES == 0
    nearest = np.ix_(up[::-1].argmax(axis=1), across.argmax(axis=1))
    for kind, where in find_gaps(data, known):
        covered = where.T[nearest]
        style = GAPS[kind][1]
        pixels[covered] = _rgba(style["facecolor"])
        pixels[covered & stripe] = _rgba(style["edgecolor"])
    return pixels


def _weights(values: np.ndarray) -> np.ndarray:
    """Weights of linear interpolation, shape (78, n): pixel centres by grid values."""
    centres = values[0] + (np.arange(_SIDE) + 0.5) / _SIDE * (values[-1] - values[0])
    return np.stack([np.interp(centres, values, row) for row in np.eye(len(values))], axis=1)


def _colours(energies: np.ndarray, scale: Scale, name: str) -> np.ndarray:
    """Colours of energies in meV/atom: those that the filled contours of the large maps have."""
    levels = scale.shades
    low, high = scale.limits
    middles = (levels[1:] + levels[:-1]) / 2
    cmap = colour_map(name)
    inner = cmap((middles - low) / (high - low), bytes=True)
    under, over = cmap(-1.0, bytes=True), cmap(2.0, bytes=True)
    table = np.array([under, *inner, over], dtype=np.uint8)
    # the uppermost level belongs to the last colour
    layer = np.searchsorted(levels, energies, side="right")
    return table[np.where(energies == levels[-1], len(levels) - 1, layer)]


def _rgba(colour: str) -> tuple[int, ...]:
    return (*bytes.fromhex(colour[1:]), 255)
