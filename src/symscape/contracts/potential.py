"""What a contract needs of a potential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import EnergyModel, Prediction
from symscape.models.evaluate import evaluate

if TYPE_CHECKING:
    from symscape.models.cache import EnergyCache


class Potential(Protocol):
    """Anything that gives energies, forces and stress: an `EnergyModel` is one."""

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

    def predict(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Return energies in eV and, where asked for, forces and stresses.

        Raises
        ------
        NotImplementedError
            If the model has no forces or no stress.
        ModelError
            If it fails at a structure for another reason.
        """
        answer = evaluate(
            self.model, structures, forces=forces, stresses=stresses, cache=self.cache
        )
        if answer.failures:
            first = min(answer.failures)
            try:
                self.model.predict_batch(structures[[first]], forces=forces, stresses=stresses)
            except NotImplementedError:
                raise
            except Exception as error:
                raise _failure(self.model, len(answer.failures), answer.failures[first]) from error
            raise _failure(self.model, len(answer.failures), answer.failures[first])
        return Prediction(answer.energies, answer.forces, answer.stresses)

    def energies(self, structures: Structures) -> np.ndarray:
        """Return total energies in eV, shape (n_structures,)."""
        return self.predict(structures).energies


def _failure(model: EnergyModel, count: int, reason: str) -> ModelError:
    return ModelError(
        f"{model.card.name} gave no answer for {count} of the structures that its symmetry "
        f"contracts need ({reason})."
    )
