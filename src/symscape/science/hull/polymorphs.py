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
    rows = []
    for formula, start, n in zip(formulas, starts, counts, strict=True):
        if n > 1:
            members = order[start : start + n]
            rows.append(
                _polymorphs(
                    str(formula), names[members], own[members], found[members], resolution_meV
                )
            )
    columns = [field.name for field in fields(Polymorphs)]
    made = pd.DataFrame([vars(row) for row in rows], columns=columns)
    made.attrs["settings"] = {
        **table.attrs.get("settings", {}),
        "resolution_meV": resolution_meV,
    }
    return made


def _polymorphs(
    formula: str, names: np.ndarray, own: np.ndarray, found: np.ndarray, resolution_meV: float
) -> Polymorphs:
    """Compare the crystals of one composition: their ids, DFT's energies, a model's, meV/atom."""
    first, second = np.triu_indices(len(names), 1)
    gaps, gaps_model = own[second] - own[first], found[second] - found[first]
    told = np.abs(gaps) > resolution_meV
    best = int(found.argmin())
    errors = np.abs(gaps_model - gaps)
    return Polymorphs(
        formula=formula,
        n=len(names),
        ground_state=names[int(own.argmin())],
        ground_state_model=names[best],
        ground_state_missed=bool(own[best] - own.min() > resolution_meV),
        pairs=int(told.sum()),
        wrong_pairs=int((told & (gaps * gaps_model <= 0)).sum()),
        mean_error_meV=float(errors.mean()),
        max_error_meV=float(errors.max()),
    )
