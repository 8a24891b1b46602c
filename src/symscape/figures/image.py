"""Pictures as small PNG files that know what they were drawn from.

A PNG's text chunk carries a stamp, a digest of everything that the picture was drawn from. A
picture on disk with the right stamp need not be drawn again.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from symscape.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = "symscape-drawn-from"
#: the keyword that the PNG standard has for what a picture shows
_DESCRIPTION = "Description"
#: enough for the shades of two scales and the edges of letters
MOST_COLOURS = 96
#: of them, those that are kept because nothing else is like them: markers are small
_RARE_COLOURS = 24
#: zlib's; at 9, a file is 6 % smaller and takes five times as long
_COMPRESSION = 7


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def figure_pixels(figure: Figure) -> np.ndarray:
    """Render a figure; red, green, blue, opacity, shape (height, width, 4), uint8."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]


def save_pixels(
    path: str | Path, pixels: np.ndarray, stamp: str = "", description: str = ""
) -> Size:
    """Write an opaque picture as a PNG with a palette, which is a third of the size.

    Parameters
    ----------
    pixels
        Red, green, blue, opacity; shape (height, width, 4), uint8.
    stamp
        What `stamped_size` is to recognize the picture by.
    description
        What the picture shows in words; `read_description` finds it.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    indices, palette = reduce_colours(pixels)
    image = Image.fromarray(indices)
    image.putpalette(palette.tobytes())
    about = PngInfo()
    if stamp:
        about.add_text(_KEYWORD, stamp)
    if description:
        about.add_itxt(_DESCRIPTION, description)
    content = BytesIO()
    image.save(content, format="PNG", pnginfo=about, compress_level=_COMPRESSION)
    write_atomically(Path(path), content.getvalue())
    return Size(*image.size)


def stamped_size(path: str | Path, stamp: str) -> Size | None:
    """Return the size of a picture on disk if it is whole and carries this stamp, else None.

    The whole file is read and every checksum in it is checked.
    """
    try:
        content = Path(path).read_bytes()
    except OSError:
        return None
    chunks = _read_chunks(content)
    if chunks is None or chunks.get(b"tEXt") != f"{_KEYWORD}\0{stamp}".encode():
        return None
    return Size(*struct.unpack(">II", chunks[b"IHDR"][:8]))


def read_description(path: str | Path) -> str:
    """Return what a picture on disk says that it shows; empty if it says nothing.

    Raises
    ------
    OSError
        If the file can't be read.
    """
    text = (_read_chunks(Path(path).read_bytes()) or {}).get(b"iTXt", b"")
    # keyword, compression flag and method, language, translated keyword
    keyword, _, rest = text.partition(b"\0")
    if keyword.decode("latin-1") != _DESCRIPTION or rest[:1] != b"\0":
        return ""
    return rest[2:].split(b"\0", 2)[2].decode("utf-8")


def _read_chunks(content: bytes) -> dict[bytes, bytes] | None:
    """Return the last chunk of each type of a PNG (ISO/IEC 15948, 5.3); None if it is damaged."""
    if not content.startswith(_SIGNATURE):
        return None
    chunks: dict[bytes, bytes] = {}
    place = len(_SIGNATURE)
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        body = content[place + 4 : place + 8 + length]
        check = content[place + 8 + length : place + 12 + length]
        if len(check) < 4 or zlib.crc32(body) != int.from_bytes(check, "big"):
            return None
        chunks[body[:4]] = body[4:]
        place += 12 + length
        if body[:4] == b"IEND":
            return chunks if place == len(content) else None
    return None


def reduce_colours(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an image to its most frequent colours and the most peculiar of the others.

    A colour scale must not be approximated, as the usual quantizers do; here only the edges of
    letters and lines change, each to the nearest of those colours.

    Parameters
    ----------
    pixels
        Red, green, blue, opacity (all opaque); shape (height, width, 4), uint8.

    Returns
    -------
    indices, palette
        Shapes (height, width) and (n_colours, 3), uint8.
    """
    packed = np.ascontiguousarray(pixels).view("<u4").ravel()
    # most pixels have the colour of their left neighbour: only the runs need sorting
    starts = np.flatnonzero(np.concatenate([[True], packed[1:] != packed[:-1]]))
    lengths = np.diff(starts, append=len(packed))
    present, kinds = np.unique(packed[starts], return_inverse=True)
    counts = np.bincount(kinds, weights=lengths)
    channels = [present & 255, present >> 8 & 255, present >> 16 & 255]
    colours = np.stack(channels, axis=1).astype(np.float32)
    palette = _choose_palette(colours, counts)
    nearest = _apart(colours, palette).argmin(axis=1).astype(np.uint8)
    return np.repeat(nearest[kinds], lengths).reshape(pixels.shape[:2]), palette.astype(np.uint8)


def _choose_palette(colours: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Choose the colours to keep, shape (n, 3)."""
    order = np.argsort(-counts, kind="stable")
    if len(order) <= MOST_COLOURS:
        return colours[order]
    chosen = list(order[: MOST_COLOURS - _RARE_COLOURS])
    lost = _apart(colours, colours[chosen]).min(axis=1)
    for _ in range(_RARE_COLOURS):
        # the colour whose pixels would change most in sum
        chosen.append(int(np.argmax(counts * lost)))
        lost = np.minimum(lost, _apart(colours, colours[chosen[-1:]])[:, 0])
    return colours[chosen]


def _apart(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Squared distances, shape (n_colours, n_palette)."""
    # all sums stay below 2^24, so that single precision is exact
    squares = (colours**2).sum(axis=1)[:, None] + (palette**2).sum(axis=1)
    apart: np.ndarray = squares - 2 * colours @ palette.T
    return apart


def save_figure(path: str | Path, figure: Figure, stamp: str = "") -> Size:
    """Render a figure into a PNG file; as `save_pixels`.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    return save_pixels(path, figure_pixels(figure), stamp)
