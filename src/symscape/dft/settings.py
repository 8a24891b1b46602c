"""How energies are computed: the numerical settings and the code that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any, ClassVar

import numpy as np

from symscape.decode import OpenRecord
from symscape.dft.plan_tables import read_table, refuse_negative
from symscape.errors import PlanError

#: Measured on PbTiO3 displacements: these hold relative energies within 1 meV/atom of 700 eV and
#: 4.0 k-points per inverse angstrom; 400 eV is 4 meV/atom off (docs/computing-references.md).
MEASURED_CUTOFF_EV = 520.0
MEASURED_K_DENSITY_A = 3.0


@dataclass(frozen=True)
class Settings:
    """Numerical settings of a plane-wave calculation.

    Parameters
    ----------
    functional
        Exchange and correlation, the reference's level of theory.
    cutoff_eV
        Plane-wave cut-off in eV.
    k_density_A
        k-points per inverse angstrom, ASE's convention (2 pi included). One mesh is derived from
        it for all points of a grid: a mesh that changed from point to point would put steps into
        the landscape.
    k_mesh
        The mesh itself, in place of the density.
    smearing_eV
        Width of the Fermi-Dirac distribution in eV.
    energy_convergence_eV
        Largest change of the energy per valence electron in the last SCF steps, eV.
    max_iterations
        SCF steps after which a point has failed.
    magnetic_moments
        Start values in Bohr magnetons by element; spin-polarized if there are any.
    timeout_s
        A point that takes longer is given up, seconds.
    """

    functional: str = "PBE"
    cutoff_eV: float = MEASURED_CUTOFF_EV
    k_density_A: float = MEASURED_K_DENSITY_A
    k_mesh: tuple[int, int, int] | None = None
    smearing_eV: float = 0.05
    energy_convergence_eV: float = 1e-5
    max_iterations: int = 200
    magnetic_moments: dict[str, float] = field(default_factory=dict)
    timeout_s: float = 7200.0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "[settings]") -> Settings:
        """Check and take over a table of a plan.

        Raises
        ------
        PlanError
            If a key is unknown or a value is not of its type or not positive.
        """
        return read_table(cls, values, where).checked(where)

    def checked(self, where: str = "[settings]") -> Settings:
        """Return these settings, or raise a PlanError if a number is not positive."""
        numbers = ("cutoff_eV", "k_density_A", "smearing_eV", "energy_convergence_eV", "timeout_s")
        refuse_negative(self, numbers, where)
        if self.max_iterations < 1 or (self.k_mesh and min(self.k_mesh) < 1):
            raise PlanError(f"{where}: max_iterations and the k_mesh must be at least 1.")
        return self

    def with_mesh(self, cells: np.ndarray) -> Settings:
        """Return these settings with the one k-mesh that serves all cells, (n, 3, 3) angstrom."""
        if self.k_mesh is not None:
            return self
        first, second, third = k_mesh(cells, self.k_density_A)
        return replace(self, k_mesh=(first, second, third))

    def warnings(self) -> list[str]:
        """Sentences about settings below those that were measured to hold relative energies."""
        below = []
        if self.cutoff_eV < MEASURED_CUTOFF_EV:
            below.append(
                f"the cut-off of {self.cutoff_eV:g} eV is below {MEASURED_CUTOFF_EV:g} eV, the "
                "least that was measured to hold relative energies within 1 meV/atom; run "
                "'symscape reference check' before the grid."
            )
        if self.k_mesh is None and self.k_density_A < MEASURED_K_DENSITY_A:
            below.append(
                f"{self.k_density_A:g} k-points per inverse angstrom are fewer than "
                f"{MEASURED_K_DENSITY_A:g}, the least that was measured to hold relative energies "
                "within 1 meV/atom; run 'symscape reference check' before the grid."
            )
        return below


@dataclass(frozen=True, kw_only=True)
class EngineSpec(OpenRecord):
    """Which code computes the energies.

    Parameters
    ----------
    name
        ``gpaw``; ``ase`` for any ASE calculator; ``import`` if the energies come from elsewhere
        and nothing is to be computed.
    factory
        For ``ase``: ``package.module:function`` that returns a calculator.
    options
        For ``gpaw``: further keyword arguments of its calculator; for ``ase``: of the factory.
    code, version, datasets
        What the reference says about the code and its pseudopotentials; GPAW tells that itself
        unless its points are imported.
    """

    says_more: ClassVar[bool] = False

    name: str = "gpaw"
    factory: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    version: str = ""
    datasets: str = ""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "[engine]") -> EngineSpec:
        """Check and take over a table of a plan.

        Raises
        ------
        PlanError
            If a key is unknown, the engine is unknown, or ``ase`` comes without factory or code.
        """
        return read_table(cls, values, where).checked(where)

    def checked(self, where: str = "[engine]") -> EngineSpec:
        """Return this engine, or raise a PlanError if there is none of this kind."""
        if self.name not in ("gpaw", "ase", "import"):
            raise PlanError(
                f"{where}: the engine {self.name!r} is unknown; take 'gpaw', 'ase' or 'import'."
            )
        if self.name == "ase" and ":" not in self.factory:
            raise PlanError(
                f"{where}: the engine 'ase' needs factory = \"package.module:function\", a "
                "function that returns an ASE calculator."
            )
        if self.name == "ase" and not self.code:
            raise PlanError(
                f'{where}: name the code behind the calculator (code = "Quantum ESPRESSO"), '
                "because the reference must say what computed it."
            )
        return self


def k_mesh(cells: np.ndarray, density_A: float) -> tuple[int, int, int]:
    """Return the smallest mesh that has at least this density in every cell.

    Parameters
    ----------
    cells
        Lattice vectors as rows in angstrom, shape (n, 3, 3).
    density_A
        k-points per inverse angstrom: at least ``2 pi |b_i| density`` along each reciprocal vector.
    """
    reciprocal = np.linalg.norm(np.linalg.inv(cells), axis=1)  # columns of the inverse are b_i
    needed = 2 * np.pi * reciprocal * density_A
    # symmetry-equal vectors must not round to different numbers
    first, second, third = np.ceil(needed - 1e-6).max(axis=0).astype(int)
    return int(first), int(second), int(third)


def higher_cutoff(cutoff_eV: float) -> float:
    """Return the cut-off that checks of convergence take, 700/520 of the own one, in whole eV."""
    return float(round(cutoff_eV * 700 / 520))


def denser_mesh(mesh: tuple[int, int, int], ratio: float) -> tuple[int, int, int]:
    """Return a mesh with at least ``ratio`` times as many k-points along each vector."""
    first, second, third = (ceil(k * ratio) for k in mesh)
    return first, second, third
