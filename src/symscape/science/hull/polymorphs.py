"""Whether the polymorphs of a composition come in the right order.

`Polymorphs` is what verdicts keep too, and pandas is imported where a table is made.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: polymorphs that DFT puts nearer together than this are in no order, meV/atom
RESOLUTION_MEV = 5.0


@dataclass(frozen=True)
class Polymorphs:
    """The polymorphs of one composition.

    Parameters
    ----------
    formula, n
        The composition, and how many crystals it has.
    ground_state, ground_state_model
        Ids of the lowest crystals.
    ground_state_missed
        Whether the model's ground state is more than the resolution above DFT's, in DFT.
    pairs, wrong_pairs
        How many pairs DFT tells apart, and how many of them are in wrong order.
    mean_error_meV, max_error_meV
        Of the energy differences over all pairs: mean absolute and largest, meV/atom.
    """

    formula: str
    n: int
    ground_state: str
    ground_state_model: str
    ground_state_missed: bool
    pairs: int
    wrong_pairs: int
    mean_error_meV: float
    max_error_meV: float


def polymorphs_of(order: pd.DataFrame) -> tuple[Polymorphs, ...]:
    """Return the rows of what `polymorph_order` made."""
    names = [field.name for field in fields(Polymorphs)]
    return tuple(Polymorphs(*row) for row in order[names].itertuples(index=False))


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
        One row a composition with two crystals or more, columns as in `Polymorphs`.
    """
    import pandas as pd

    formulas, codes = np.unique(table["formula"].to_numpy(dtype=str), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=len(formulas))
    starts = np.cumsum(counts) - counts
    names = table["id"].to_numpy()
    own, found = (1000 * table[column].to_numpy(dtype=float) for column in (dft, model))
    rows: dict[int, Polymorphs] = {}
    for n in np.unique(counts[counts > 1]):
        # all compositions of so many crystals together
        chosen = np.flatnonzero(counts == n)
        members = order[starts[chosen][:, None] + np.arange(n)]
        made_of = _polymorphs(
            formulas[chosen], names[members], own[members], found[members], resolution_meV
        )
        rows.update(zip(chosen.tolist(), made_of, strict=True))
    columns = [field.name for field in fields(Polymorphs)]
    made = pd.DataFrame([vars(rows[k]) for k in sorted(rows)], columns=columns)
    made.attrs["settings"] = {
        **table.attrs.get("settings", {}),
        "resolution_meV": resolution_meV,
    }
    return made


def _polymorphs(
    formulas: np.ndarray,
    names: np.ndarray,
    own: np.ndarray,
    found: np.ndarray,
    resolution_meV: float,
) -> list[Polymorphs]:
    """Compare the crystals of compositions that have equally many.

    Parameters
    ----------
    formulas
        Shape (n_compositions,).
    names, own, found
        The crystals' ids, DFT's energies and a model's, meV/atom, shape (n_compositions, n).
    resolution_meV
        As in `polymorph_order`.
    """
    n = names.shape[1]
    first, second = np.triu_indices(n, 1)
    gaps, gaps_model = own[:, second] - own[:, first], found[:, second] - found[:, first]
    told = np.abs(gaps) > resolution_meV
    errors = np.abs(gaps_model - gaps)
    each, best, lowest = np.arange(len(names)), found.argmin(axis=1), own.argmin(axis=1)
    columns = (
        names[each, lowest],
        names[each, best],
        own[each, best] - own[each, lowest] > resolution_meV,
        told.sum(axis=1),
        (told & (gaps * gaps_model <= 0)).sum(axis=1),
        errors.mean(axis=1),
        errors.max(axis=1),
    )
    plain = (np.asarray(column).tolist() for column in columns)
    return [
        Polymorphs(formula, n, *row)
        for formula, row in zip(formulas.tolist(), zip(*plain, strict=True), strict=True)
    ]
