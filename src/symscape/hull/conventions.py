"""Energy conventions: corrected energies are compared with corrected ones.

Some potentials were trained on energies that include the Materials Project's corrections (Wang et
al., Sci. Rep. 11, 15496 (2021)), some on plain DFT energies. The model card says which.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from symscape.errors import HullError

if TYPE_CHECKING:
    from ase import Atoms

CONVENTIONS = ("uncorrected", "MP2020")


def mp2020_corrections(structures: Iterable[Atoms]) -> np.ndarray:
    """Return the MP2020 corrections of plain PBE energies, eV/atom, shape (n,).

    pymatgen's ``MaterialsProject2020Compatibility`` without a Hubbard U: what it adds to the energy
    of a compound for its anions. Elements get none.

    Raises
    ------
    HullError
        If pymatgen has no correction for a structure, such as one whose elements need +U.
    """
    import warnings

    from pymatgen.entries.compatibility import (
        CompatibilityError,
        MaterialsProject2020Compatibility,
    )
    from pymatgen.entries.computed_entries import ComputedStructureEntry
    from pymatgen.io.ase import AseAtomsAdaptor

    scheme = MaterialsProject2020Compatibility(check_potcar=False)
    corrections = []
    for atoms in structures:
        entry = ComputedStructureEntry(
            AseAtomsAdaptor.get_structure(atoms),
            0.0,
            parameters={"run_type": "GGA", "is_hubbard": False, "hubbards": {}},
        )
        try:
            with warnings.catch_warnings():
                # oxidation states are guessed, which is all that can be done here
                warnings.simplefilter("ignore")
                adjustments = scheme.get_adjustments(entry)
        except CompatibilityError as error:
            raise HullError(
                f"{atoms.get_chemical_formula()} has no MP2020 correction ({error}); leave it out."
            ) from None
        corrections.append(sum(adjustment.value for adjustment in adjustments) / len(atoms))
    return np.array(corrections, dtype=float)


def bring_together(
    reference: np.ndarray,
    model: np.ndarray,
    corrections: np.ndarray,
    *,
    reference_convention: str,
    model_convention: str,
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return reference and model energies in one convention, the model's where they differ.

    Parameters
    ----------
    reference, model
        Total energies, eV/atom, shape (n,).
    corrections
        As `mp2020_corrections` gives them, shape (n,).
    reference_convention, model_convention
        ``uncorrected`` or ``MP2020``.

    Returns
    -------
    reference, model : ndarray
        Energies, eV/atom.
    done : str
        What was done, one clause for reports.

    Raises
    ------
    HullError
        If a convention is unknown.
    """
    for convention in (reference_convention, model_convention):
        if convention not in CONVENTIONS:
            raise HullError(
                f"the energy convention {convention!r} is unknown; take {' or '.join(CONVENTIONS)}."
            )
    if reference_convention == model_convention:
        return reference, model, "both sides as they are"
    if model_convention == "MP2020":
        return reference + corrections, model, "MP2020 corrections added to the reference"
    return reference - corrections, model, "MP2020 corrections taken off the reference"
