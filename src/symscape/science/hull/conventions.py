"""Energy conventions: corrected energies are compared with corrected ones.

Some potentials were trained on energies that include the Materials Project's corrections (Wang et
al., Sci. Rep. 11, 15496 (2021)), some on plain DFT energies. The model card says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import HullError
from symscape.models.cache import structure_keys
from symscape.models.card import CONVENTIONS, ModelCard
from symscape.models.evaluate import Evaluator, Progress
from symscape.models.hubbard import trained_with_u
from symscape.models.weights import distribution_version

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

    from symscape.models.base import EnergyModel
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
    from pymatgen.io.ase import AseAtomsAdaptor

    for atoms in structures:
        yield mp2020_correction(AseAtomsAdaptor.get_structure(atoms), {}) / len(atoms)


def mp2020_correction(structure: Structure, hubbard_eV: dict[str, float]) -> float:
    """Return the MP2020 correction of one cell's energy, eV.

    Parameters
    ----------
    structure
        The crystal.
    hubbard_eV
        U by element, as the calculation had it; empty for plain PBE.

    Raises
    ------
    HullError
        If the scheme has no correction for it, such as one whose elements need another U.
    """
    import warnings

    from pymatgen.entries.compatibility import CompatibilityError
    from pymatgen.entries.computed_entries import ComputedStructureEntry

    hubbard_eV = {element: value for element, value in hubbard_eV.items() if value}
    parameters = {
        "run_type": "GGA+U" if hubbard_eV else "GGA",
        "is_hubbard": bool(hubbard_eV),
        "hubbards": hubbard_eV,
    }
    entry = ComputedStructureEntry(structure, 0.0, parameters=parameters)
    try:
        with warnings.catch_warnings():
            # oxidation states are guessed, which is all that can be done here
            warnings.simplefilter("ignore")
            adjustments = _scheme().get_adjustments(entry)
    except CompatibilityError as error:
        # pymatgen's sentence goes on with the whole entry
        reason = str(error).partition(" for {")[0].rstrip(".")
        raise HullError(
            f"{structure.composition.formula} has no MP2020 correction ({reason}); leave it out."
        ) from None
    return float(sum(adjustment.value for adjustment in adjustments))


def mp2020_bounds(symbols: Sequence[str]) -> tuple[float, float]:
    """Return between what MP2020's correction of a cell lies, whatever its structure and U, eV.

    Parameters
    ----------
    symbols
        Of the cell's atoms.
    """
    # oxygen's is that of an oxide, a peroxide, a superoxide or an ozonide
    scheme = _scheme()
    oxygen = [scheme.comp_correction[k] for k in ("oxide", "peroxide", "superoxide", "ozonide")]
    low = high = 0.0
    for symbol in symbols:
        own = oxygen if symbol == "O" else [scheme.comp_correction.get(symbol, 0.0)]
        with_u = [scheme.u_corrections[k].get(symbol, 0.0) for k in {"O", "F"} & set(symbols)]
        low += min(0.0, *own) + min([0.0, *with_u])
        high += max(0.0, *own)
    return low, high


@cache
def _scheme() -> Any:
    """Return pymatgen's scheme, which takes a tenth of a second to make."""
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility

    return MaterialsProject2020Compatibility(check_potcar=False)


def corrections_of(
    structures: Structures, cache: EnergyCache | None = None
) -> Callable[[], np.ndarray]:
    """Return what works out MP2020's corrections of crystals when it is called, eV/atom.

    pymatgen takes seconds for them, so that nothing is done where no correction is wanted.
    """
    return lambda: mp2020_corrections((structures.atoms(i) for i in range(len(structures))), cache)


@dataclass(frozen=True, eq=False)
class Energies:
    """A model's energies with what they are.

    Parameters
    ----------
    per_atom
        Total energies, eV/atom, shape (n,); NaN where there is none.
    convention
        ``uncorrected`` or ``MP2020``.
    corrections
        Returns MP2020's corrections of the crystals, eV/atom, shape (n,); it is called where two
        conventions meet and the table of crystals has none.
    level_of_theory
        Functional of the training energies; ``unknown`` where not stated.
    name
        The model's, for messages.
    with_u
        Whether its training energies have +U where the Materials Project's have it; None where that
        is not known.

    Raises
    ------
    HullError
        If the convention is unknown.
    """

    per_atom: np.ndarray
    convention: str
    corrections: Callable[[], np.ndarray] | None = None
    level_of_theory: str = "unknown"
    name: str = ""
    with_u: bool | None = None

    def __post_init__(self) -> None:
        check_convention(self.convention)

    @classmethod
    def of(
        cls,
        card: ModelCard,
        per_atom: np.ndarray,
        corrections: Callable[[], np.ndarray] | None = None,
    ) -> Energies:
        """Return energies in the convention that a model's card states."""
        return cls(
            per_atom,
            card.energy_convention,
            corrections,
            card.level_of_theory,
            card.name,
            trained_with_u(card),
        )


