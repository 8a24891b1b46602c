"""The comparison of a model with DFT, crystal by crystal: one table that carries its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from symscape.science.hull.compositions import compositions
from symscape.science.hull.conventions import UNCORRECTED, Basis, Energies
from symscape.science.hull.convex import (
    above_elements,
    above_hull,
    aligned_errors,
    element_energies,
)
from symscape.science.hull.phases import energies_above_hull
from symscape.science.hull.sides import in_one_convention
from symscape.science.hull.table import check_table

#: applies a function to each of several arrays
Each = Callable[[Callable[[np.ndarray], np.ndarray], Iterable[np.ndarray]], Iterable[np.ndarray]]


def compare(
    table: pd.DataFrame,
    model: Energies,
    settings: Mapping[str, Any] | None = None,
    *,
    basis: Basis = Basis.SHARED,
    reference_convention: str = UNCORRECTED,
    each: Each = map,
) -> pd.DataFrame:
    """Put a model's energies beside DFT's, each against its own elements and hull.

    Parameters
    ----------
    table
        One row a crystal, as `crystal_table` makes it; ``energy`` is DFT's, eV/atom. Columns
        ``correction`` (eV/atom, MP2020's of these energies), ``level_of_theory`` and, for the mixed
        hull, ``correction_stated`` and ``correction_makers`` are used where they are there, as a
        data set has them.
    model
        The model's energies of the same crystals, with their convention; see `model_energies`.
        Where the two sides are of different conventions, one is brought to the other's.
    settings
        What made the energies; carried in ``attrs["settings"]`` of every table made from this one.
    basis
        What brings several levels of theory onto one hull.
    reference_convention
        That of DFT's energies.
    each
        Applies a function to each of several arrays: the two hulls are made by it, which may be
        side by side.

    Returns
    -------
    DataFrame
        ``table`` with, in eV/atom, ``energy_model``, ``formation_dft``, ``formation_model``,
        ``above_hull_dft``, ``above_hull_model`` (each above its own hull) and
        ``above_dft_hull_model`` (the model's formation energy above DFT's hull, negative below it);
        and in meV/atom the signed errors ``error_total``, ``error_formation`` and
        ``error_above_hull``. ``error_total`` has one constant per element taken out, for codes and
        pseudopotentials put the zero of an atom's energy where they like.

    Raises
    ------
    HullError
        If the table is empty, names a crystal twice, holds NaN, or lacks an element's energy; if
        the energies come without their convention, no scheme brings both sides together, or only
        one side has +U on a crystal.
    """
    made = table.copy()
    made["energy"], made["energy_model"], done = in_one_convention(
        table, model, basis, reference_convention
    )
    check_table(made, ["energy", "energy_model"])
    parts = compositions(made["formula"])
    method = f"DFT and {model.name}" if model.name else ""
    for name, column in (("dft", "energy"), ("model", "energy_model")):
        values = made[column].to_numpy()
        references = element_energies(parts, values, made["id"], method)
        made[f"formation_{name}"] = above_elements(parts, values, references)
    formation = [made["formation_dft"].to_numpy(), made["formation_model"].to_numpy()]
    made["above_hull_dft"], made["above_hull_model"] = each(partial(above_hull, parts), formation)
    hull = made["formation_dft"] - made["above_hull_dft"]
    made["above_dft_hull_model"] = made["formation_model"] - hull
    errors = (made["energy_model"] - made["energy"]).to_numpy()
    made["error_total"] = 1000 * aligned_errors(parts, errors)
    made["error_formation"] = 1000 * (made["formation_model"] - made["formation_dft"])
    made["error_above_hull"] = 1000 * (made["above_hull_model"] - made["above_hull_dft"])
    made.attrs["settings"] = {**(settings or {}), "corrections": done}
    return made


def above_hull_elsewhere(
    table: pd.DataFrame, energies: np.ndarray | pd.Series, method: str = ""
) -> tuple[pd.Series, pd.Series]:
    """Hold a model's energies at geometries of its own against DFT's hull and its own.

    Parameters
    ----------
    table
        What `compare` made.
    energies
        The model's, in the table's convention, eV/atom, shape (n,); NaN where there is none.
    method
        Whose energies they are, for messages.

    Returns
    -------
    above : Series
        Above the model's own hull of these energies, eV/atom.
    errors : Series
        That less DFT's energy above hull, meV/atom. NaN in both where there is no energy.

    Raises
    ------
    HullError
        If an element has no energy.
    """
    known = table[["id", "formula"]].assign(energy=np.asarray(energies, dtype=float))
    known = known[known["energy"].notna()]
    above = energies_above_hull(known, method=method).reindex(table.index)
    return above, 1000 * (above - table["above_hull_dft"])


def errors_elsewhere(table: pd.DataFrame) -> pd.DataFrame:
    """Add the errors of the energies above hull of crystals that the model has relaxed.

    Parameters
    ----------
    table
        What `compare` made, with ``energy_fixed`` and ``energy_free``, the model's energies after
        relaxation at fixed symmetry and without symmetry (eV/atom; `symscape.science.hull.relax`).

    Returns
    -------
    DataFrame
        With ``error_fixed`` and ``error_free``, meV/atom; see `above_hull_elsewhere`.
    """
    made = table.copy()
    for kind in ("fixed", "free"):
        _, made[f"error_{kind}"] = above_hull_elsewhere(table, table[f"energy_{kind}"])
    return made
