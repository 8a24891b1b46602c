"""How far a reference's own relative energies are known: its stored convergence check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symscape.decode import DecodeError, Finite, decode

#: meV/atom above the minimum up to which energies are judged, and the budget is taken
BUDGET_WINDOW = 500.0


@dataclass(frozen=True)
class CheckedPoint:
    """A point's energy above the lowest checked one, in meV/atom.

    Parameters
    ----------
    index
        Where it lies on the grid.
    stored
        At the settings of the reference.
    checked
        At a higher cut-off and a denser k-mesh.
    """

    index: tuple[int, int]
    stored: float
    checked: float

    @property
    def difference(self) -> float:
        """What the stored energy is off, in meV/atom."""
        return self.stored - self.checked


@dataclass(frozen=True)
class ConvergenceCheck:
    """Relative energies of a few points at better settings.

    Parameters
    ----------
    cutoff_eV, k_density_A, k_mesh
        The better settings; the mesh is None where the density decided.
    points
        The lowest is among them.
    """

    cutoff_eV: float
    k_density_A: float
    k_mesh: tuple[int, int, int] | None
    points: tuple[CheckedPoint, ...]

    @property
    def largest_difference(self) -> float:
        """Largest change of any relative energy, in meV/atom."""
        return max(abs(point.difference) for point in self.points)

    @property
    def error_budget(self) -> float:
        """Largest change of a relative energy within the judged 500 meV/atom, in meV/atom."""
        judged = (p.difference for p in self.points if p.stored <= BUDGET_WINDOW)
        return max(map(abs, judged), default=self.largest_difference)


@dataclass(frozen=True)
class _PointRecord:
    i: int
    j: int
    relative_meV_atom: Finite
    checked_relative_meV_atom: Finite


@dataclass(frozen=True)
class _CheckRecord:
    cutoff_eV: Finite
    k_density_A: Finite
    points: tuple[_PointRecord, ...]
    k_mesh: tuple[int, int, int] | None = None


def read_convergence(stored: Mapping[str, Any] | None) -> ConvergenceCheck | None:
    """Read ``provenance.convergence`` of a reference file; None where nothing was checked.

    Raises
    ------
    ValueError
        If it is no convergence check, with what is wrong.
    """
    if not stored:
        return None
    try:
        record: _CheckRecord = decode(_CheckRecord, stored, "")
    except DecodeError as error:
        raise ValueError(f"is malformed: {error}") from None
    if len(record.points) < 2:
        raise ValueError("needs two points or more")
    points = tuple(
        CheckedPoint((p.i, p.j), p.relative_meV_atom, p.checked_relative_meV_atom)
        for p in record.points
    )
    return ConvergenceCheck(record.cutoff_eV, record.k_density_A, record.k_mesh, points)
