"""How many structures go into one call of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache

#: atoms in a cell for which the adapters' default batch sizes were measured
_USUAL_CELL = 6


class BatchSizer(Protocol):
    """Says how many structures go together, and learns from how that went."""

    def take(self, n_atoms: np.ndarray) -> int:
        """Return how many of the next structures, with so many atoms each, make a batch."""

    def note(self, n_atoms: int, n_structures: int, seconds: float) -> None:
        """Learn how long a batch took."""

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Learn that a batch did not fit into memory."""


class FixedCount:
    """Always the number of structures that the user asked for, less only if memory runs out."""

    def __init__(self, count: int):
        self.count = count

    def take(self, n_atoms: np.ndarray) -> int:
        """Return the number, at most what is left."""
        return min(self.count, len(n_atoms))

    def note(self, n_atoms: int, n_structures: int, seconds: float) -> None:
        """Learn nothing."""

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Halve the number."""
        self.count = max(1, n_structures // 2)


class AtomBudget:
    """As many structures as have together no more than a number of atoms, one at least."""

    def __init__(self, budget: int):
        self.budget = budget

    def take(self, n_atoms: np.ndarray) -> int:
        """Return how many fit."""
        return max(1, int(np.searchsorted(np.cumsum(n_atoms), self.budget, side="right")))

    def note(self, n_atoms: int, n_structures: int, seconds: float) -> None:
        """Learn nothing."""

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Halve the budget."""
        self.budget = max(1, n_atoms // 2)


def sizer_for(model: EnergyModel, cache: EnergyCache | None) -> BatchSizer:
    """Return the sizer of a model, the same one for as long as the model lives."""
    if model.sizer is None:
        if model.explicit_batch_size:
            model.sizer = FixedCount(model.batch_size)
        else:
            model.sizer = AtomBudget(model.batch_size * _USUAL_CELL)
    return model.sizer
