"""The comparison of a model with DFT, crystal by crystal: one table that carries its settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from symscape.hull.conventions import (
    UNCORRECTED,
    Energies,
    bring_together,
    shared_convention,
)
from symscape.hull.phases import element_references, energies_above_hull, formation_energies
from symscape.hull.table import check_table


def compare(
    table: pd.DataFrame,
    model: np.ndarray | Energies,
    settings: dict[str, Any] | None = None,
) -> pd.DataFrame:
    """Put a model's energies beside DFT's, each against its own elements and hull.

    Parameters
    ----------
    table
        One row a crystal, as `crystal_table` makes it; ``energy`` is DFT's, eV/atom. A column
        ``correction`` (eV/atom) is taken for MP2020's of these energies, as a data set has it.
    model
        The model's energies of the same crystals, as `conventions.model_energies` makes them: where
        they are of another convention than DFT's uncorrected ones, DFT's are corrected. Plain
        numbers, eV/atom, shape (n,), are taken as they are, in the table's own convention.
    settings
        What made the energies; carried in ``attrs["settings"]`` of every table made from this one.

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
        If the table is empty, names a crystal twice, holds NaN, or lacks an element's energy.
    """
    made, done = table.copy(), {}
    if isinstance(model, Energies):
        made["energy"], model, said = _in_one_convention(table, model)
        done = {"corrections": said}
    made["energy_model"] = np.asarray(model, dtype=float)
    check_table(made, ["energy", "energy_model"])
    for name, column in (("dft", "energy"), ("model", "energy_model")):
        made[f"formation_{name}"] = formation_energies(made, column)
        made[f"above_hull_{name}"] = energies_above_hull(made, column)
    hull = made["formation_dft"] - made["above_hull_dft"]
    made["above_dft_hull_model"] = made["formation_model"] - hull
    made["error_total"] = 1000 * _aligned_errors(made)
    made["error_formation"] = 1000 * (made["formation_model"] - made["formation_dft"])
    made["error_above_hull"] = 1000 * (made["above_hull_model"] - made["above_hull_dft"])
    made.attrs["settings"] = {**done, **(settings or {})}
    return made


def _in_one_convention(table: pd.DataFrame, model: Energies) -> tuple[np.ndarray, np.ndarray, str]:
    """Return DFT's and the model's energies in one convention, and what was done."""
    reference = table["energy"].to_numpy(dtype=float)
    shared = shared_convention(table.get("level_of_theory", ()))
    if model.convention == UNCORRECTED and not shared:
        corrections = np.zeros(len(table))
    elif "correction" in table:
        corrections = table["correction"].to_numpy(dtype=float)
    else:
        corrections = model.corrections()
    return bring_together(
        reference,
        model.per_atom,
        corrections,
        reference_convention=UNCORRECTED,
        model_convention=model.convention,
        shared=shared,
    )


def _aligned_errors(table: pd.DataFrame) -> np.ndarray:
    """Errors of the total energies (eV/atom) with the best constant per element taken out."""
    from pymatgen.core import Composition

    elements = sorted(element_references(table))
    fractions = np.array(
        [
            [Composition(formula).get_atomic_fraction(element) for element in elements]
            for formula in table["formula"]
        ]
    )
    errors = (table["energy_model"] - table["energy"]).to_numpy()
    constants = np.linalg.lstsq(fractions, errors, rcond=None)[0]
    return errors - fractions @ constants  # type: ignore[no-any-return]
