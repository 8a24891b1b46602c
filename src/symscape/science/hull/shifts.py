"""Whether a model's errors are constants of the elements, which no physics makes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from symscape.science.hull.compositions import compositions

#: fewer compounds than this show nothing, and fewer than this many for each element
LEAST, LEAST_EACH = 12, 3
#: errors are constants if these leave so little of them
CLEAR = 0.3
#: smaller constants are no mistake of conventions, meV per atom of the element
SMALL_MEV = 150.0
#: elements named
MOST_NAMED = 4


def shifted_elements(table: pd.DataFrame) -> str:
    """Say whether errors of formation energies are explained by one constant for each element.

    Then either the data set's elements have another zero than its compounds, or the model is wrong
    at the elements themselves.

    Parameters
    ----------
    table
        ``formula`` and ``error_formation`` (meV/atom), one row a crystal.

    Returns
    -------
    str
        One sentence; empty if nothing is wrong, or too few compounds tell.
    """
    known = compositions(table["formula"])
    compounds = known.counts > 1
    present = np.unique(known.codes[np.repeat(compounds, known.counts)])
    errors = table["error_formation"].to_numpy(dtype=float)[compounds]
    if len(errors) < max(LEAST, LEAST_EACH * len(present)):
        return ""
    constants = known.best_constants(errors, compounds)
    rest = errors - known.weighted(constants)[compounds]
    left, whole = np.std(rest), np.sqrt(np.mean(errors**2))
    large = {known.elements[k]: constants[k] for k in present if abs(constants[k]) > SMALL_MEV}
    if not large or left > CLEAR * whole:
        return ""
    most = sorted(large.items(), key=lambda item: -abs(item[1]))[:MOST_NAMED]
    named = ", ".join(f"{element} {shift / 1000:+.2f} eV" for element, shift in most)
    return (
        f"errors of formation energies are nearly one constant for each element ({named} an atom; "
        f"{left:.0f} of {whole:.0f} meV/atom are left): the data set's elements seem to have "
        "another zero than its compounds, or the model is wrong at the elements."
    )
