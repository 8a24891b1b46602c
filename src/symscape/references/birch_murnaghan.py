"""The third-order equation of state of Birch and Murnaghan, many crystals at once.

F. Birch, Phys. Rev. 71, 809 (1947): with u = (V0/V)^(2/3) - 1,
E = E0 + (9 V0 B0 / 16) (2 u^2 + (B1 - 4) u^3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

#: GPa in one eV/angstrom^3, from the exact elementary charge of the SI
GPA = 160.2176634


@dataclass(frozen=True, eq=False)
class BirchMurnaghan:
    """Curves of energy against volume, one a crystal; arrays of one shape, ``(n,)`` mostly.

    Parameters
    ----------
    energy
        E0, the energy at the minimum, eV/atom.
    volume
        V0, the volume at the minimum, angstrom^3/atom.
    bulk_modulus
        B0 in eV/angstrom^3; times `GPA` in GPa.
    derivative
        B1, the pressure derivative of the bulk modulus at the minimum.
    """

    energy: np.ndarray
    volume: np.ndarray
    bulk_modulus: np.ndarray
    derivative: np.ndarray

    def __len__(self) -> int:
        return len(self.volume)

    def __getitem__(self, index: slice | np.ndarray | list[int]) -> BirchMurnaghan:
        """Return the chosen curves."""
        return self.each(lambda values: values[index])

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> BirchMurnaghan:
        """Return curves with each of the four arrays changed."""
        return BirchMurnaghan(*(change(getattr(self, field.name)) for field in fields(self)))

    def energies(self, volumes: np.ndarray) -> np.ndarray:
        """Return energies in eV/atom.

        Parameters
        ----------
        volumes
            angstrom^3/atom, shape (n, m): ``m`` volumes of each crystal.
        """
        curve = self.each(lambda values: np.asarray(values)[..., None])
        u = (curve.volume / volumes) ** (2 / 3) - 1
        stiffness = 9 / 16 * curve.volume * curve.bulk_modulus
        return curve.energy + stiffness * (2 * u**2 + (curve.derivative - 4) * u**3)

    def pressures(self, volumes: np.ndarray) -> np.ndarray:
        """Return pressures, -dE/dV, in eV/angstrom^3, at volumes as `energies` takes them."""
        curve = self.each(lambda values: np.asarray(values)[..., None])
        x = (curve.volume / volumes) ** (1 / 3)
        shape = 1 + 3 / 4 * (curve.derivative - 4) * (x**2 - 1)
        return 3 / 2 * curve.bulk_modulus * (x**7 - x**5) * shape
