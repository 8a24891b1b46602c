"""Models that take a batch as a whole, so that one structure can spoil its neighbours."""

from __future__ import annotations

import time

import numpy as np

from symscape.models.base import ALL_QUANTITIES, EnergyModel, Prediction
from symscape.models.card import ModelCard


def true_energies(structures):
    """Return what `Whole` says of structures on their own, eV."""
    return np.array([atoms.positions.sum() + atoms.numbers.sum() for atoms in structures])


class Whole(EnergyModel):
    """Knows structures by their volume; at some it hangs, or a NaN spreads through its network."""

    implements = ALL_QUANTITIES
    fingerprint = "whole"

    def __init__(self, hangs=(), nan=(), batch_size=None, spread=np.nan):
        super().__init__(ModelCard("whole", "test"), "cpu", batch_size)
        self.hangs, self.nan, self.spread = tuple(hangs), tuple(nan), spread
        self.calls = []

    def unloaded(self):
        return Whole(self.hangs, self.nan, self.wanted_batch_size, self.spread)

    def _predict_batch(self, batch, forces, stresses):
        self.calls.append(len(batch))
        volumes = np.round(np.abs(np.linalg.det(batch.cells)), 6)
        if np.isin(volumes, self.hangs).any():
            time.sleep(600)
        bad = np.isin(volumes, self.nan)
        energies = true_energies(batch)
        if bad.any():
            # as a mean over the batch would: to all of them
            energies = np.where(bad, np.nan, energies + self.spread)
        return Prediction(
            energies,
            2.0 * batch.positions if forces else None,
            3.0 * batch.cells if stresses else None,
        )


def volumes(structures):
    """Return what `Whole` knows structures by."""
    return [round(float(abs(np.linalg.det(cell))), 6) for cell in structures.cells]
