"""Repulsive Gaussian pair potentials; a checkpoint is a JSON file of parameters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from ase.neighborlist import neighbor_list

from symscape.crystal.structures import Structures
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.family import FamilyModel


class GaussModel(FamilyModel):
    """Energy height * exp(-(r / width)^2 / 2) of every pair within ten widths."""

    package = "gauss_potential"
    distribution = "gauss-potential"
    dtypes = ("float64",)
    loader_options = ("scale",)
    implements = ALL_QUANTITIES

    def _load(self, weights: Path, device: str) -> None:
        parameters = json.loads(weights.read_text())
        self._height = parameters["height"] * float(str(self.card.options.get("scale", 1)))
        self._width = parameters["width"]
        self.elements = frozenset(range(1, 119))

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        energies, all_forces, all_stresses = [], [], []
        for atoms in batch:
            i, distance, vector = neighbor_list("idD", atoms, 10 * self._width)
            pair = self._height * np.exp(-0.5 * (distance / self._width) ** 2)
            pull = -(pair / self._width**2)[:, None] * vector
            per_atom = np.zeros((len(atoms), 3))
            np.add.at(per_atom, i, pull)
            energies.append(0.5 * pair.sum())
            all_forces.append(per_atom)
            all_stresses.append(0.5 * vector.T @ pull / atoms.get_volume())
        return Prediction(
            np.array(energies),
            np.concatenate(all_forces) if forces else None,
            np.array(all_stresses) if stresses else None,
        )
