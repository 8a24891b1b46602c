"""Energy scales of the landscape figures: where they begin and end, and where contours lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from symscape.figures.panels import LandscapeData

#: colours between two contour lines
_SHADES = 4


@dataclass(frozen=True, eq=False)
class Scale:
    """A colour scale in meV/atom.

    Parameters
    ----------
    lines
        Values of the labelled contour lines and of the colour bar's ticks.
    extend
        ``neither``, ``min``, ``max`` or ``both``: on which sides energies go beyond the scale.
    """

    lines: np.ndarray
    extend: str

    @property
    def limits(self) -> tuple[float, float]:
        """Ends of the scale."""
        return float(self.lines[0]), float(self.lines[-1])

    @property
    def shades(self) -> np.ndarray:
        """Levels of the filled colours, finer than the lines."""
        return np.linspace(*self.limits, _SHADES * (len(self.lines) - 1) + 1)


def landscape_scales(data: LandscapeData) -> tuple[Scale, Scale]:
    """Return the scale of DFT and model and that of their difference."""
    model = data.reference if data.model is None else data.model
    energies = energy_scale(1000 * data.reference, 1000 * model, 1000 * data.window)
    return energies, error_scale(1000 * data.error, _judged(data))


def change_scale(data: LandscapeData) -> Scale:
    """Return the scale of the difference between model and baseline."""
    return error_scale(1000 * data.change, _judged(data))


def _judged(data: LandscapeData) -> np.ndarray:
    """Points of the judged window, shape (n_u, n_v)."""
    inside: np.ndarray = data.reference <= data.window + 1e-12
    return inside


def energy_scale(reference: np.ndarray, model: np.ndarray, window: float) -> Scale:
    """One scale for DFT and model.

    It begins at the lowest energy of either, but shows no more below the common zero than above
    it, and ends at the judged window, or at the highest DFT energy where that is lower: what lies
    far above must not wash out the part of the landscape that counts.

    Parameters
    ----------
    reference, model
        meV/atom above the common zero, NaN where unknown, any shape.
    window
        meV/atom.
    """
    highest = float(np.nanmax(reference, initial=0.0))
    cap = min(window, highest) if highest > 0 else window
    both = np.concatenate([np.ravel(reference), np.ravel(model)])
    lowest = float(np.nanmin(both, initial=0.0))
    # a few meV below zero are told by the colour beyond the scale, more by the scale
    low = max(lowest, -cap) if lowest < -0.1 * cap else 0.0
    lines = _round_values(low, cap)
    return Scale(lines, _extend(both, lines))


def error_scale(error: np.ndarray, inside: np.ndarray) -> Scale:
    """Scale of the difference, centred on zero.

    Parameters
    ----------
    error
        Model minus DFT in meV/atom, NaN where unknown.
    inside
        Points of the judged window; the scale holds their errors, those of others may go beyond.
    """
    span = float(np.nanmax(np.abs(error), where=inside & np.isfinite(error), initial=0.0))
    # below 0.1 meV/atom a difference is the noise of single precision: don't magnify it
    half = _round_values(0.0, max(span, 0.1), count=4)
    lines = np.concatenate([-half[:0:-1], half])
    return Scale(lines, _extend(error, lines))


def _round_values(low: float, high: float, count: int = 8) -> np.ndarray:
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10])
    ticks = np.asarray(locator.tick_values(low, high))
    first = int(np.searchsorted(ticks, low, side="right")) - 1
    last = int(np.searchsorted(ticks, high - 1e-9 * (high - low), side="left"))
    return ticks[max(first, 0) : last + 1]


def _extend(values: np.ndarray, lines: np.ndarray) -> str:
    below = bool((values < lines[0]).any())
    above = bool((values > lines[-1]).any())
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]
