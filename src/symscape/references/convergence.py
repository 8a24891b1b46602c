"""How far a reference's own relative energies are known: its stored convergence check."""

from __future__ import annotations

from dataclasses import dataclass

from symscape.decode import Finite, OpenRecord

#: meV/atom above the minimum up to which energies are judged, and the budget is taken
BUDGET_WINDOW = 500.0


@dataclass(frozen=True, kw_only=True)
class CheckedPoint(OpenRecord):
    """A point's energy above the lowest checked one, in meV/atom.

    Parameters
    ----------
    i, j
        Where it lies on the grid.
    relative_meV_atom
        At the settings of the reference.
    checked_relative_meV_atom
        At a higher cut-off and a denser k-mesh.
    difference_meV_atom
        The first less the second, rounded.
    """

    i: int
    j: int
    relative_meV_atom: Finite
    checked_relative_meV_atom: Finite
    difference_meV_atom: Finite | None = None

    @property
    def difference(self) -> float:
        """What the stored energy is off, in meV/atom."""
        return self.relative_meV_atom - self.checked_relative_meV_atom


@dataclass(frozen=True, kw_only=True)
class ConvergenceCheck(OpenRecord):
    """Relative energies of two points or more at better settings, as ``provenance`` states them.

    Parameters
    ----------
    cutoff_eV, k_density_A, k_mesh
        The better settings; the mesh is None where the density decided.
    points
        The lowest is among them.
    largest_difference_meV_atom
        Of their differences.
    """

    cutoff_eV: Finite
    k_density_A: Finite
    k_mesh: tuple[int, int, int] | None = None
    points: tuple[CheckedPoint, ...]
    largest_difference_meV_atom: Finite | None = None

    @property
    def largest_difference(self) -> float:
        """Largest change of any relative energy, in meV/atom."""
        return max(abs(point.difference) for point in self.points)

    @property
    def error_budget(self) -> float:
        """Largest change of a relative energy within the judged 500 meV/atom, in meV/atom."""
        judged = (p.difference for p in self.points if p.relative_meV_atom <= BUDGET_WINDOW)
        return max(map(abs, judged), default=self.largest_difference)
