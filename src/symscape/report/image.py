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
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
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
    packed = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
    colours = np.bincount(packed.ravel(), minlength=1 << 24)
    present = np.flatnonzero(colours)
    present = present[np.argsort(-colours[present], kind="stable")]
    channels = np.stack([present >> 16, present >> 8 & 255, present & 255], axis=1)
    palette = channels[:256]
    apart = np.square(channels[:, None, :] - palette[None, :, :]).sum(axis=2)
    table = np.zeros(1 << 24, dtype=np.uint8)
    table[present] = apart.argmin(axis=1)
    return table[packed], palette.astype(np.uint8)
