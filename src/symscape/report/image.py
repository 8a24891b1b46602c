"""Figures as small PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(path: str | Path, figure: Figure) -> tuple[int, int]:
    """Write a figure as a PNG with a palette, which is a third of the size, and return its pixels.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    from PIL import Image

    figure.canvas.draw()
    rgba = np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]
    pixels = np.ascontiguousarray(rgba[..., :3])
    indices, palette = reduce_colours(pixels)
    image = Image.fromarray(indices)
    image.putpalette(palette.tobytes())
    image.save(path, format="PNG")
    return image.size


def reduce_colours(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an image to its 256 most frequent colours, which stay exact.

    A colour scale must not be approximated, as the usual quantizers do; here only the edges of
    letters and lines change.

    Parameters
    ----------
    pixels
        Red, green, blue; shape (height, width, 3), uint8.

    Returns
    -------
    indices, palette
        Shapes (height, width) and (n_colours, 3), uint8.
    """
    packed = np.zeros(pixels.shape[:2], dtype=np.int32)
    for channel in range(3):
        packed |= pixels[..., channel].astype(np.int32) << (16 - 8 * channel)
    # tables over all colours that there can be are quicker than sorting the pixels
    seen = np.zeros(1 << 24, dtype=bool)
    seen[packed] = True
    present = np.flatnonzero(seen)
    rank = np.zeros(1 << 24, dtype=np.int32)
    rank[present] = np.arange(len(present))
    counts = np.bincount(rank[packed].ravel(), minlength=len(present))
    colours = np.stack([present >> 16, present >> 8 & 255, present & 255], axis=1).astype(float)
    palette = colours[np.argsort(-counts, kind="stable")[:256]]
    apart = (palette**2).sum(axis=1) - 2 * colours @ palette.T
    table = np.zeros(1 << 24, dtype=np.uint8)
    table[present] = apart.argmin(axis=1)
    return table[packed], palette.astype(np.uint8)
