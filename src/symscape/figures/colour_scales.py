"""Energy scales of the landscape figures: where they begin and end, and where contours lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.figures.landscape_data import LandscapeData

#: colours between two contour lines
_SHADES = 4
#: share of a scale's height that no one sees
_NOTHING = 0.002


@dataclass(frozen=True, eq=False)
class Scale:
    """A colour scale in meV/atom.

    Parameters
    ----------
    lines
        Values of the labelled contour lines and of the colour bar's ticks.
    extend
        ``neither``, ``min``, ``max`` or ``both``: on which sides energies go beyond the scale.
    ends
        Lowest and highest of the energies that the scale is for, NaN if there are none.
    """

    lines: np.ndarray
    extend: str
    ends: tuple[float, float] = (np.nan, np.nan)

    @property
    def limits(self) -> tuple[float, float]:
        """Ends of the scale."""
        return float(self.lines[0]), float(self.lines[-1])

    @property
    def note(self) -> str:
        """How far energies go beyond the scale, in words; empty if none does."""
        low, high = (f"{value:.0f}".replace("-", "−") for value in self.ends)
        words = {"min": f"down to {low}", "max": f"up to {high}", "both": f"{low} to {high}"}
        return words.get(self.extend, "")

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

    Its ends come from both surfaces, so that a well or a barrier which only the model has is seen.
    It ends at the judged window, or at the highest energy of either where that is lower; it begins
    at the lowest. The model takes no more than half of it for itself, at either end: what lies far
    away must not wash out the part of the landscape that counts.

    Parameters
    ----------
    reference, model
        meV/atom above the common zero, NaN where unknown, any shape.
    window
        meV/atom.
    """
    both = np.concatenate([np.ravel(reference), np.ravel(model)])
    return _scale(both, _round_values(*energy_span(reference, model, window)))


def energy_span(reference: np.ndarray, model: np.ndarray, window: float) -> tuple[float, float]:
    """Return where the scale of `energy_scale` begins and ends before rounding, meV/atom."""
    both = np.concatenate([np.ravel(reference), np.ravel(model)])
    highest = float(np.nanmax(reference, initial=0.0))
    either = min(float(np.nanmax(both, initial=0.0)), 2 * highest)
    cap = min(window, either) if either > 0 else window
    lowest = float(np.nanmin(both, initial=0.0))
    # less than a step of the eye below zero is told by the colour beyond the scale
    low = max(lowest, -cap) if lowest < -_NOTHING * cap else 0.0
    return low, cap


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
    return _scale(error, lines)


def _round_values(low: float, high: float, count: int = 8) -> np.ndarray:
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10])
    ticks = np.asarray(locator.tick_values(low, high))
    first = int(np.searchsorted(ticks, low, side="right")) - 1
    last = int(np.searchsorted(ticks, high - 1e-9 * (high - low), side="left"))
    return ticks[max(first, 0) : last + 1]


def _scale(values: np.ndarray, lines: np.ndarray) -> Scale:
    """Return the scale with these lines, which knows what of the values is beyond it."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Scale(lines, "neither")
    low, high = float(known.min()), float(known.max())
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
    return Scale(lines, extend[low < lines[0], high > lines[-1]], (low, high))