def model_energies(
    model: EnergyModel,
    structures: Structures,
    cache: EnergyCache | None = None,
    *,
    progress: Progress | None = None,
) -> Energies:
    """Return a model's energies in the convention that its card states.

    Parameters
    ----------
    model
        The potential.
    structures
        The crystals.
    cache
        Where corrections are kept.
    progress
        Called with (structures done, structures in all).

    Raises
    ------
    ModelError
        If the model fails.
    """
    found = Evaluator(model).predict(structures, progress=progress)
    per_atom = found.energies / structures.n_atoms
    return Energies.of(model.card, per_atom, corrections_of(structures, cache))


class Basis(StrEnum):
    """What brings energies of several levels of theory onto one hull."""

    #: one level of theory, or PBE and PBE+U with MP2020's corrections on both sides
    SHARED = "shared"
    #: nothing: energies as they are computed
    RAW = "raw"
    #: the Materials Project's GGA/GGA+U/r2SCAN scheme, by the adjustments that the source states
    MIXING = "mixing"


def shared_convention(levels: Iterable[str]) -> str:
    """Return the convention in which energies of these levels of theory share a hull.

    Parameters
    ----------
    levels
        Levels of theory of the reference energies, ``PBE``, ``PBE+U``, ``r2SCAN`` and so on.

    Returns
    -------
    str
        ``MP2020`` where its mixing of GGA and GGA+U is what makes a hull of them; empty where there
        is one level only, and no convention is demanded.

    Raises
    ------
    HullError
        If no scheme brings the levels together.
    """
    found = sorted(set(levels))
    if len(found) < 2:
        return ""
    if set(found) <= _MIXABLE:
        return "MP2020"
    raise HullError(
        f"energies of {' and '.join(found)} share no hull; import one level of theory with --only, "
        "such as --only PBE --only PBE+U, name that of energies which state none with "
        "--level-of-theory, or take the scheme that mixes them with 'symscape hull tables "
        "--mixing'."
    )


#: of energies as computed
UNCORRECTED = CONVENTIONS[0]
#: levels of theory that MP2020 brings together, if each energy has its correction
_MIXABLE = {"PBE", "PBE+U", "unknown"}


def bring_together(
    reference: np.ndarray,
    model: np.ndarray,
    corrections: np.ndarray,
    *,
    reference_convention: str,
    model_convention: str,
    shared: str = "",
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return reference and model energies in one convention.

    Parameters
    ----------
    reference, model
        Total energies, eV/atom, shape (n,).
    corrections
        MP2020's, eV/atom, shape (n,).
    reference_convention, model_convention
        ``uncorrected`` or ``MP2020``.
    shared
        The convention wanted, as `shared_convention` tells it; empty for the model's. The same
        correction on both sides leaves errors of formation energies alone and makes a hull of
        energies with and without U.

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
    wanted = shared or model_convention
    for convention in (reference_convention, model_convention, wanted):
        check_convention(convention)
    sign = 1 if wanted == "MP2020" else -1
    changed, made = [], []
    for name, energies, convention in (
        ("the reference", reference, reference_convention),
        ("the model", model, model_convention),
    ):
        if convention != wanted:
            changed.append(name)
            energies = energies + sign * corrections
        made.append(energies)
    if not changed:
        have = "both with MP2020 corrections" if wanted == "MP2020" else "neither with corrections"
        return reference, model, f"both sides as they are, {have}"
    verb = "added to" if wanted == "MP2020" else "taken off"
    return made[0], made[1], f"MP2020 corrections {verb} {' and '.join(changed)}"


def check_convention(convention: str) -> None:
    """Refuse a convention that is none.

    Raises
    ------
    HullError
        As it says.
    """
    if convention not in CONVENTIONS:
        raise HullError(
            f"the energy convention {convention!r} is unknown; take {' or '.join(CONVENTIONS)}."
        )
