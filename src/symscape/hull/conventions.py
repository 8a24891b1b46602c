"""Energy conventions: corrected energies are compared with corrected ones.

Some potentials were trained on energies that include the Materials Project's corrections (Wang et
al., Sci. Rep. 11, 15496 (2021)), some on plain DFT energies. The model card says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import HullError
from symscape.models.cache import structure_keys
from symscape.models.card import CONVENTIONS
from symscape.models.weights import distribution_version

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.models.cache import EnergyCache


def mp2020_corrections(structures: Iterable[Atoms], cache: EnergyCache | None = None) -> np.ndarray:
    """Return the MP2020 corrections of plain PBE energies, eV/atom, shape (n,).

    pymatgen's ``MaterialsProject2020Compatibility`` without a Hubbard U: what it adds to the energy
    of a compound for its anions. Elements get none.

    Parameters
    ----------
    structures
        The crystals.
    cache
        Where corrections are kept, so that a second run needs no pymatgen for them.

    Raises
    ------
    HullError
        If pymatgen has no correction for a structure, such as one whose elements need +U.
    """
    structures = list(structures)
    if cache is None or not structures:
        return np.array(list(_corrections(structures)), dtype=float)
    scheme = f"MP2020, {_scheme_version()}"
    keys = structure_keys(Structures.from_atoms(structures))
    known = {key: cache.get_outcome(scheme, key) for key in keys}
    missing = {k: a for k, a in zip(keys, structures, strict=True) if known[k] is None}
    for key, correction in zip(missing, _corrections(missing.values()), strict=True):
        known[key] = text = repr(correction)
        cache.put_outcome(scheme, "MP2020 corrections", key, text)
    return np.array([known[key] for key in keys], dtype=float)


def _scheme_version() -> str:
    return ", ".join(f"{p} {distribution_version(p)}" for p in ("pymatgen", "pymatgen-core"))


def _corrections(structures: Iterable[Atoms]) -> Iterator[float]:
    """Ask pymatgen for the correction of each structure, eV/atom."""
    structures = list(structures)
    if not structures:
        return  # the import below takes seconds
    import warnings

    from pymatgen.entries.compatibility import (
        CompatibilityError,
        MaterialsProject2020Compatibility,
    )
    from pymatgen.entries.computed_entries import ComputedStructureEntry
    from pymatgen.io.ase import AseAtomsAdaptor

    scheme = MaterialsProject2020Compatibility(check_potcar=False)
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
        yield float(sum(adjustment.value for adjustment in adjustments) / len(atoms))


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
