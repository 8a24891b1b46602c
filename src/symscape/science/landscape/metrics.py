"""Pointwise comparisons of two surfaces: what needs more than a line of numpy.

The functions take ``reference`` and ``model``, energies in eV/atom above the common zero at the
``n`` points of an energy window, shape (n,), and return one number. `symscape.questions.energies`
says what is a metric, and computes it from these or by itself.
"""

from __future__ import annotations

import numpy as np

from symscape.rounding import NOISE_EV_ATOM
from symscape.science.landscape.align import AlignedGrid

#: widths in eV/atom above the DFT minimum for which every metric is reported
WINDOWS = (0.1, 0.5, 1.0)
#: the window that is held against the tolerances unless they say otherwise, eV/atom
DEFAULT_WINDOW = 0.5
#: energies in eV/atom that agree to this many decimals have the same rank
_TIE_DECIMALS = 7


def root_mean_square_error(reference: np.ndarray, model: np.ndarray) -> float:
    """Root-mean-square error in meV/atom."""
    return float(1000 * np.sqrt(((model - reference) ** 2).mean()))


def share_below(reference: np.ndarray, model: np.ndarray) -> float:
    """Share of the points, the zero left out, at which the model lies below DFT, 0 to 1.

    NaN where every point is as low as the zero.
    """
    above = reference > NOISE_EV_ATOM
    if not above.any():
        return float("nan")
    return float(((model - reference)[above] < -NOISE_EV_ATOM).mean())


def slope_through_zero(reference: np.ndarray, model: np.ndarray) -> float:
    """Least-squares slope through zero of model on DFT; below 1 the PES is too soft.

    The definition of Deng et al., npj Comput. Mater. 11, 9 (2025), applied to relative energies.
    NaN where DFT is flat.
    """
    square = float((reference**2).sum())
    if square < len(reference) * NOISE_EV_ATOM**2:
        return float("nan")
    return float((reference * model).sum() / square)


def rank_correlation(reference: np.ndarray, model: np.ndarray) -> float:
    """Spearman's rank correlation, -1 to 1; NaN for fewer than three points or a flat surface."""
    # points equal by symmetry are ties, whatever the last digits of their energies say
    reference, model = np.round(reference, _TIE_DECIMALS), np.round(model, _TIE_DECIMALS)
    if len(reference) < 3 or np.ptp(reference) == 0 or np.ptp(model) == 0:
        return float("nan")
    return float(np.corrcoef(_ranks(reference), _ranks(model))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks, ties sharing their mean one, without `scipy.stats`, which is slow to import."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which]


def window_key(window: float) -> str:
    """Name of a window in results: its width in meV/atom, ``500`` for 0.5 eV/atom."""
    return f"{1000 * window:g}"


def worst_point(grid: AlignedGrid, window: float) -> tuple[int, int]:
    """Grid indices of the largest absolute error inside the window."""
    error = np.where(grid.window(window), np.abs(grid.error), -1.0)
    i, j = np.unravel_index(int(error.argmax()), error.shape)
    return int(i), int(j)
