"""The noun of the reference library: a slice with the DFT energies on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.labels import axis_label, crystal_label
from symscape.crystal.slice import Slice
from symscape.crystal.structures import Structures
from symscape.crystal.tangents import crystal_at
from symscape.notebook import map_html, table_html
from symscape.references.convergence import ConvergenceCheck
from symscape.references.method import Method
from symscape.references.provenance import PartialProvenance


@dataclass(frozen=True, eq=False)
class LandscapeReference:
    """DFT energies on a slice's grid, with all that is needed to trust them.

    Grids have shape (n_u, n_v): first axis of the slice along rows.

    Parameters
    ----------
    material
        Identifier of the material, formula and space group: ``PbTiO3-P4mm``.
    slice
        The slice, which rebuilds every geometry.
    energies
        eV/atom, shape (n_u, n_v); NaN where masked or not computed.
    forces
        eV/angstrom, shape (n_u, n_v, n_atoms, 3), atoms as ``slice.structures()`` orders them; NaN
        where there are none.
    mask
        True where two atoms are too close, shape (n_u, n_v).
    computed
        True where the energy was computed rather than filled in by symmetry, shape (n_u, n_v).
    method, provenance
        How its energies were computed and where they are from, as stored.
    stresses
        eV/angstrom^3, positive under tension, shape (n_u, n_v, 3, 3); NaN where there are none,
        None if there are none at all.
    kind
        ``local`` (around an equilibrium) or ``global`` (a full period of a coordinate).
    formula
        Reduced chemical formula.
    digest
        SHA-256 of the file, which identifies the reference in results.
    path
        The file it was read from.
    convergence
        The check of its relative energies at better settings; None if there was none.
    """

    material: str
    slice: Slice
    energies: np.ndarray
    forces: np.ndarray
    mask: np.ndarray
    computed: np.ndarray
    method: Method
    provenance: PartialProvenance
    stresses: np.ndarray | None = None
    kind: str = "local"
    formula: str = ""
    digest: str = ""
    path: Path | None = None
    convergence: ConvergenceCheck | None = None

    def __repr__(self) -> str:
        n_u, n_v = self.energies.shape
        return f"LandscapeReference({self.id}, {n_u} x {n_v}, {self.level_of_theory})"

    def _repr_html_(self) -> str:
        """Return a map of the energies and what they were computed with, for notebooks."""
        energies = np.where(self.mask, np.nan, self.relative)
        crystal = crystal_label(self.slice.crystal.formula, self.slice.crystal.symbol)
        rows = [
            ("crystal", crystal),
            ("slice", ", ".join(axis_label(axis.name) for axis in self.slice.axes)),
            ("level of theory", self.level_of_theory),
            ("points with energy", int(np.isfinite(energies).sum())),
            ("highest energy (meV/atom)", 1000 * float(np.nanmax(energies, initial=0.0))),
        ]
        return table_html(rows) + map_html(energies, f"DFT energies of {crystal}")

    @property
    def id(self) -> str:
        """``PbTiO3-P4mm-Ti_z-O_z``."""
        return f"{self.material}-{self.slice.name}"

    @property
    def level_of_theory(self) -> str:
        """The functional, e.g. ``PBE``."""
        return self.method.functional

    @property
    def error_budget(self) -> float:
        """How far its own relative energies may be off, in meV/atom; 0 where that is not known."""
        return 0.0 if self.convergence is None else self.convergence.error_budget

    @cached_property
    def valid(self) -> np.ndarray:
        """True where there is an energy to compare with, shape (n_u, n_v)."""
        return np.isfinite(self.energies) & ~self.mask

    @cached_property
    def relative(self) -> np.ndarray:
        """Energy above the grid's minimum in eV/atom, shape (n_u, n_v), NaN where not valid."""
        return np.where(self.valid, self.energies - self.energies[self.minimum], np.nan)

    @cached_property
    def minimum(self) -> tuple[int, int]:
        """Grid indices of the lowest energy."""
        flat = np.nanargmin(np.where(self.valid, self.energies, np.nan))
        i, j = np.unravel_index(flat, self.energies.shape)
        return int(i), int(j)

    @property
    def minimum_values(self) -> tuple[float, float]:
        """Axis values at the lowest energy."""
        (i, j), (u, v) = self.minimum, self.slice.axes
        return float(u.values[i]), float(v.values[j])

    @cached_property
    def minimum_crystal(self) -> Crystal:
        """The crystal at the lowest energy of the grid."""
        return crystal_at(self.slice, self.minimum_values)

    def structures(self) -> Structures:
        """Build the structures of the whole grid, row-major, in primitive cells."""
        return self.slice.structures()
