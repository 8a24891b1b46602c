"""Pointwise metrics of a slice: pure functions of the relative energies of DFT and model.

Every function takes ``reference`` and ``model``, the energies in eV/atom above the common zero at
the ``n`` points of an energy window, shape (n,), and returns one number. docs/metrics.md gives the
formulas.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symscape.landscape.align import AlignedGrid

#: widths in eV/atom above the DFT minimum for which every metric is reported
WINDOWS = (0.1, 0.5, 1.0)
#: the window that is held against the tolerances unless they say otherwise, eV/atom
DEFAULT_WINDOW = 0.5
#: errors below this many eV/atom do not count as underprediction: float32 noise
UNDERPREDICTION_NOISE = 1e-5
#: energies in eV/atom that agree to this many decimals have the same rank
_TIE_DECIMALS = 7


def mae(reference: np.ndarray, model: np.ndarray) -> float:
    """Mean absolute error in meV/atom."""
    return float(1000 * np.abs(model - reference).mean())


def rmse(reference: np.ndarray, model: np.ndarray) -> float:
    """Root-mean-square error in meV/atom."""
    return float(1000 * np.sqrt(((model - reference) ** 2).mean()))


def max_error(reference: np.ndarray, model: np.ndarray) -> float:
    """Largest absolute error in meV/atom."""
    return float(1000 * np.abs(model - reference).max())


def mean_signed_error(reference: np.ndarray, model: np.ndarray) -> float:
    """Mean of model minus DFT in meV/atom; negative means underprediction."""
    return float(1000 * (model - reference).mean())


def share_underpredicted(reference: np.ndarray, model: np.ndarray) -> float:
    """Share of the points, the zero left out, at which the model lies below DFT, 0 to 1.

    NaN where every point is as low as the zero.
    """
    above = reference > UNDERPREDICTION_NOISE
    if not above.any():
        return float("nan")
    return float(((model - reference)[above] < -UNDERPREDICTION_NOISE).mean())


def softening_scale(reference: np.ndarray, model: np.ndarray) -> float:
    """Least-squares slope through zero of model on DFT; below 1 the PES is too soft.

    The definition of Deng et al., npj Comput. Mater. 11, 9 (2025), applied to relative energies.
    NaN where DFT is flat.
    """
    square = float((reference**2).sum())
    if square < len(reference) * UNDERPREDICTION_NOISE**2:
        return float("nan")
    return float((reference * model).sum() / square)


def spearman(reference: np.ndarray, model: np.ndarray) -> float:
    """Spearman's rank correlation, -1 to 1; NaN for fewer than three points or a flat surface."""
    # points equal by symmetry are ties, whatever the last digits of their energies say
    reference, model = np.round(reference, _TIE_DECIMALS), np.round(model, _TIE_DECIMALS)
    if len(reference) < 3 or np.ptp(reference) == 0 or np.ptp(model) == 0:
        return float("nan")
    from scipy.stats import spearmanr

    return float(spearmanr(reference, model).statistic)


def shape_rmse(reference: np.ndarray, model: np.ndarray) -> float:
    """Root-mean-square error in meV/atom after removing the best constant.

    Unlike ``rmse`` it does not hang on the one point that is the common zero.
    """
    return float(1000 * np.std(model - reference))


def n_points(reference: np.ndarray, model: np.ndarray) -> float:
    """Count the points that were compared."""
    return float(len(reference))


#: every pointwise metric; `symscape.questions.energies` says what each of them is
POINTWISE: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    function.__name__: function
    for function in (
        mae,
        rmse,
        max_error,
        mean_signed_error,
        share_underpredicted,
        softening_scale,
        spearman,
        shape_rmse,
        n_points,
    )
}


def pointwise_metrics(grid: AlignedGrid, window: float) -> dict[str, float]:
    """Return every pointwise metric over one energy window.

    Parameters
    ----------
    grid
        Aligned energies.
    window
        Points up to this many eV/atom above the DFT minimum count.
    """
    inside = grid.window(window)
    reference, model = grid.reference[inside], grid.model[inside]
    return {name: compute(reference, model) for name, compute in POINTWISE.items()}


def window_key(window: float) -> str:
    """Name of a window in results: its width in meV/atom, ``500`` for 0.5 eV/atom."""
    return f"{1000 * window:g}"


def metrics_by_window(
    grid: AlignedGrid, windows: tuple[float, ...] = WINDOWS
) -> dict[str, dict[str, float]]:
    """Return the pointwise metrics of several windows, keyed by width in meV/atom."""
    return {window_key(w): pointwise_metrics(grid, w) for w in windows}


def worst_point(grid: AlignedGrid, window: float) -> tuple[int, int]:
    """Grid indices of the largest absolute error inside the window."""
    error = np.where(grid.window(window), np.abs(grid.error), -1.0)
    i, j = np.unravel_index(int(error.argmax()), error.shape)
    return int(i), int(j)
