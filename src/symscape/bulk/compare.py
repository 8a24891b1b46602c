"""A model's energies beside a data set's, on one hull: in which convention, and for which crystals.

Array functions for a hundred thousand crystals; `symscape.hull.analysis.compare` does it for few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from symscape.bulk.hulls import (
    Compositions,
    aligned_errors,
    compositions,
    energies_above_hull,
    formation_energies,
    reference_energies,
)
from symscape.errors import HullError
from symscape.hull.classes import lattice_class, wyckoff_class
from symscape.hull.conventions import UNCORRECTED, Basis, bring_together, shared_convention

#: relaxed geometries, and where their energies are
GEOMETRIES = {"fixed": "relaxed_energy_fixed", "free": "relaxed_energy_free"}
#: what a data set calls the adjustments that bring GGA and r2SCAN together
MIXING_SCHEME = "GGA/r2SCAN mixing"


def convention_of(table: pd.DataFrame, manifest: dict[str, Any], basis: Basis) -> str:
    """Return the convention that both sides are compared in.

    Raises
    ------
    HullError
        If the levels of theory share no hull on this basis.
    """
    own = str(manifest["model"]["energy_convention"])
    if basis is Basis.RAW:
        return own
    if basis is Basis.MIXING:
        _check_mixing(table)
        return "MP2020"
    return shared_convention(table.get("level_of_theory", ())) or own


def _check_mixing(table: pd.DataFrame) -> None:
    if not any(MIXING_SCHEME in str(makers) for makers in table["correction_makers"].unique()):
        raise HullError(
            f"no energy of the data set states an adjustment of the {MIXING_SCHEME} scheme; import "
            "the Materials Project's mixed hull (--thermo-type GGA_GGA+U_R2SCAN), or leave "
            "--mixing away."
        )


def reasons_against(
    table: pd.DataFrame, manifest: dict[str, Any], left_out: tuple[str, ...], basis: Basis
) -> pd.Series:
    """Say why crystals can't be compared; empty for those that can."""
    reasons = pd.Series("", index=table.index, dtype=object)
    lacking = ~np.isfinite(table["energy"].to_numpy(dtype=float))
    reasons[lacking] = "DFT's energy is no number"
    failed = table["failed"].astype(str).to_numpy(dtype=object)
    reasons[failed != ""] = failed[failed != ""]
    corrected = manifest["model"]["energy_convention"] != UNCORRECTED
    # on the mixed hull the reference brings its own adjustments, and r2SCAN models need none
    own = basis is Basis.MIXING and (corrected or _of_r2scan(manifest))
    if convention_of(table, manifest, basis) == "MP2020" and not own:
        lacking = ~np.isfinite(table["correction"].to_numpy(dtype=float))
        reasons[lacking] = "its MP2020 correction is neither stated nor can it be computed"
        failed = table["correction_failed"].astype(str).to_numpy(dtype=object)
        reasons[failed != ""] = failed[failed != ""]
    for element in left_out:
        there = [element in name.split("-") for name in table["system"]]
        reasons[there] = f"the element {element} is left out"
    return reasons


def _of_r2scan(manifest: dict[str, Any]) -> bool:
    return str(manifest["made"].get("level_of_theory", "")).casefold() == "r2scan"


def _together(
    table: pd.DataFrame, manifest: dict[str, Any], basis: Basis
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return DFT's and the model's energies on one hull, eV/atom, and what was done."""
    dft = table["energy"].to_numpy(dtype=float)
    model = table["energy_model"].to_numpy(dtype=float)
    corrections = table["correction"].to_numpy(dtype=float)
    convention = manifest["model"]["energy_convention"]
    if basis is not Basis.MIXING:
        shared = convention_of(table, manifest, basis)
        return bring_together(
            dft, model, corrections, reference_convention=UNCORRECTED,
            model_convention=convention, shared=shared,
        )  # fmt: skip
    _check_mixing(table)
    done = f"reference by the {MIXING_SCHEME} scheme as stated"
    dft = dft + table["correction_stated"].fillna(0.0).to_numpy(dtype=float)
    if convention == UNCORRECTED and not _of_r2scan(manifest):
        return dft, model + corrections, f"{done}, MP2020 corrections added to the model"
    return dft, model, f"{done}, the model as it is"


def compare_many(
    table: pd.DataFrame, manifest: dict[str, Any], basis: Basis = Basis.SHARED
) -> pd.DataFrame:
    """Put a model's energies beside DFT's, as `symscape.hull.analysis.compare` does for few.

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
        ``table`` with the columns of `compare`; for relaxed geometries ``above_hull_model_fixed``
        and ``error_above_hull_fixed`` and so on, NaN where the relaxation failed.

    Raises
    ------
    HullError
        If an element has no reference energy.
    """
    model = manifest["model"]
    made = table.copy()
    made["energy"], made["energy_model"], done = _together(table, manifest, basis)
    parts = compositions(table["formula"])
    method = f"DFT and {model['name']}"
    for name, column in (("dft", "energy"), ("model", "energy_model")):
        formation = _formation(parts, made, made[column], method)
        made[f"formation_{name}"] = formation
        made[f"above_hull_{name}"] = energies_above_hull(parts, formation)
    floor = made["formation_dft"] - made["above_hull_dft"]
    made["above_dft_hull_model"] = made["formation_model"] - floor
    made["error_total"] = 1000 * aligned_errors(
        parts, (made["energy_model"] - made["energy"]).to_numpy()
    )
    made["error_formation"] = 1000 * (made["formation_model"] - made["formation_dft"])
    made["error_above_hull"] = 1000 * (made["above_hull_model"] - made["above_hull_dft"])
    for geometry, column in GEOMETRIES.items():
        if column in made and made[column].notna().any():
            # what was added to the model's energies belongs to the relaxed ones too
            added = made["energy_model"] - table["energy_model"]
            _add_relaxed(made, geometry, made[column] + added, f"{method}, relaxed")
    made["n_wyckoff_class"] = [wyckoff_class(n) for n in made["n_wyckoff"]]
    made["n_lattice_class"] = [lattice_class(n) for n in made["n_lattice"]]
    made.attrs["settings"] = {**manifest, "corrections": done}
    return made


def _formation(
    parts: Compositions, table: pd.DataFrame, energies: pd.Series, method: str
) -> np.ndarray:
    values = energies.to_numpy(dtype=float)
    return formation_energies(parts, values, reference_energies(parts, values, table["id"], method))


def _add_relaxed(made: pd.DataFrame, geometry: str, energies: pd.Series, method: str) -> None:
    """Add energies above the hull of the relaxed crystals, of those that could be relaxed."""
    known = made[energies.notna()]
    parts = compositions(known["formula"])
    formation = _formation(parts, known, energies[energies.notna()], method)
    above = pd.Series(energies_above_hull(parts, formation), index=known.index)
    made[f"above_hull_model_{geometry}"] = above
    made[f"error_above_hull_{geometry}"] = 1000 * (above - made["above_hull_dft"])
