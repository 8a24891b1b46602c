"""Tables of a hundred thousand errors: class by class, near the hull, who is called stable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from symscape.questions.relaxation import BROKEN_SHARE
from symscape.questions.stability import stability_metrics
from symscape.questions.underprediction import SUMMED
from symscape.science.hull.polymorphs import polymorph_order
from symscape.science.hull.relax import SIGNIFICANT_GAIN_EV
from symscape.science.hull.stability import classify
from symscape.science.hull.statistics import (
    CONFIDENCE,
    NEAR_HULL_MEV,
    Ends,
    bootstrap_interval,
    error_summary,
)

#: from so many values on, the bootstrap's interval of a mean is taken from its normal limit
LARGE = 2_000
#: how crystals are put into classes
CLASSES = (
    "n_lattice_class", "n_wyckoff_class", "n_lattice", "n_wyckoff", "crystal_system",
    "site_symmetry_order", "chemistry", "level_of_theory",
)  # fmt: skip
#: whose errors are summed up, see `symscape.science.hull.analysis.compare`
ERRORS = ("error_total", "error_formation", "error_above_hull")
#: at most so far above the own hull counts as stable, meV/atom
THRESHOLDS_MEV = (0.0, 25.0)


def large_interval(values: np.ndarray) -> Ends:
    """Return the interval of a mean as `hull.statistics.bootstrap_interval`, in linear time.

    Percentile-bootstrap intervals of a mean tend to the normal ones (Bickel & Freedman, Ann.
    Statist. 9, 1196 (1981)), which are taken from `LARGE` values on.

    Parameters
    ----------
    values
        Shape (n,).
    """
    if len(values) < LARGE:
        return bootstrap_interval(values)
    width = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) / np.sqrt(len(values))
    mean, half = float(values.mean()), float(width * values.std())
    return mean - half, mean + half


def underprediction(
    table: pd.DataFrame, classes: Sequence[str] = CLASSES, errors: Sequence[str] = ERRORS
) -> pd.DataFrame:
    """Summarize errors by class.

    Parameters
    ----------
    table
        One row a crystal; those without a space group are left out.
    classes
        Columns that name classes.
    errors
        Columns of errors, meV/atom; NaN is left out.

    Returns
    -------
    DataFrame
        ``error``, ``by``, ``class`` and those of `hull.statistics.error_summary`.
    """
    known = table[table["space_group"] > 0]
    rows = []
    for error in errors:
        whole = known[error].dropna().to_numpy()
        made = error_summary(whole, SUMMED, large_interval)
        rows.append({"error": error, "by": "all", "class": "all", **made})
        for by in classes:
            for name, group in known.groupby(by, sort=True, observed=True):
                values = group[error].dropna().to_numpy()
                if len(values):
                    made = error_summary(values, SUMMED, large_interval)
                    rows.append({"error": error, "by": by, "class": str(name), **made})
    return pd.DataFrame(rows)


def near_hull(
    table: pd.DataFrame,
    errors: Sequence[str] = ERRORS,
    windows: Iterable[float] = NEAR_HULL_MEV,
) -> pd.DataFrame:
    """Summarize errors of the crystals that DFT puts near the hull; the windows are nested.

    Returns
    -------
    DataFrame
        ``error``, ``window`` (meV/atom; infinity for all) and those of
        `hull.statistics.error_summary`.
    """
    above = 1000 * table["above_hull_dft"]
    rows: list[dict[str, Any]] = []
    for error in errors:
        for window in (*windows, np.inf):
            values = table[error][above <= window + 1e-6].dropna().to_numpy()
            made = error_summary(values, SUMMED, large_interval)
            rows.append({"error": error, "window": float(window), **made})
    return pd.DataFrame(rows)


def stability(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Compare whom model and DFT call stable.

    Parameters
    ----------
    columns
        Energies above the model's hull, eV/atom, by the geometry that they are of.

    Returns
    -------
    DataFrame
        ``geometry``, ``threshold`` (meV/atom) and the metrics of the question of stability.
    """
    rows = []
    for geometry, column in columns.items():
        known = table[table[column].notna()]
        above = known["above_hull_dft"].to_numpy(), known[column].to_numpy()
        for threshold in THRESHOLDS_MEV:
            found = stability_metrics(classify(*above, threshold))
            rows.append({"geometry": geometry, "threshold": threshold, **found})
    return pd.DataFrame(rows)


def polymorphs(table: pd.DataFrame) -> pd.DataFrame:
    """Compare the order of polymorphs, as `hull.polymorphs.polymorph_order` does."""
    return polymorph_order(table[table["formula"].duplicated(keep=False)])


def relaxation(table: pd.DataFrame, classes: Sequence[str], free: bool) -> pd.DataFrame:
    """Sum up by class what became of relaxed crystals.

    Parameters
    ----------
    table
        With the columns ``relaxed_...`` of `chunk.evaluate_chunk`.
    free
        Whether they were relaxed freely too.

    Returns
    -------
    DataFrame
        ``by``, ``class``, ``n``, ``failed`` (number), ``converged_share``, ``mean_volume_change``
        and ``mean_lattice_change`` (of the absolute values, relative), and with free relaxations
        the share of broken symmetries and ``mean_gained`` (meV/atom).
    """
    known = table[table["space_group"] > 0].assign(all="all")
    rows = []
    for by in ("all", *classes):
        for name, group in known.groupby(by, sort=True, observed=True):
            done = group[group["relaxed_failed"] == ""]
            row: dict[str, Any] = {
                "by": by,
                "class": str(name),
                "n": len(group),
                "failed": len(group) - len(done),
                "converged_share": done["relaxed_converged_fixed"].mean(),
                "mean_volume_change": done["relaxed_volume_change"].abs().mean(),
                "mean_lattice_change": done["relaxed_lattice_change"].abs().mean(),
            }
            if free:
                gained = (done["relaxed_energy_fixed"] - done["relaxed_energy_free"]).clip(lower=0)
                moved = done["relaxed_space_group_free"] != done["relaxed_space_group"]
                row[BROKEN_SHARE.name] = (moved & (gained >= SIGNIFICANT_GAIN_EV)).mean()
                row["mean_gained"] = 1000 * gained.mean()
            rows.append(row)
    return pd.DataFrame(rows)
