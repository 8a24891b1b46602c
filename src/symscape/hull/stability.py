"""Who is called stable, and whether polymorphs come in the right order."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: energies above hull nearer than this to a threshold are on it, eV/atom: rounding
_ROUNDING_EV = 1e-7
#: polymorphs that DFT puts nearer together than this are in no order, meV/atom
RESOLUTION_MEV = 5.0


def classify(
    above_dft: np.ndarray, above_model: np.ndarray, threshold_meV: float = 0.0
) -> dict[str, float]:
    """Compare whom model and DFT call stable.

    A crystal is stable if it is at most ``threshold_meV`` above the hull of the same method.

    Parameters
    ----------
    above_dft, above_model
        Energies above the own hull, eV/atom, shape (n,).
    threshold_meV
        meV/atom.

    Returns
    -------
    dict
        ``n``, ``stable`` (both), ``false_stable``, ``false_unstable``, ``unstable`` (both): counts;
        ``false_stable_share`` of the unstable and ``false_unstable_share`` of the stable crystals;
        ``precision``, ``recall``, ``f1`` of finding stable ones. NaN where nothing is divided by.
    """
    limit = threshold_meV / 1000 + _ROUNDING_EV
    dft, model = np.asarray(above_dft) <= limit, np.asarray(above_model) <= limit
    both, wrong = int((dft & model).sum()), int((~dft & model).sum())
    missed, neither = int((dft & ~model).sum()), int((~dft & ~model).sum())
    precision, recall = _ratio(both, both + wrong), _ratio(both, both + missed)
    return {
        "n": len(dft),
        "stable": both,
        "false_stable": wrong,
        "false_unstable": missed,
        "unstable": neither,
        "false_stable_share": _ratio(wrong, wrong + neither),
        "false_unstable_share": _ratio(missed, both + missed),
        "precision": precision,
        "recall": recall,
        "f1": _ratio(2 * both, 2 * both + wrong + missed),
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def polymorph_order(
    table: pd.DataFrame,
    dft: str = "formation_dft",
    model: str = "formation_model",
    resolution_meV: float = RESOLUTION_MEV,
) -> pd.DataFrame:
    """Compare the order of the polymorphs of each composition.

    Energies of one composition need no reference, so this is the cleanest comparison there is.

    Parameters
    ----------
    table
        One row a crystal, with ``id`` and ``formula``.
    dft, model
        Columns of energies, eV/atom.
    resolution_meV
        Pairs that DFT does not tell apart by more are not asked for.

    Returns
    -------
    DataFrame
        One row a composition with two crystals or more: ``formula``, ``n``, ``ground_state`` and
        ``ground_state_model`` (ids), ``ground_state_missed`` (the model's ground state is more than
        the resolution above DFT's, in DFT), ``pairs`` and ``wrong_pairs``, ``polymorph_mae`` and
        ``max_polymorph_error`` of the energy differences over all pairs (meV/atom).
    """
    rows = []
    for formula, group in table.groupby("formula", sort=True):
        if len(group) < 2:
            continue
        names = group["id"].to_numpy()
        own, found = 1000 * group[dft].to_numpy(), 1000 * group[model].to_numpy()
        first, second = np.triu_indices(len(group), 1)
        gaps, gaps_model = own[second] - own[first], found[second] - found[first]
        told = np.abs(gaps) > resolution_meV
        best = int(found.argmin())
        errors = np.abs(gaps_model - gaps)
        rows.append(
            {
                "formula": formula,
                "n": len(group),
                "ground_state": names[int(own.argmin())],
                "ground_state_model": names[best],
                "ground_state_missed": bool(own[best] - own.min() > resolution_meV),
                "pairs": int(told.sum()),
                "wrong_pairs": int((told & (gaps * gaps_model <= 0)).sum()),
                "polymorph_mae": float(errors.mean()),
                "max_polymorph_error": float(errors.max()),
            }
        )
    columns = [
        "formula", "n", "ground_state", "ground_state_model", "ground_state_missed", "pairs",
        "wrong_pairs", "polymorph_mae", "max_polymorph_error",
    ]  # fmt: skip
    made = pd.DataFrame(rows, columns=columns)
    made.attrs["settings"] = {
        **table.attrs.get("settings", {}),
        "resolution_meV": resolution_meV,
    }
    return made
