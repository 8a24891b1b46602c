"""Adapter for Nequix (nequix package)."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.graphs.neighbors import Bonds, find_bonds
from symscape.graphs.responses import bond_vectors
from symscape.graphs.tensor_product import EdgeProduct, can_replace
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.torchtools import default_dtype, gradients, respond, to_numpy
from symscape.models.weights import reason_of


class NequixModel(FamilyModel):
    """Nequix [1]_ [2]_ in torch, on one graph for a whole batch; energies without a backward pass.

    Checkpoints are the package's ``.nqx`` files. JAX reads them, and the package turns them into
    its torch network: unlike JAX, torch compiles nothing anew for batches of another size.

    References
    ----------
    .. [1] T. Koker, M. Kotak, T. Smidt, arXiv:2508.16067 (2025)
    .. [2] T. Koker et al., arXiv:2601.07742 (2026)
    """

    package = "nequix"
    distribution = "nequix"
    extra = "nequix"
    implements = ALL_QUANTITIES
    dtypes = ("float32", "float64")
    default_batch_size: ClassVar[int] = 8

    @classmethod
    def _install_command(cls) -> str:
        # the package itself asks for JAX with gigabytes of CUDA
        return f"{super()._install_command()}, then pip install --no-deps nequix"

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return the file in the package's download folder."""
        return Path(card.weights_file).expanduser()

    def _fetch(self) -> None:
        try:
            from nequix.calculator import from_pretrained

            from_pretrained(self.card.checkpoint, backend="jax", use_kernel=False)
        except Exception as error:
            path = self.locate(self.card, self._package_folder())
            raise self._missing(path, reason_of(error)) from error

    def _load(self, weights: Path, device: str) -> None:
        import torch
        from nequix.model import load_model
        from nequix.torch_impl.utils import convert_model_jax_to_torch

        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            stored, config = load_model(str(weights), False)
            if config["index_weights"]:
                raise ModelError(
                    f"{weights} has weights of its own for each element, which the torch network "
                    f"of nequix does not: take {self.card.name} through its ASE calculator."
                )
            model, _ = convert_model_jax_to_torch(stored, config, False)
        self._torch = torch
        self._device = device
        self._model = model.to(device, getattr(torch, self.dtype)).eval().requires_grad_(False)
        for layer in self._model.layers:
            if can_replace(layer.tp):
                product = EdgeProduct(layer.tp, torch.device(device), getattr(torch, self.dtype))
                del layer.tp
                # past torch, which takes nothing but modules under the name of a module
                vars(layer)["tp"] = product
        # several eV an atom, in which float32 would lose what the network resolves
        self._atom_energies = np.array(
            [config["atom_energies"][str(z)] for z in config["atomic_numbers"]]
        )
        self._model.atom_energies.zero_()
        self._cutoff = float(config["cutoff"])
        self._species = np.full(int(max(config["atomic_numbers"])) + 1, -1)
        self._species[config["atomic_numbers"]] = np.arange(len(config["atomic_numbers"]))
        self.elements = frozenset(int(z) for z in config["atomic_numbers"])

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        torch = self._torch
        bonds = find_bonds(batch, self._cutoff, self._device)
        vectors = bond_vectors(batch, bonds)
        species = self._species[batch.numbers]
        wanted = forces or stresses
        with default_dtype(torch, self.dtype), gradients(torch, wanted):
            vectors.requires_grad_(wanted)
            out = self._energies_of_sites(species, bonds, vectors)
            slopes = torch.zeros_like(vectors)
            if wanted and len(bonds):
                (slopes,) = torch.autograd.grad(out.sum(), vectors)
        sites = to_numpy(out) + self._atom_energies[species]
        energies = np.add.reduceat(sites, batch.offsets[:-1])
        return respond(batch, bonds, vectors.detach(), energies, slopes, forces, stresses)

    def _energies_of_sites(self, species: np.ndarray, bonds: Bonds, vectors: Any) -> Any:
        """Return what the network says of each atom in eV, shape (n_atoms,)."""
        torch = self._torch
        both = torch.cat([vectors, -vectors]).to(getattr(torch, self.dtype))
        senders = torch.cat([bonds.neighbor, bonds.center])
        receivers = torch.cat([bonds.center, bonds.neighbor])
        kinds = torch.as_tensor(species, device=self._device)
        return self._model.node_energies(both, kinds, senders, receivers)[:, 0]
