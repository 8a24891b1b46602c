"""Crystals as small drawings: one cell, seen from a little above, bonds by covalent radii."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from markupsafe import Markup

    from symscape.questions.shapes import CrystalShape

#: side of a drawing
SIZE = 210
_MARGIN = 16
#: atoms nearer than this many sums of covalent radii are joined
_BOND = 1.22
#: share of the covalent radius that is drawn
_BALL = 0.42
#: fractional distance up to which an atom lies on a face, and is drawn on the other one too
_ON_FACE = 1e-3
#: atoms up to which neighbours beyond the cell are drawn
_MOST_ATOMS = 40
#: degrees, about the horizontal and then the vertical axis of the screen
_TILT, _TURN = -78.0, 17.0


_CIRCLE = '<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="rgb({},{},{})"/>'


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
    outside
        Whether each atom lies beyond the cell, which is drawn pale.
    """

    points: np.ndarray
    numbers: np.ndarray
    corners: np.ndarray
    outside: np.ndarray

    @property
    def extent(self) -> float:
        """The larger of width and height with the largest atom on either side, angstrom."""
        from ase.data import covalent_radii

        both = np.vstack([self.points, self.corners])[:, :2]
        ball = _BALL * float(covalent_radii[self.numbers].max())
        return float((both.max(axis=0) - both.min(axis=0)).max()) + 2 * ball


def draw_change(shape: CrystalShape, name: str) -> tuple[Markup, Markup | None]:
    """Draw a crystal before and, if the model relaxed it, after the relaxation, on one scale.

    The same atoms are drawn in both: those of one cell, on all its faces, and their neighbours
    beyond it.

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
    lattice, places = _checked(shape.symbols, shape.cell, shape.positions)
    numbers = _numbers(shape.symbols)
    drawn = _choose(lattice, places, numbers)
    before = _look(lattice, places, numbers, drawn)
    after = None
    if shape.relaxed_cell is not None and shape.relaxed_positions is not None:
        relaxed = _checked(shape.symbols, shape.relaxed_cell, shape.relaxed_positions)
        after = _look(*relaxed, numbers, drawn)
    largest = max(seen.extent for seen in (before, after) if seen is not None)
    scale = (SIZE - 2 * _MARGIN) / max(largest, 1.0)
    first = _draw(before, scale, f"{name} as DFT has it")
    if after is None:
        return first, None
    return first, _draw(after, scale, f"{name} relaxed by the model, on the same scale")


def _checked(symbols: Any, cell: Any, positions: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return lattice vectors, shape (3, 3), and fractional coordinates, shape (n, 3)."""
    lattice = np.array(cell, dtype=float).reshape(3, 3)
    places = np.array(positions, dtype=float).reshape(len(symbols), 3)
    if not (np.isfinite(lattice).all() and np.isfinite(places).all()):
        raise ValueError("a crystal with a number missing")
    if abs(np.linalg.det(lattice)) < 1e-6:
        raise ValueError("a cell without volume")
    return lattice, places


def _numbers(symbols: Any) -> np.ndarray:
    from ase.data import atomic_numbers

    if not symbols or any(symbol not in atomic_numbers for symbol in symbols):
        raise ValueError("a crystal of elements that do not exist")
    return np.array([atomic_numbers[symbol] for symbol in symbols])


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The images that are drawn: atom, shift by whole cells, whether beyond the cell."""

    atoms: np.ndarray
    shifts: np.ndarray
    outside: np.ndarray


def _choose(lattice: np.ndarray, places: np.ndarray, numbers: np.ndarray) -> _Drawn:
    """Choose the images within the cell and on its faces, and the neighbours of those.

    Neighbours are left out where they are too many to be told apart.
    """
    from ase.data import covalent_radii

    home = -np.floor(places + _ON_FACE)
    steps = np.array(list(product((-1, 0, 1), repeat=3)))
    shifts = (home[:, None] + steps).reshape(-1, 3)
    atoms = np.repeat(np.arange(len(places)), len(steps))
    at = places[atoms] + shifts
    inside = ((at > -_ON_FACE) & (at < 1 + _ON_FACE)).all(axis=1)
    points, radii = at @ lattice, covalent_radii[numbers[atoms]]
    near = np.zeros(len(at), dtype=bool)
    for k in np.flatnonzero(inside):
        near |= np.linalg.norm(points - points[k], axis=1) < _BOND * (radii + radii[k])
    chosen = inside | near if (inside | near).sum() <= _MOST_ATOMS else inside
    return _Drawn(atoms[chosen], shifts[chosen], ~inside[chosen])


def _look(lattice: np.ndarray, places: np.ndarray, numbers: np.ndarray, drawn: _Drawn) -> _Seen:
    """Put atoms on the screen."""
    view = _rotation()
    return _Seen(
        (places[drawn.atoms] + drawn.shifts) @ lattice @ view.T,
        numbers[drawn.atoms],
        np.array(list(product((0, 1), repeat=3))) @ lattice @ view.T,
        drawn.outside,
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
            # behind both atoms, which cover its ends
            depth = min(screen[i, 2], screen[j, 2])
            shapes.append((depth, _line(screen[i], screen[j], "bond")))
    for at, number, radius, pale in zip(screen, seen.numbers, radii, seen.outside, strict=True):
        red, green, blue = (round(255 * float(c)) for c in jmol_colors[number])
        shapes.append(
            (
                float(at[2]) + 1e-6,
                _CIRCLE.format(
                    "outside" if pale else "inside",
                    *at[:2],
                    _BALL * radius * scale,
                    red,
                    green,
                    blue,
                ),
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
