"""Does a model put symmetric crystals too low? Signed errors by free coordinates, and rank tests.

The question of Nong et al. (arXiv 2507.15190), asked of compared tables (`analysis.compare`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from symscape.science.hull.statistics import NEAR_HULL_MEV, bootstrap_interval

#: what errors may depend on
DEGREES = ("n_wyckoff", "n_lattice")
#: signed errors, meV/atom; the last is of crystals that the model relaxed at fixed symmetry
RELAXED_ERROR = "error_above_hull_fixed"
ERRORS = ("error_formation", "error_above_hull", RELAXED_ERROR)
#: a relative change of volume beyond which a relaxed crystal is another one
OTHER_CRYSTAL = 0.2
#: at most so far above the model's hull a crystal lies on it, eV/atom; rounding
ON_HULL_eV = 1e-7


@dataclass(frozen=True)
class Window:
    """Crystals that DFT puts so far above its hull, meV/atom: ``low < E <= high``."""

    low: float
    high: float

    def __str__(self) -> str:
        if np.isinf(self.high):
            return "all" if self.low < 0 else f"> {self.low:g}"
        return f"≤ {self.high:g}"

    def choose(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the crystals in the window."""
        above = 1000 * table["above_hull_dft"]
        return table[(above > self.low) & (above <= self.high + 1e-6)]


WINDOWS = (
    *(Window(-1.0, high) for high in NEAR_HULL_MEV),
    Window(NEAR_HULL_MEV[-1], np.inf),
    Window(-1.0, np.inf),
)


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """Return the crystals with an error: not the elements' ground states, zero by definition."""
    ground = (table["chemistry"] == "element") & (table["above_hull_dft"] < 1e-9)
    return table[~ground & (table["space_group"] > 0)]


