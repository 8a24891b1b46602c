"""How sources state stresses: units, signs, and where a record has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.stress import voigt_6_to_full_3x3_stress

#: GPa per eV/angstrom^3 (CODATA 2018 elementary charge)
_GPA = 160.2176634
_PER_EV_A3 = {"eV/angstrom^3": 1.0, "GPa": _GPA, "kbar": 10 * _GPA}


@dataclass(frozen=True)
class StressConvention:
    """A unit and a sign.

    Parameters
    ----------
    unit
        ``eV/angstrom^3``, ``GPa`` or ``kbar``.
    positive
        ``tension``, for the derivative of the energy by strain over the volume, or ``compression``.
    """

    unit: str
    positive: str

    @property
    def per_eV_A3(self) -> float:
        """What 1 eV/angstrom^3 of tension is in it."""
        return _PER_EV_A3[self.unit] * (1 if self.positive == "tension" else -1)

    def __str__(self) -> str:
        return f"{self.unit}, positive for {self.positive}"


#: of extended XYZ, whose makers are ASE and what follows it
ASE = StressConvention("eV/angstrom^3", "tension")
#: of VASP's output, and so of pymatgen's documents, the Materials Project and MPtrj
VASP = StressConvention("kbar", "compression")
CONVENTIONS = tuple(
    StressConvention(unit, positive)
    for unit in _PER_EV_A3
    for positive in ("tension", "compression")
)


@dataclass(frozen=True, eq=False)
class StatedStress:
    """The stress that a source states.

    Parameters
    ----------
    values
        In the source's own unit and sign, shape (3, 3).
    convention
        What these are by the habit of the format.
    """

    values: np.ndarray
    convention: StressConvention


def stated_stress(
    stated: Mapping[str, Any], volume_A3: float, convention: StressConvention
) -> StatedStress | None:
    """Return the stress among what a record states, or that of a virial; None without either.

    Parameters
    ----------
    stated
        Key -> value, of which ``stress`` (nine components, or six in Voigt's order) and ``virial``
        (eV, minus stress times volume) are looked at.
    volume_A3
        Of the cell, angstrom^3.
    convention
        Of ``stress``.
    """
    values = _matrix(stated.get("stress"))
    if values is not None:
        return StatedStress(values, convention)
    virial = _matrix(stated.get("virial"))
    return StatedStress(-virial / volume_A3, ASE) if virial is not None and volume_A3 > 0 else None


def _matrix(value: Any) -> np.ndarray | None:
    """Return six or nine finite components as a matrix; None for anything else."""
    try:
        components = np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return None
    if not np.isfinite(components).all():
        return None
    if components.size == 9:
        return components.reshape(3, 3)
    return voigt_6_to_full_3x3_stress(components.ravel()) if components.size == 6 else None
