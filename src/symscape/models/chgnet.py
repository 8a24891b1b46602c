"""Adapter for CHGNet (chgnet package)."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.chgnet_graphs import bond_indices, neighbor_list
from symscape.models.family import FamilyModel
from symscape.models.torchtools import gradients, to_numpy

# chgnet's own factor between its GPa and eV/angstrom^3 (ase.units.GPa)
_EV_PER_ANGSTROM3_PER_GPA = 1 / 160.21766208


class CHGNetModel(FamilyModel):
    """CHGNet [1]_ with its own crystal graphs; energies without a backward pass.

    The package computes in float32 only. Its Fourier basis of bond angles is ill-conditioned at
    180 degrees, so that forces of cells with straight bonds repeat to about 1e-5 eV/angstrom only.

    References
    ----------
    .. [1] B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3
    """

    package = "chgnet"
    distribution = "chgnet"
    extra = "chgnet"
    implements = ALL_QUANTITIES
    # measured on one core with cells of 5 to 6 atoms: larger batches fall out of the caches
    default_batch_size: ClassVar[int] = 8
    revision: ClassVar[int] = 2

    def _load(self, weights: Path, device: str) -> None:
        import torch
        from chgnet.graph import CrystalGraph
        from chgnet.model import CHGNet

        # the package reports on itself with print
        with contextlib.redirect_stdout(io.StringIO()):
            if self.card.weights_file:
                model = CHGNet.load(
                    model_name=self.card.checkpoint, use_device=device, verbose=False
                )
            else:
                model = CHGNet.from_file(str(weights)).to(device)
        self._torch = torch
        self._graph_class = CrystalGraph
        self._model = model.eval()
        self._device = device
        inputs = model.atom_embedding.embedding.num_embeddings
        self.elements = frozenset(range(1, inputs + 1))

    def _graph(self, numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray) -> Any:
        """Return the graph that the model's own converter makes, up to the order of bonds."""
        torch, converter = self._torch, self._model.graph_converter
        edges = neighbor_list(positions, cell, converter.atom_graph_cutoff)
        center, neighbor, image, _ = edges
        indices = bond_indices(*edges, angle_cutoff=converter.bond_graph_cutoff)

        def real(values: np.ndarray) -> Any:
            return torch.as_tensor(values, dtype=torch.float32, device=self._device)

        def whole(values: np.ndarray) -> Any:
            return torch.as_tensor(values, dtype=torch.int32, device=self._device)

        return self._graph_class(
            atomic_number=whole(numbers),
            # leaves of the backward pass
            atom_frac_coord=real(positions @ np.linalg.inv(cell)).requires_grad_(True),
            lattice=real(cell).requires_grad_(True),
            atom_graph=whole(np.column_stack([center, neighbor])),
            neighbor_image=real(image),
            directed2undirected=whole(indices.directed2undirected),
            undirected2directed=whole(indices.undirected2directed),
            bond_graph=whole(indices.angles),
            atom_graph_cutoff=converter.atom_graph_cutoff,
            bond_graph_cutoff=converter.bond_graph_cutoff,
        )

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        wanted = forces or stresses
        graphs = [self._graph(*batch.arrays(i)) for i in range(len(batch))]
        # the network leaves out the layers that update bonds where a whole batch has no angle;
        # beside crystals with angles, one without would get their bias (155 meV/atom with 0.2.0)
        angles = np.array([len(graph.bond_graph) > 0 for graph in graphs])
        energies = np.empty(len(batch))
        found: dict[int, tuple[Any, Any]] = {}
        for part in (np.flatnonzero(angles), np.flatnonzero(~angles)):
            if not len(part):
                continue
            with gradients(self._torch, wanted):
                out = self._model([graphs[i] for i in part], task="efs" if wanted else "e")
            energies[part] = to_numpy(out["e"])
            if wanted:
                found |= dict(zip(part, zip(out["f"], out["s"], strict=True), strict=True))
        if self._model.is_intensive:
            energies = energies * batch.n_atoms
        ordered = [found[i] for i in range(len(batch))] if wanted else []
        return Prediction(
            energies,
            np.concatenate([to_numpy(f) for f, _ in ordered]) if forces else None,
            np.stack([to_numpy(s) for _, s in ordered]) * _EV_PER_ANGSTROM3_PER_GPA
            if stresses
            else None,
        )