def sample(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the crystals are that are counted, by class of free Wyckoff coordinates.

    Returns
    -------
    DataFrame
        For all and near DFT's hull (the narrowest window): ``window``, ``class``, ``n``, ``share``
        of the window's crystals, ``elements`` (how many are polymorphs of elements) and ``which``,
        their symbols with how many of each.
    """
    rows = []
    for window in (WINDOWS[-1], WINDOWS[0]):
        chosen = window.choose(counted(table))
        for name, group in [("all", chosen), *chosen.groupby("n_wyckoff_class", sort=True)]:
            of_elements = group["formula"][group["chemistry"] == "element"]
            counts = of_elements.value_counts().sort_index()
            which = ", ".join(f"{symbol} {n}" for symbol, n in counts.items())
            share = len(group) / max(1, len(chosen))
            rows.append((str(window), str(name), len(group), share, len(of_elements), which))
    return pd.DataFrame(rows, columns=["window", "class", "n", "share", "elements", "which"])


def shared_crystals(tables: Mapping[str, pd.DataFrame]) -> frozenset[str]:
    """Return the ids of the crystals that all models are compared on.

    Models that learnt no +U lack those that DFT has with it (`symscape.science.hull.levels`).
    """
    sets = [frozenset(table["id"]) for table in tables.values()]
    return frozenset.intersection(*sets) if sets else frozenset()


def overview(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what matters most of each model, one row a model.

    Returns
    -------
    DataFrame
        ``model``, ``n``; mean signed errors with the ends of their intervals (``..._low``,
        ``..._high``, meV/atom) of all formation energies (``formation``) and of energies above hull
        of all crystals, of those nearest to DFT's hull and of those furthest from it
        (``above_hull``, ``near``, ``far``); the rank correlations of errors above hull with free
        Wyckoff coordinates over all crystals and near the hull with DFT's energy above hull taken
        out (``spearman``, ``p``, ``partial``, ``p_partial``); ``on_hull``, the share of the
        crystals above DFT's hull that the model puts on its own.
    """
    stable = false_stability(tables).query("`class` == 'all'").set_index("model")["share"]
    whole = str(WINDOWS[-1])
    found = _of_each(tables, "error_above_hull", {"formation": ("error_formation", whole)})
    return found.assign(on_hull=found["model"].map(stable))


def relaxed_overview(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what matters most of models that relaxed at fixed symmetry, one row a model.

    Returns
    -------
    DataFrame
        As `overview` without formation energies, of the energies after relaxation; ``unconverged``
        and ``failed``, how many of the crystals went no further or have no result; ``on_hull`` and
        ``unstable``, how many crystals the model puts on its hull when relaxed of those that DFT
        puts above its own.
    """
    found = _of_each(tables, RELAXED_ERROR, {})
    stable = false_stability(tables, "above_hull_model_fixed").query("`class` == 'all'")
    ends = stable.set_index("model")
    known = {model: counted(table) for model, table in tables.items()}
    failed = {model: int((own["relaxed_failed"] != "").sum()) for model, own in known.items()}
    moving = {
        model: int((~own["relaxed_converged_fixed"].astype(bool)).sum()) - failed[model]
        for model, own in known.items()
    }
    return found.assign(
        unconverged=found["model"].map(moving),
        failed=found["model"].map(failed),
        on_hull=found["model"].map(ends["on_hull"]),
        unstable=found["model"].map(ends["unstable"]),
    )


def _of_each(
    tables: Mapping[str, pd.DataFrame], error: str, more: Mapping[str, tuple[str, str]]
) -> pd.DataFrame:
    """Return means and rank tests of an error above hull, one row a model.

    Parameters
    ----------
    more
        Other means by the name of their column: error and window.
    """
    errors = signed_errors(tables)
    errors = errors[(errors["class"] == "all") & (errors["by"] == DEGREES[0])]
    ranks = trends(tables)
    ranks = ranks[(ranks["error"] == error) & (ranks["by"] == DEGREES[0])]
    means = errors.set_index(["model", "error", "window"])
    tests = ranks.set_index(["model", "window"])
    near, far, whole = str(WINDOWS[0]), str(WINDOWS[-2]), str(WINDOWS[-1])
    wanted = {
        **more,
        "above_hull": (error, whole),
        "near": (error, near),
        "far": (error, far),
    }
    rows = []
    for model in tables:
        row: dict[str, object] = {"model": model}
        for name, key in wanted.items():
            found = means.xs((model, *key))
            row |= {name: found["mean"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
            if name == "above_hull":
                row["n"] = found["n"]
        for window, names in ((whole, ("spearman", "p")), (near, ("partial", "p_partial"))):
            known = (model, window) in tests.index
            row |= {name: tests.loc[(model, window), name] if known else np.nan for name in names}
        rows.append(row)
    return pd.DataFrame(rows).astype({"n": int})


def signed_errors(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return mean signed errors by class, window and model.

    Parameters
    ----------
    tables
        Compared tables by the model's name.

    Returns
    -------
    DataFrame
        ``model``, ``error``, ``by`` (of `DEGREES`), ``class``, ``window``, ``n``, ``mean``,
        ``low`` and ``high`` (meV/atom, the 95 % percentile-bootstrap interval).
    """
    rows = []
    for model, error, table in _errors(tables):
        for window in WINDOWS:
            chosen = window.choose(table)
            for by in DEGREES:
                groups = [("all", chosen), *chosen.groupby(f"{by}_class", sort=True)]
                for name, group in groups:
                    mean, low, high = _mean(group[error])
                    rows.append(
                        (model, error, by, str(name), str(window), len(group), mean, low, high)
                    )
    columns = ["model", "error", "by", "class", "window", "n", "mean", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def trends(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return rank correlations of signed errors with degrees of freedom (Spearman).

    A negative coefficient: the more symmetric a crystal, the higher its error. The energy above
    DFT's hull stands beside them, which errors may depend on just as well; ``partial`` is the
    coefficient with its ranks taken out of both.

    Returns
    -------
    DataFrame
        ``model``, ``error``, ``by``, ``window``, ``n``, ``spearman``, ``p``, ``partial``,
        ``p_partial``.
    """
    from scipy.stats import spearmanr

    rows = []
    for model, error, table in _errors(tables):
        for window in WINDOWS:
            chosen = window.choose(table)
            for by in (*DEGREES, "above_hull_dft"):
                x, y = chosen[by].to_numpy(dtype=float), chosen[error].to_numpy()
                if len(chosen) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
                    continue
                whole = spearmanr(x, y)
                partial = _partial(x, y, chosen["above_hull_dft"].to_numpy())
                rows.append((model, error, by, str(window), len(x), *whole, *partial))
    columns = [
        "model", "error", "by", "window", "n", "spearman", "p", "partial", "p_partial",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def false_stability(
    tables: Mapping[str, pd.DataFrame], above_hull: str = "above_hull_model"
) -> pd.DataFrame:
    """Return how many crystals the model puts on its hull that DFT puts above its own.

    Parameters
    ----------
    tables
        Compared tables by the model's name.
    above_hull
        The column of the model's energies above hull; crystals without one are not counted.

    Returns
    -------
    DataFrame
        ``model``, ``class`` (of free Wyckoff coordinates), ``unstable`` (DFT's number of crystals
        above its hull), ``on_hull`` (of those on the model's), ``share``, ``low``, ``high``.
    """
    rows = []
    for model, table in tables.items():
        known = counted(table)
        known = known[known[above_hull].notna()]
        unstable = known[known["above_hull_dft"] > ON_HULL_eV]
        for name, group in [("all", unstable), *unstable.groupby("n_wyckoff_class", sort=True)]:
            wrong = (group[above_hull] <= ON_HULL_eV).astype(float)
            rows.append((model, str(name), len(group), int(wrong.sum()), *_mean(wrong)))
    columns = ["model", "class", "unstable", "on_hull", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def volumes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the signed change of volume when the model relaxes at fixed symmetry.

    A crystal that changes by more than `OTHER_CRYSTAL` has become another one, which says nothing
    of the volume of the first.

    Returns
    -------
    DataFrame
        ``model``, ``class`` (of free Wyckoff coordinates), ``n`` and ``other`` (how many stayed the
        same crystal and how many did not), of the former ``mean`` (relative), ``low``, ``high``,
        and of all classes ``spearman`` with ``n_wyckoff`` and its ``p``.
    """
    from scipy.stats import spearmanr

    rows = []
    for model, table in tables.items():
        if "relaxed_volume_change" not in table:
            continue
        known = counted(table)
        known = known[(known["relaxed_failed"] == "") & known["relaxed_volume_change"].notna()]
        same = known["relaxed_volume_change"].abs() <= OTHER_CRYSTAL
        rank = spearmanr(known["n_wyckoff"][same], known["relaxed_volume_change"][same])
        for name, group in [("all", known), *known.groupby("n_wyckoff_class", sort=True)]:
            test = (float(rank[0]), float(rank[1])) if name == "all" else (np.nan, np.nan)
            own = group["relaxed_volume_change"][same.loc[group.index]]
            other = len(group) - len(own)
            rows.append((model, str(name), len(own), other, *_mean(own), *test))
    columns = ["model", "class", "n", "other", "mean", "low", "high", "spearman", "p"]
    return pd.DataFrame(rows, columns=columns)


def _errors(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield each model's errors, and the crystals that have them."""
    for model, table in tables.items():
        for error in ERRORS:
            if error in table:
                known = counted(table)
                yield model, error, known[known[error].notna()]


def _mean(values: pd.Series) -> tuple[float, float, float]:
    """Return a mean and the ends of its bootstrap interval; NaN where there is none."""
    numbers = values.to_numpy(dtype=float)
    return (float(numbers.mean()) if len(numbers) else np.nan, *bootstrap_interval(numbers))


def _partial(x: np.ndarray, y: np.ndarray, given: np.ndarray) -> tuple[float, float]:
    """Return the partial rank correlation of x and y given a third, and its p by Student's t."""
    from scipy.stats import rankdata, t

    ranks = [rankdata(values) for values in (x, y, given)]
    if np.array_equal(x, given) or np.ptp(given) == 0:
        return np.nan, np.nan
    design = np.column_stack([np.ones(len(x)), ranks[2]])
    left = [r - design @ np.linalg.lstsq(design, r, rcond=None)[0] for r in ranks[:2]]
    coefficient = float(np.corrcoef(*left)[0, 1])
    freedom = len(x) - 3
    statistic = coefficient * np.sqrt(freedom / max(1e-300, 1 - coefficient**2))
    return coefficient, float(2 * t.sf(abs(statistic), freedom))
