"""What a contract needs of a potential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import EnergyModel, Prediction, Quantity
from symscape.models.evaluate import evaluate

if TYPE_CHECKING:
    from symscape.models.cache import EnergyCache


class Potential(Protocol):
    """Anything that gives energies, forces and stress: an `EnergyModel` is one."""

    @property
    def implements(self) -> frozenset[Quantity]:
        """What it gives, of ``energy``, ``forces`` and ``stress``."""

    def predict(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Return energies in eV and, where asked for, forces and stresses."""

    def energies(self, structures: Structures) -> np.ndarray:
        """Return total energies in eV, shape (n_structures,)."""


class CachedPotential:
    """A model whose answers are kept between runs.

    Parameters
    ----------
    model
        The potential.
    cache
        Where its answers are kept, if anywhere.
    """

    def __init__(self, model: EnergyModel, cache: EnergyCache | None = None):
        self.model = model
        self.cache = cache

    @property
    def implements(self) -> frozenset[Quantity]:
        """What the model gives."""
        return self.model.implements

    def predict(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Return energies in eV and, where asked for, forces and stresses.

        Raises
        ------
        ModelError
            If the model does not have what is asked for, or fails at a structure.
        """
        answer = evaluate(
            self.model, structures, forces=forces, stresses=stresses, cache=self.cache
        )
        if answer.failures:
            raise ModelError(
                f"{self.model.card.name} gave no answer for {len(answer.failures)} of the "
                "structures that its symmetry contracts need "
                f"({answer.failures[min(answer.failures)]})."
            )
        return Prediction(answer.energies, answer.forces, answer.stresses)

    def energies(self, structures: Structures) -> np.ndarray:
        """Return total energies in eV, shape (n_structures,)."""
        return self.predict(structures).energies
