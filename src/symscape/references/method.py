"""What made the energies of a stored reference: `Method` is what its file says under ``method``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symscape.decode import Finite, OpenRecord


@dataclass(frozen=True, kw_only=True)
class KPoints(OpenRecord):
    """k-points as the first grids state them: a density in 1/angstrom, or one mesh for all."""

    density_per_inverse_angstrom: Finite | None = None
    mesh_for_all_points: tuple[int, int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Method(OpenRecord):
    """How energies were computed; a file may say more.

    Parameters
    ----------
    code, version, datasets, libxc
        What computed them: the code, its PAW datasets or pseudopotentials, its library of
        functionals.
    functional
        The level of theory.
    cutoff_eV
        Plane-wave cut-off in eV.
    k_density_A, k_mesh, k_mesh_centre
        k-points per inverse angstrom (2 pi included), along each reciprocal vector, and where the
        mesh is centred. What a file of crystals or curves lacks of these differs from one to the
        next.
    smearing_eV, smearing
        Width in eV, and the distribution.
    energy_convergence_eV_per_valence_electron
        Largest change of the energy in the last steps.
    magnetic_moments
        Start values in Bohr magnetons by element, or that there were none.
    energy
        Which energy it is, where a code tells several.
    calculator, options, ase
        The function that made the calculator, its keyword arguments, and ASE's version.
    mode, kpoints, convergence, spin, protocol
        The same in the words of the first grids.
    """

    code: str
    version: str = ""
    datasets: str = ""
    libxc: str = ""
    functional: str
    cutoff_eV: Finite | None = None
    k_density_A: Finite | None = None
    k_mesh: tuple[int, int, int] | None = None
    smearing_eV: Finite | None = None
    energy_convergence_eV_per_valence_electron: Finite | None = None
    magnetic_moments: str | dict[str, Finite] | None = None
    k_mesh_centre: str = ""
    smearing: str = ""
    energy: str = ""
    calculator: str = ""
    ase: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    mode: str = ""
    kpoints: KPoints | None = None
    convergence: str = ""
    spin: str = ""
    protocol: str = ""

    @property
    def mesh(self) -> tuple[int, int, int] | None:
        """The one k-mesh, wherever it is stated."""
        return self.k_mesh or (self.kpoints.mesh_for_all_points if self.kpoints else None)

    @property
    def density(self) -> float | None:
        """k-points per inverse angstrom, wherever they are stated."""
        stated = self.kpoints.density_per_inverse_angstrom if self.kpoints else None
        return self.k_density_A or stated
