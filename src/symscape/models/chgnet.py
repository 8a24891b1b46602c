"""Adapter for CHGNet (chgnet package)."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any, ClassVar

from symscape.crystal.structures import Structures
from symscape.models.base import Prediction
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
    # measured on one core with cells of 5 to 6 atoms: larger batches fall out of the caches
    default_batch_size: ClassVar[int] = 8

    def _load(self, weights: Path, device: str) -> None:
        import torch
        from chgnet.model import CHGNet

        # the package reports on itself with print
        with contextlib.redirect_stdout(io.StringIO()):
            if self.card.weights_file:
                model = CHGNet.load(
                    model_name=self.card.checkpoint, use_device=device, verbose=False
                )
            else:
                model = CHGNet.from_file(str(weights)).to(device)
        model.graph_converter.set_isolated_atom_response("ignore")
        self._torch = torch
        self._model = model.eval()
        self._device = device
        inputs = model.atom_embedding.embedding.num_embeddings
        self.elements = frozenset(range(1, inputs + 1))

    def _graphs(self, batch: Structures) -> list[Any]:
        from pymatgen.core import Lattice, Structure

        graphs = []
        for i in range(len(batch)):
            numbers, positions, cell = batch.arrays(i)
            lattice = Lattice(cell)
            structure = Structure(
                lattice, numbers.tolist(), positions, coords_are_cartesian=True, to_unit_cell=False
            )
            graphs.append(self._model.graph_converter(structure).to(self._device))
        return graphs

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        torch = self._torch
        wanted = forces or stresses
        with gradients(torch, wanted):
            out = self._model(self._graphs(batch), task="efs" if wanted else "e")
        energies = to_numpy(out["e"])
        if self._model.is_intensive:
            energies = energies * batch.n_atoms
        return Prediction(
            energies,
            to_numpy(torch.cat(out["f"])) if forces else None,
            to_numpy(torch.stack(out["s"])) * _EV_PER_ANGSTROM3_PER_GPA if stresses else None,
        )
