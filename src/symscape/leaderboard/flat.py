"""A potential that answers the same energy to every structure."""

from __future__ import annotations

import numpy as np

from symscape.crystal.structures import Structures
from symscape.models.base import ALL_QUANTITIES, Prediction


class FlatPotential:
    """Zero energy, forces and stress: what a model that knows nothing of crystals would answer."""

    implements = ALL_QUANTITIES

    def predict(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Return zeros."""
        return Prediction(
            self.energies(structures),
            np.zeros((len(structures.numbers), 3)) if forces else None,
            np.zeros((len(structures), 3, 3)) if stresses else None,
        )

    def energies(self, structures: Structures) -> np.ndarray:
        """Return zeros, shape (n_structures,)."""
        return np.zeros(len(structures))
