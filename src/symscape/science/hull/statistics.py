"""Signed errors and what they depend on: means with bootstrap intervals, class by class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from symscape.rounding import NOISE
from symscape.science.hull.classes import CLASS_OF

#: percentile intervals of this confidence
CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 0
#: numbers that are drawn together
_DRAWN_AT_ONCE = 2_000_000
#: near the hull: DFT energy above it up to these, meV/atom
NEAR_HULL_MEV = (25.0, 50.0, 100.0)

#: the two ends of an interval
Ends = tuple[float, float]
#: returns the interval of the mean of values, shape (n,)
Interval = Callable[[np.ndarray], Ends]
#: what is summed up, by the name of its column: a value of each error, shape (n,)
Summed = Mapping[str, Callable[[np.ndarray], np.ndarray]]


def bootstrap_interval(values: np.ndarray, resamples: int = RESAMPLES, seed: int = SEED) -> Ends:
    """Return the percentile-bootstrap interval of the mean (Efron 1979); NaN for fewer than 2.

    Parameters
    ----------
    values
        Shape (n,).
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    return _resampled(values.tobytes(), resamples, seed)


@lru_cache(maxsize=256)  # a report asks for the same classes as the cases, and twice
def _resampled(content: bytes, resamples: int, seed: int) -> tuple[float, float]:
    """Bootstrap the mean of values that are given by their content."""
    values, draw = np.frombuffer(content), np.random.default_rng(seed)
    # as `scipy.stats.bootstrap` draws them, whose import costs more than all that is drawn
    means = np.empty(resamples)
    step = max(1, _DRAWN_AT_ONCE // len(values))
    for start in range(0, resamples, step):
        size = (min(step, resamples - start), len(values))
        means[start : start + size[0]] = values[draw.integers(0, len(values), size)].mean(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.percentile(means, [100 * tail, 100 * (1 - tail)])
    return float(low), float(high)


def too_low(errors: np.ndarray) -> np.ndarray:
    """Which errors (meV/atom, shape (n,)) are below zero by more than rounding; booleans."""
    found: np.ndarray = np.asarray(errors, dtype=float) < -NOISE["meV/atom"]
    return found


def _as_they_are(errors: np.ndarray) -> np.ndarray:
    return errors


#: of which value of each error a mean is taken, by the name of its column
SUMMED: Summed = {
    "mean_error_meV": _as_they_are,
    "mean_absolute_error_meV": np.abs,
    "share_too_low": too_low,
}


def error_summary(
    errors: np.ndarray, summed: Summed = SUMMED, interval: Interval = bootstrap_interval
) -> dict[str, float]:
    """Summarize signed errors (model minus DFT) as a row of a table.

    Parameters
    ----------
    errors
        meV/atom, shape (n,).
    summed
        Return a value of each error, shape (n,), by the name of the column of their mean.
    interval
        Returns the ends of the interval of a mean.

    Returns
    -------
    dict
        ``n``, and by the names of ``summed`` the means, with ``_low`` and ``_high`` at their end
        the ends of their intervals; NaN where there are no errors.
    """
    errors = np.asarray(errors, dtype=float)
    row: dict[str, float] = {"n": len(errors)}
    for name, value in summed.items():
        values = value(errors).astype(float)
        row[name] = float(values.mean()) if len(values) else float("nan")
        row[f"{name}_low"], row[f"{name}_high"] = interval(values)
    return row


def with_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with ``n_wyckoff_class`` and ``n_lattice_class`` added."""
    return table.assign(
        **{f"{column}_class": list(map(name, table[column])) for column, name in CLASS_OF.items()}
    )


def summary_by(
    table: pd.DataFrame,
    by: str,
    error: str = "error_above_hull",
    resamples: int = RESAMPLES,
    seed: int = SEED,
    summed: Summed = SUMMED,
) -> pd.DataFrame:
    """Summarize a column of errors class by class.

    Parameters
    ----------
    table
        One row a crystal.
    by
        ``n_lattice``, ``n_wyckoff``, their classes, ``crystal_system``, ``chemistry``, or any other
        column.
    error
        Column of signed errors, meV/atom.
    summed
        As of `error_summary`.

    Returns
    -------
    DataFrame
        One row a class, columns ``by`` and those of `error_summary`; carries the settings of
        ``table`` in ``attrs``.
    """
    interval = partial(bootstrap_interval, resamples=resamples, seed=seed)
    rows = [
        {by: name, **error_summary(group[error].to_numpy(), summed, interval)}
        for name, group in table.groupby(by, sort=True)
    ]
    return _carry(pd.DataFrame(rows), table, resamples, seed, error)


def summary_near_hull(
    table: pd.DataFrame,
    windows: Iterable[float] = NEAR_HULL_MEV,
    error: str = "error_above_hull",
    resamples: int = RESAMPLES,
    seed: int = SEED,
    summed: Summed = SUMMED,
) -> pd.DataFrame:
    """Summarize errors of the crystals that DFT puts near the hull.

    Parameters
    ----------
    windows
        Largest DFT energies above the hull, meV/atom; each window contains the smaller ones. A
        last row holds all crystals.
    summed
        As of `error_summary`.

    Returns
    -------
    DataFrame
        Columns ``window`` (meV/atom; infinity for all) and those of `error_summary`.
    """
    above = 1000 * table["above_hull_dft"]
    interval = partial(bootstrap_interval, resamples=resamples, seed=seed)
    rows = [
        {
            "window": float(window),
            **error_summary(table[error][above <= window + 1e-6].to_numpy(), summed, interval),
        }
        for window in (*windows, np.inf)
    ]
    return _carry(pd.DataFrame(rows), table, resamples, seed, error)


def _carry(
    made: pd.DataFrame, table: pd.DataFrame, resamples: int, seed: int, error: str
) -> pd.DataFrame:
    """Let a table say what made it."""
    made.attrs["settings"] = {
        **table.attrs.get("settings", {}),
        "error": error,
        "confidence": CONFIDENCE,
        "resamples": resamples,
        "seed": seed,
    }
    return made
