"""Adapter for DIEP (diep package, version 2)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import ClassVar

from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.matgl import MatGLModel, numbers_of
from symscape.models.matgl_graphs import join_pyg


class DIEPModel(MatGLModel):
    """DIEP [1]_: a network of matgl's lineage in a package of its own, weights inside.

    A checkpoint is the folder that ``Potential.save`` writes. Computes in float32 only.

    References
    ----------
    .. [1] S. A. Tawfik et al., Digital Discovery 3, 2618 (2024), doi:10.1039/D4DD00246F
    """

    package = "diep"
    distribution = "diep"
    extra = "diep"
    dtypes: ClassVar[tuple[str, ...]] = ("float32",)
    default_batch_size: ClassVar[int] = 8
    revision: ClassVar[int] = 1

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return the folder in the package."""
        return folder / card.weights_file

    def _fetch(self) -> None:
        FamilyModel._fetch(self)

    def _load(self, weights: Path, device: str) -> None:
        import torch

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning)
            from diep.ext.ase import Atoms2Graph
            from diep.pretrained import load_potential

            potential = load_potential(weights, device=device)
        self._potential = potential.requires_grad_(False)
        self._graph_of = Atoms2Graph(potential.model.element_types, potential.model.cutoff)
        self._join = join_pyg
        self._torch = torch
        self._device = device
        self.elements = numbers_of(potential.model.element_types)
