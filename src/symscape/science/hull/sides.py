"""DFT's and a model's energies of one table, brought to one convention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from symscape.errors import HullError
from symscape.science.hull.conventions import (
    UNCORRECTED,
    Basis,
    Energies,
    bring_together,
    check_convention,
    shared_convention,
)
from symscape.science.hull.levels import reasons_of_u

#: what a data set calls the adjustments that bring GGA and r2SCAN together
MIXING_SCHEME = "GGA/r2SCAN mixing"


def in_one_convention(
    table: pd.DataFrame, model: Energies, basis: Basis, reference_convention: str = UNCORRECTED
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return DFT's and the model's energies on one hull, eV/atom, and what was done.

    Parameters
    ----------
    table, model, basis, reference_convention
        As those of `symscape.science.hull.analysis.compare`.

    Raises
    ------
    HullError
        If the energies come without their convention, a correction is wanted and not there, the
        levels of theory share no hull on this basis, or only one side has +U on a crystal.
    """
    if not isinstance(model, Energies):
        raise HullError(
            "the model's energies do not say of which convention they are; hand over "
            "Energies(values, 'uncorrected') or Energies(values, 'MP2020')."
        )
    check_convention(reference_convention)
    dft = table["energy"].to_numpy(dtype=float)
    own = np.asarray(model.per_atom, dtype=float)
    if basis is Basis.MIXING:
        if not is_r2scan(model.level_of_theory):
            _check_u(table, model)
        return _mixed(table, dft, own, model)
    if basis is Basis.SHARED:
        _check_u(table, model)
    shared = wanted_convention(table, model.convention, basis)
    alike = reference_convention == model.convention == shared
    return bring_together(
        dft,
        own,
        np.zeros(len(table)) if alike else _corrections(table, model),
        reference_convention=reference_convention,
        model_convention=model.convention,
        shared=shared,
    )


def wanted_convention(table: pd.DataFrame, own: str, basis: Basis) -> str:
    """Return the convention that both sides are compared in.

    Parameters
    ----------
    table
        As that of `symscape.science.hull.analysis.compare`.
    own
        The model's convention.
    basis
        What brings several levels of theory onto one hull.

    Raises
    ------
    HullError
        If the levels of theory share no hull on this basis.
    """
    if basis is Basis.RAW:
        return own
    if basis is Basis.MIXING:
        _check_mixing(table)
        return "MP2020"
    return shared_convention(table.get("level_of_theory", ())) or own


def _check_u(table: pd.DataFrame, model: Energies) -> None:
    """Refuse crystals that only one side has with +U."""
    reasons = reasons_of_u(table, model.with_u)
    found = np.flatnonzero(reasons != "")
    if len(found):
        raise HullError(
            f"{model.name or 'the model'} can't be compared on {len(found)} of {len(table)} "
            f"crystals, such as {table['formula'].iloc[found[0]]}: {reasons[found[0]]}; leave "
            "them out (symscape.science.hull.levels.reasons_of_u), or take energies as they are "
            "with Basis.RAW."
        )


def is_r2scan(level_of_theory: Any) -> bool:
    """Whether a level of theory is the one that the mixed hull is built on."""
    return str(level_of_theory).casefold() == "r2scan"


def _mixed(
    table: pd.DataFrame, dft: np.ndarray, own: np.ndarray, model: Energies
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return both sides on the Materials Project's mixed hull, and what was done."""
    _check_mixing(table)
    done = f"reference by the {MIXING_SCHEME} scheme as stated"
    dft = dft + table["correction_stated"].fillna(0.0).to_numpy(dtype=float)
    if model.convention == UNCORRECTED and not is_r2scan(model.level_of_theory):
        own = own + _corrections(table, model)
        return dft, own, f"{done}, MP2020 corrections added to the model"
    return dft, own, f"{done}, the model as it is"


def _check_mixing(table: pd.DataFrame) -> None:
    makers = table["correction_makers"].unique() if "correction_makers" in table else ()
    if not any(MIXING_SCHEME in str(maker) for maker in makers):
        raise HullError(
            f"no energy of the data set states an adjustment of the {MIXING_SCHEME} scheme; import "
            "the Materials Project's mixed hull (--thermo-type GGA_GGA+U_R2SCAN), or leave "
            "--mixing away."
        )


def _corrections(table: pd.DataFrame, model: Energies) -> np.ndarray:
    """Return MP2020's corrections: the table's own, or what the energies can work out."""
    if "correction" in table:
        return table["correction"].to_numpy(dtype=float)
    if model.corrections is None:
        raise HullError(
            "both sides have to be brought to one convention, but there are no corrections; give "
            "the table a column 'correction' (MP2020's, eV/atom), or the energies what works "
            "them out (corrections_of)."
        )
    return model.corrections()
