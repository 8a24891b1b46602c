"""Adapter for CHGNet (chgnet package)."""

from __future__ import annotations

import contextlib
import copy
import io
from pathlib import Path
from typing import ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.graphs.responses import bond_vectors
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.chgnet_network import CHGNetNetwork, crystal_graphs
from symscape.models.family import FamilyModel
from symscape.models.torchtools import gradients, respond, to_numpy

#: angstrom within which CHGNet's published networks see bonds, and bonds that make angles
_BOND_REACH, _ANGLE_REACH = 6.0, 3.0
#: bonds and angles of an atom in a usual oxide
_ROWS_OF_AN_ATOM = 90


class CHGNetModel(FamilyModel):
    """CHGNet [1]_ on one graph for a whole batch; energies without a backward pass.

    The package computes in float32 only, and so does the network here; bonds, angles and the sum
    over atoms are float64. Its Fourier basis of bond angles is ill-conditioned at 180 degrees, so
    that forces of cells with straight bonds repeat to about 1e-5 eV/angstrom only.

    References
    ----------
    .. [1] B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3
    """

    package = "chgnet"
    distribution = "chgnet"
    extra = "chgnet"
    implements = ALL_QUANTITIES
    # measured on one core with oxides of 5 to 6 atoms: larger batches are no faster
    default_batch_size: ClassVar[int] = 8
    revision: ClassVar[int] = 3
    thread_safe: ClassVar[bool] = True

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
        self._torch = torch
        self._model = model.eval().requires_grad_(False)
        self._network = CHGNetNetwork(self._model)
        # several eV an atom, in which float32 would lose what the network resolves
        composition = copy.deepcopy(model.composition_model)
        self._composition = None if composition is None else composition.cpu().double()
        self._device = device
        inputs = model.atom_embedding.embedding.num_embeddings
        self.elements = frozenset(range(1, inputs + 1))

    def batch_weights(self, structures: Structures) -> np.ndarray:
        """Return what each structure counts in a batch: a share of bonds and angles, as of atoms.

        Time and memory go with them, and a layered crystal has a tenth of an oxide's. They are
        estimated from the density, as if atoms stood anywhere, which is within a factor of two.
        """
        atoms = structures.n_atoms
        with np.errstate(divide="ignore", invalid="ignore"):
            density = atoms / np.abs(np.linalg.det(structures.cells))
        bonds, short = (4 / 3 * np.pi * reach**3 * density for reach in (_BOND_REACH, _ANGLE_REACH))
        rows = atoms * (bonds + short**2) / 2
        # what is flat or not finite is the model's to refuse
        return np.where(np.isfinite(rows), rows / _ROWS_OF_AN_ATOM, atoms)

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        converter = self._model.graph_converter
        graphs = crystal_graphs(
            batch, converter.atom_graph_cutoff, converter.bond_graph_cutoff, self._device
        )
        vectors = bond_vectors(batch, graphs.bonds)
        wanted = forces or stresses
        with gradients(self._torch, wanted):
            vectors.requires_grad_(wanted)
            out = self._network.energies(graphs, vectors)
            slopes = self._torch.zeros_like(vectors)
            if wanted and len(graphs.bonds):
                (slopes,) = self._torch.autograd.grad(out.sum(), vectors)
        energies = to_numpy(out) + self._energies_of_elements(batch)
        return respond(batch, graphs.bonds, vectors.detach(), energies, slopes, forces, stresses)

    def _energies_of_elements(self, batch: Structures) -> np.ndarray:
        """Return the composition's part of the energies in eV, shape (n_structures,)."""
        composition, counts = self._composition, batch.n_atoms
        if composition is None:
            return np.zeros(len(batch))
        content = np.zeros((len(batch), composition.max_num_elements))
        np.add.at(content, (np.repeat(np.arange(len(batch)), counts), batch.numbers - 1), 1)
        if composition.is_intensive:
            content /= counts[:, None]
        found = to_numpy(composition._get_energy(self._torch.as_tensor(content)))
        return found * counts if self._model.is_intensive else found
