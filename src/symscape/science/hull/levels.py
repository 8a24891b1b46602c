"""Which crystals DFT and a model both have with +U, or both without.

MP2020's correction for +U belongs to an energy that was computed with U. Given to the energies of a
model that never learnt it, it would move compounds of iron by half an eV an atom.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from symscape.models.hubbard import CORRELATED, has_hubbard_u

#: levels of theory of a data set's energies
WITH_U, WITHOUT_U = "PBE+U", "PBE"


def reasons_of_u(table: pd.DataFrame, with_u: bool | None) -> np.ndarray:
    """Say of each crystal why DFT's energy and the model's differ by +U; empty where they do not.

    Parameters
    ----------
    table
        ``formula``, and ``level_of_theory`` of DFT's energies; without it nothing is known.
    with_u
        Whether the model was trained with +U where the Materials Project has it; None where that is
        not known, and nothing is said.

    Returns
    -------
    ndarray of object
        Shape (n,).
    """
    reasons = np.full(len(table), "", dtype=object)
    if with_u is None or "level_of_theory" not in table:
        return reasons
    levels = table["level_of_theory"].astype(str).to_numpy()
    if not with_u:
        reasons[levels == WITH_U] = "DFT's energy has +U, the model was trained without"
        return reasons
    for k in np.flatnonzero(levels == WITHOUT_U):
        symbols = _symbols(str(table["formula"].iloc[k]))
        if has_hubbard_u(symbols):
            metals = " and ".join(sorted(CORRELATED & symbols))
            reasons[k] = f"DFT's energy has no +U, the model was trained with it on {metals} here"
    return reasons


def _symbols(formula: str) -> frozenset[str]:
    from pymatgen.core import Composition

    return frozenset(element.symbol for element in Composition(formula))
