"""Crystals as small drawings: one cell, seen from a little above, bonds by covalent radii."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from markupsafe import Markup

    from symscape.results.structure import CrystalShape

#: side of a drawing
SIZE = 210
_MARGIN = 16
#: atoms nearer than this many sums of covalent radii are joined
_BOND = 1.22
#: share of the covalent radius that is drawn
_BALL = 0.42
#: fractional distance up to which an atom lies on a face, and is drawn on the other one too
_ON_FACE = 1e-3
#: degrees, about the horizontal and then the vertical axis of the screen
_TILT, _TURN = -78.0, 17.0


_CIRCLE = '<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="rgb({},{},{})"/>'


@dataclass(frozen=True, eq=False)
class _Seen:
    """Atoms of one cell on the screen.

    Parameters
    ----------
    points
        Shape (n, 3): right, up and towards the eye, angstrom.
    numbers
        Atomic numbers.
    corners
        The cell's eight corners, shape (8, 3).
    """

    points: np.ndarray
    numbers: np.ndarray
    corners: np.ndarray

    @property
    def extent(self) -> float:
        """The larger of width and height, angstrom."""
        both = np.vstack([self.points, self.corners])[:, :2]
        return float((both.max(axis=0) - both.min(axis=0)).max())


def draw_change(shape: CrystalShape, name: str) -> tuple[Markup, Markup | None]:
    """Draw a crystal before and, if the model relaxed it, after the relaxation, on one scale.

    Parameters
    ----------
    shape
        The crystal; it may come from anybody's file.
    name
        Goes into the words for those who can't see it.

    Raises
    ------
    ValueError
        If it has no atoms, an element that does not exist, or a cell without volume.
    """
    before = _look(shape.symbols, shape.cell, shape.positions)
    after = None
    if shape.relaxed_cell is not None and shape.relaxed_positions is not None:
        after = _look(shape.symbols, shape.relaxed_cell, shape.relaxed_positions)
    largest = max(seen.extent for seen in (before, after) if seen is not None)
    scale = (SIZE - 2 * _MARGIN) / max(largest, 1.0)
    first = _draw(before, scale, f"{name} as DFT has it")
    if after is None:
        return first, None
    return first, _draw(after, scale, f"{name} relaxed by the model, on the same scale")


def _look(symbols: Any, cell: Any, positions: Any) -> _Seen:
    """Put atoms on the screen, those on a face of the cell on the opposite one too."""
    from ase.data import atomic_numbers

    if not symbols or any(symbol not in atomic_numbers for symbol in symbols):
        raise ValueError("a crystal of elements that do not exist")
    lattice = np.array(cell, dtype=float).reshape(3, 3)
    inside = np.array(positions, dtype=float).reshape(len(symbols), 3) % 1.0
    inside[inside > 1 - _ON_FACE] = 0.0
    if not (np.isfinite(lattice).all() and np.isfinite(inside).all()):
        raise ValueError("a crystal with a number missing")
    if abs(np.linalg.det(lattice)) < 1e-6:
        raise ValueError("a cell without volume")
    images = [
        (at + shift, atomic_numbers[symbol])
        for at, symbol in zip(inside, symbols, strict=True)
        for shift in product(*((0, 1) if x < _ON_FACE else (0,) for x in at))
    ]
    view = _rotation()
    return _Seen(
        np.array([at for at, _ in images]) @ lattice @ view.T,
        np.array([number for _, number in images]),
        np.array(list(product((0, 1), repeat=3))) @ lattice @ view.T,
    )


def _rotation() -> np.ndarray:
    """Return what turns a crystal so that its third axis points up and its first to the right."""
    a, b = np.radians([_TILT, _TURN])
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    matrix: np.ndarray = tilt @ turn
    return matrix


def _draw(seen: _Seen, scale: float, words: str) -> Markup:
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors
    from markupsafe import Markup

    both = np.vstack([seen.points, seen.corners])
    middle = (both.max(axis=0) + both.min(axis=0)) / 2
    screen = (seen.points - middle) * [scale, -scale, scale] + [SIZE / 2, SIZE / 2, 0]
    corners = (seen.corners - middle) * [scale, -scale, scale] + [SIZE / 2, SIZE / 2, 0]
    radii = covalent_radii[seen.numbers]
    shapes: list[tuple[float, str]] = []
    for i, j in zip(*np.triu_indices(len(screen), 1), strict=True):
        apart = np.linalg.norm(seen.points[i] - seen.points[j])
        if apart < _BOND * (radii[i] + radii[j]):
            depth = (screen[i, 2] + screen[j, 2]) / 2
            shapes.append((depth, _line(screen[i], screen[j], "bond")))
    for at, number, radius in zip(screen, seen.numbers, radii, strict=True):
        red, green, blue = (round(255 * float(c)) for c in jmol_colors[number])
        shapes.append(
            (
                # in front of the bonds that end in it
                float(at[2]) + 0.1,
                _CIRCLE.format(*at[:2], _BALL * radius * scale, red, green, blue),
            )
        )
    edges = [
        _line(corners[i], corners[j], "edge")
        for i, j in zip(*np.triu_indices(8, 1), strict=True)
        # corners of an edge differ in one of their three digits
        if (i ^ j).bit_count() == 1
    ]
    body = "".join([*edges, *(shape for _, shape in sorted(shapes))])
    head = Markup('<svg class="crystal" viewBox="0 0 {0} {0}" role="img" aria-label="{1}">')
    return head.format(SIZE, words) + Markup(body) + Markup("</svg>")


def _line(a: np.ndarray, b: np.ndarray, kind: str) -> str:
    return f'<line class="{kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'
