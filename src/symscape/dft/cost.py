"""What a grid will cost: from its own finished points, or by a rough rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.dft.grid_ledger import GridLedger

#: seconds on one core per atom, irreducible k-point and 10 angstrom^3 of cell, at 520 eV
_SECONDS_PER_UNIT = 0.025
_LEAST_SECONDS = 3.0


@dataclass(frozen=True)
class CostEstimate:
    """An estimate of the time that a grid's remaining points take on one core.

    Parameters
    ----------
    seconds_per_point
        Median, seconds; None if nothing is known about the engine.
    points
        How many are left.
    basis
        Where the estimate is from.
    """

    seconds_per_point: float | None
    points: int
    basis: str

    @property
    def seconds(self) -> float | None:
        """Of all remaining points on one core."""
        return None if self.seconds_per_point is None else self.seconds_per_point * self.points


def estimate_cost(ledger: GridLedger) -> CostEstimate:
    """Estimate the time left: the median of the last finished points, else a rule for GPAW.

    The rule: time grows with the volume of the cell, with the number of atoms, with the
    irreducible k-points and with the cut-off to the power 3/2. It was fitted to a few cells of 2
    to 6 atoms and is good to a factor of three.
    """
    measured = ledger.seconds_per_point()
    left = len(ledger.todo)
    if measured is not None:
        return CostEstimate(measured, left, f"{len(ledger.points)} finished points")
    if ledger.plan.engine.name != "gpaw":
        return CostEstimate(None, left, "no finished point yet")
    structures = ledger.plan.slice.structures()
    n_atoms = int(structures.n_atoms[0])
    volume = float(np.abs(np.linalg.det(structures.cells)).mean())
    mesh = np.prod(ledger.settings.k_mesh or (1, 1, 1))
    rotations = np.unique(ledger.plan.crystal.group.rotations, axis=0)
    irreducible = float(mesh) / len(rotations) * 1.5 + 1
    size = n_atoms * volume / 10.0
    effort = size * irreducible * (ledger.settings.cutoff_eV / 520.0) ** 1.5
    return CostEstimate(
        max(_LEAST_SECONDS, _SECONDS_PER_UNIT * effort), left, "a rough rule, to a factor of three"
    )
