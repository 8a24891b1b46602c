"""What a contract needs of a potential."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from symscape.crystal.structures import Structures
from symscape.models.base import Prediction, Quantity


class Potential(Protocol):
    """Anything that gives energies, forces and stress: `EnergyModel` and `Evaluator` do."""

    @property
    def implements(self) -> frozenset[Quantity]:
        """What it gives, of ``energy``, ``forces`` and ``stress``."""

    def predict(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Return energies in eV and, where asked for, forces and stresses."""

    def energies(self, structures: Structures) -> np.ndarray:
        """Return total energies in eV, shape (n_structures,)."""
