"""A run's energies beside its data set's: for which crystals, and at which geometries.

`symscape.science.hull.analysis.compare` does the comparison.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from symscape.bulk.manifest import RunManifest
from symscape.science.hull.analysis import Each, above_hull_elsewhere, compare
from symscape.science.hull.conventions import UNCORRECTED, Basis, Energies
from symscape.science.hull.levels import WITH_U, reasons_of_u
from symscape.science.hull.sides import is_r2scan, wanted_convention
from symscape.science.hull.statistics import with_classes
from symscape.science.hull.systems import elements_of_system

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
    r2scan = basis is Basis.MIXING and is_r2scan(manifest.made.level_of_theory)
    if basis is not Basis.RAW and not r2scan:
        differ = reasons_of_u(table, manifest.made.with_u)
        reasons[differ != ""] = differ[differ != ""]
    # on the mixed hull the reference brings its own adjustments, and r2SCAN models need none
    own = basis is Basis.MIXING and (convention != UNCORRECTED or r2scan)
    kept = table[reasons == ""]
    if wanted_convention(kept, convention, basis) == "MP2020" and not own:
        uncorrected = ~np.isfinite(kept["correction"].to_numpy(dtype=float))
        reasons[kept.index[uncorrected]] = (
            "its MP2020 correction is neither stated nor can it be computed"
        )
        why = kept["correction_failed"].astype(str)
        reasons[kept.index[why != ""]] = why[why != ""].to_numpy(dtype=object)
    for element in left_out:
        there = [element in elements_of_system(name) for name in table["system"]]
        reasons[there] = f"the element {element} is left out"
    return reasons


def notice_of_u(table: pd.DataFrame, manifest: RunManifest, basis: Basis) -> str:
    """Say what +U means for a comparison: one sentence, empty where it means nothing.

    Parameters
    ----------
    table
        All crystals, those that are left out too.
    manifest
        Of the run.
    basis
        What brings several levels of theory onto one hull.
    """
    made, name = manifest.made, manifest.model.name
    with_u = made.with_u
    if with_u is None:
        n = int((table["level_of_theory"].astype(str) == WITH_U).sum())
        if not n or basis is Basis.RAW or made.level_of_theory != "unknown":
            return ""
        return (
            f"nothing says whether {name} was trained with +U, which DFT's energies of {n} of "
            f"{len(table)} crystals have; it is taken to be; --level-of-theory PBE or PBE+U says."
        )
    n = int((reasons_of_u(table, with_u) != "").sum())
    where = f"on {n} of {len(table)} crystals"
    mixed = basis is Basis.MIXING and is_r2scan(made.level_of_theory)
    if not n or mixed:
        return ""
    sides = "DFT's energies have +U and the model's do not"
    if with_u:
        sides = "the model was trained with +U and DFT's energies are without"
    if basis is Basis.RAW:
        return f"{where} {sides}; their differences are no errors of {name}."
    return (
        f"{where} {sides}; {name} is compared on the others, within hulls of their own "
        "(left_out.csv)."
    )


def compare_run(
    table: pd.DataFrame,
    manifest: RunManifest,
    basis: Basis = Basis.SHARED,
    each: Each = map,
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
    each
        As in `symscape.science.hull.analysis.compare`.

    Returns
    -------
    DataFrame
        As `symscape.science.hull.analysis.compare` makes it, with classes of symmetry; for relaxed
        geometries ``above_hull_model_fixed`` and ``error_above_hull_fixed`` and so on, NaN where
        the relaxation failed.

    Raises
    ------
    HullError
        As `symscape.science.hull.analysis.compare`.
    """
    single = table["energy_model"].to_numpy(dtype=float)
    model = Energies(
        single,
        manifest.model.energy_convention,
        level_of_theory=manifest.made.level_of_theory,
        name=manifest.model.name,
        with_u=manifest.made.with_u,
    )
    made = with_classes(compare(table, model, manifest.document(), basis=basis, each=each))
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
