"""The hull of a binary system as a drawing: where both hulls, all crystals and the failed ones lie.

The template draws it; here are the places.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symscape.page.words import number_text
from symscape.science.hull.systems import elements_of_system

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 460, 292
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 438, 12, 262
#: meV/atom up to which crystals are drawn at least: those far up would press the hull flat
_LEAST_TOP = 60.0
#: energies above hull below this are on it, meV/atom
_ON_HULL = 1e-3


@dataclass(frozen=True)
class HullMark:
    """One energy of one crystal: ``dft`` or ``model``, on its hull or above, and words for it."""

    x: float
    y: float
    who: str
    on_hull: bool
    text: str


@dataclass(frozen=True)
class FailedMark:
    """A crystal behind a failure: its name, and the heights of DFT's and the model's energy."""

    x: float
    dft: float
    model: float
    name: str
    right: bool


@dataclass(frozen=True)
class HullDrawing:
    """Formation energies of a system of two elements over the composition.

    Parameters
    ----------
    elements
        The two, left and right.
    lines
        ``dft`` and ``model`` to the corners of the hull, as SVG writes them.
    marks
        Every crystal that is not too far up.
    failed
        Those that are named, with a line between their two energies.
    ticks
        Heights and the energies there, meV/atom.
    alt
        Says what the drawing shows.
    """

    elements: tuple[str, str]
    lines: dict[str, str]
    marks: tuple[HullMark, ...]
    failed: tuple[FailedMark, ...]
    ticks: tuple[tuple[float, str], ...]
    alt: str


def draw_hull(system: str, table: pd.DataFrame, failed: Collection[str]) -> HullDrawing | None:
    """Lay out a system; None but for two elements.

    Parameters
    ----------
    system
        ``Al-As``.
    table
        Its crystals, energies in meV/atom.
    failed
        Ids of the crystals that are named.
    """
    elements = elements_of_system(system)
    if len(elements) != 2 or table.empty:
        return None
    first, second = elements
    x, energies = _across(table, second), {w: table[f"formation_{w}"].to_numpy() for w in _WHO}
    named = np.flatnonzero(table["id"].isin(list(failed)))
    low = min(0.0, *(float(e.min()) for e in energies.values()))
    top = max(
        0.6 * abs(low), _LEAST_TOP, *(float(e[named].max(initial=0)) for e in energies.values())
    )
    y = {who: _up(values, low, top) for who, values in energies.items()}
    on_hull = {who: table[f"above_hull_{who}"].to_numpy() < _ON_HULL for who in _WHO}
    names = list(table["id"])
    marks = [
        HullMark(x[k], y[who][k], who, bool(on_hull[who][k]), _words(names[k], who, values[k]))
        for who, values in energies.items()
        for k in np.flatnonzero(values <= top)
    ]
    return HullDrawing(
        (first, second),
        {who: _corners(x, y[who], on_hull[who]) for who in _WHO},
        tuple(marks),
        tuple(
            FailedMark(x[k], y["dft"][k], y["model"][k], names[k], bool(x[k] > WIDTH / 2))
            for k in named
        ),
        tuple((float(_up(np.array([e]), low, top)[0]), number_text(e, 0)) for e in (low, 0.0, top)),
        f"Formation energies of {system} in meV/atom over the share of {second}, DFT and model, "
        f"with both hulls. Named: {', '.join(names[k] for k in named) or 'none'}",
    )


_WHO = ("dft", "model")


def _across(table: pd.DataFrame, second: str) -> np.ndarray:
    """Return how far to the right crystals lie, by their share of the second element."""
    from pymatgen.core import Composition

    shares = np.array([Composition(f).get_atomic_fraction(second) for f in table["formula"]])
    places: np.ndarray = np.round(_LEFT + (_RIGHT - _LEFT) * (0.03 + 0.94 * shares), 1)
    return places


def _up(energies: np.ndarray, low: float, top: float) -> np.ndarray:
    """Return the heights of energies on the screen, where down is positive."""
    margin = 0.05 * (top - low)
    share = (energies - low + margin) / (top - low + 2 * margin)
    heights: np.ndarray = np.round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)
    return heights


def _corners(x: np.ndarray, y: np.ndarray, on_hull: np.ndarray) -> str:
    corners = sorted(zip(x[on_hull].tolist(), y[on_hull].tolist(), strict=True))
    return " ".join(f"{across:g},{up:g}" for across, up in corners)


def _words(name: str, who: str, energy: float) -> str:
    whose = "DFT" if who == "dft" else "model"
    return f"{name}, {whose}: {number_text(energy, 1)} meV/atom"
