"""A run's energies beside its data set's: for which crystals, and at which geometries.

`symscape.hull.analysis.compare` does the comparison.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from symscape.bulk.manifest import RunManifest
from symscape.hull.analysis import above_hull_elsewhere, compare
from symscape.hull.conventions import UNCORRECTED, Basis, Energies
from symscape.hull.sides import is_r2scan, wanted_convention
from symscape.hull.statistics import with_classes
from symscape.hull.systems import elements_of_system

#: relaxed geometries, and where their energies are
GEOMETRIES = {"fixed": "relaxed_energy_fixed", "free": "relaxed_energy_free"}


def reasons_against(
    table: pd.DataFrame, manifest: RunManifest, left_out: tuple[str, ...], basis: Basis
) -> pd.Series:
    """Say why crystals can't be compared; empty for those that can."""
    reasons = pd.Series("", index=table.index, dtype=object)
    lacking = ~np.isfinite(table["energy"].to_numpy(dtype=float))
    reasons[lacking] = "DFT's energy is no number"
    failed = table["failed"].astype(str).to_numpy(dtype=object)
    reasons[failed != ""] = failed[failed != ""]
    convention = manifest.model.energy_convention
    # on the mixed hull the reference brings its own adjustments, and r2SCAN models need none
    own = basis is Basis.MIXING and (
        convention != UNCORRECTED or is_r2scan(manifest.made.level_of_theory)
    )
    if wanted_convention(table, convention, basis) == "MP2020" and not own:
        lacking = ~np.isfinite(table["correction"].to_numpy(dtype=float))
        reasons[lacking] = "its MP2020 correction is neither stated nor can it be computed"
        failed = table["correction_failed"].astype(str).to_numpy(dtype=object)
        reasons[failed != ""] = failed[failed != ""]
    for element in left_out:
        there = [element in elements_of_system(name) for name in table["system"]]
        reasons[there] = f"the element {element} is left out"
    return reasons


def compare_run(
    table: pd.DataFrame, manifest: RunManifest, basis: Basis = Basis.SHARED
) -> pd.DataFrame:
    """Put a run's energies beside DFT's, single points and relaxed ones.

    Parameters
    ----------
    table
        One row a crystal: ``id``, ``formula``, ``energy`` (DFT, eV/atom), ``energy_model``,
        ``correction``, the columns of `Symmetry`, and relaxed energies if there are any.
    manifest
        Of the run.
    basis
        What brings several levels of theory onto one hull.

    Returns
    -------
    DataFrame
        As `symscape.hull.analysis.compare` makes it, with classes of symmetry; for relaxed
        geometries ``above_hull_model_fixed`` and ``error_above_hull_fixed`` and so on, NaN where
        the relaxation failed.

    Raises
    ------
    HullError
        As `symscape.hull.analysis.compare`.
    """
    single = table["energy_model"].to_numpy(dtype=float)
    model = Energies(
        single,
        manifest.model.energy_convention,
        level_of_theory=manifest.made.level_of_theory,
        name=manifest.model.name,
    )
    made = with_classes(compare(table, model, manifest.document(), basis=basis))
    # what was added to the model's energies belongs to the relaxed ones too
    added = made["energy_model"] - single
    for geometry, column in GEOMETRIES.items():
        if column in made and made[column].notna().any():
            above, errors = above_hull_elsewhere(
                made, made[column] + added, f"DFT and {model.name}, relaxed"
            )
            made[f"above_hull_model_{geometry}"] = above
            made[f"error_above_hull_{geometry}"] = errors
    return made
