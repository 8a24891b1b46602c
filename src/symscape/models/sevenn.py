"""Adapter for SevenNet (sevenn package)."""

from __future__ import annotations

import copy
import warnings
from collections import OrderedDict
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
from symscape.models.torchtools import gradients, importing_e3nn, respond, to_numpy
from symscape.models.weights import reason_of

# of the package's weights, both inside it and in the cache
_FOLDER = "pretrained_potentials"


class SevenNetModel(FamilyModel):
    """SevenNet [1]_ on one graph for a whole batch; energies without a backward pass.

    The package computes in float32 only. A model trained on several levels of theory needs the
    option ``modality`` (``modal`` in the package).

    References
    ----------
    .. [1] Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024), doi:10.1021/acs.jctc.4c00190
    """

    package = "sevenn"
    distribution = "sevenn"
    extra = "sevenn"
    implements = ALL_QUANTITIES
    loader_options = ("modality",)
    # measured on one core with cells of 5 to 6 atoms: larger batches fall out of the caches
    default_batch_size: ClassVar[int] = 4
    revision: ClassVar[int] = 2
    thread_safe: ClassVar[bool] = True

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return the file in the package, or in the user's cache where the package puts it too."""
        inside = folder / card.weights_file
        cached = Path.home() / ".cache" / "sevennet" / Path(card.weights_file).relative_to(_FOLDER)
        return cached if cached.exists() and not inside.exists() else inside

    def _fetch(self) -> None:
        try:
            with importing_e3nn():
                from sevenn.util import pretrained_name_to_path
            pretrained_name_to_path(self.card.checkpoint)
        except (ValueError, FileNotFoundError):
            # this version does not know the name
            super()._fetch()
        except Exception as error:
            path = self.locate(self.card, self._package_folder())
            raise self._missing(path, reason_of(error)) from error

    def _load(self, weights: Path, device: str) -> None:
        import torch

        with importing_e3nn():
            import sevenn._keys as keys
            from sevenn.util import model_from_checkpoint
        with warnings.catch_warnings():
            # older checkpoints lack keys that get defaults, which is no user's business
            warnings.filterwarnings("ignore", message=".*not in config, using default.*")
            warnings.filterwarnings("ignore", message=".*TorchScript.*|.*torch.jit.*")
            model, config = model_from_checkpoint(str(weights))
        model.set_is_batch_data(True)
        self._torch = torch
        self._keys = keys
        self._device = device
        self._modality = self._check_modality(model, config)
        model = model.to(device).eval().requires_grad_(False)
        self._dtype = next(model.parameters()).dtype
        self._network = _network(model)
        self._cutoff = float(config[keys.CUTOFF])
        self.elements = frozenset(int(z) for z in config[keys.TYPE_MAP])

    def _check_modality(self, model: Any, config: dict[str, Any]) -> str | None:
        """Return the modality that the card asks for, after a look at those of the model."""
        known = list(getattr(model, "modal_map", None) or config.get("_modal_map") or [])
        wanted = self.card.options.get("modality")
        if wanted is None and known:
            raise ModelError(
                f"{self.card.name} was trained on several levels of theory: choose one with the "
                f"option modality ({', '.join(map(str, known))})."
            )
        if wanted is not None and wanted not in known:
            raise ModelError(
                f"{self.card.name} has no modality {wanted}: "
                + (f"use one of {', '.join(map(str, known))}." if known else "leave it out.")
            )
        return None if wanted is None else str(wanted)

    def _graph(self, batch: Structures, bonds: Bonds, vectors: Any) -> Any:
        """Return one graph for the batch, with the keys of the package: each bond both ways."""
        from sevenn.atom_graph_data import AtomGraphData

        torch, keys = self._torch, self._keys

        def moved(values: np.ndarray) -> Any:
            return torch.as_tensor(values.astype(np.int64), device=self._device)

        numbers = moved(batch.numbers)
        ends = torch.stack([bonds.center, bonds.neighbor])
        graph = AtomGraphData(x=numbers, edge_index=torch.cat([ends, ends.flip(0)], dim=1))
        graph[keys.ATOMIC_NUMBERS] = numbers
        graph[keys.EDGE_VEC] = torch.cat([vectors, -vectors]).to(self._dtype)
        graph[keys.NUM_ATOMS] = moved(batch.n_atoms)
        graph[keys.BATCH] = moved(np.repeat(np.arange(len(batch)), batch.n_atoms))
        if self._modality is not None:
            graph[keys.DATA_MODALITY] = [self._modality] * len(batch)
        return graph

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        torch = self._torch
        bonds = find_bonds(batch, self._cutoff, self._device)
        vectors = bond_vectors(batch, bonds)
        wanted = forces or stresses
        with gradients(torch, wanted):
            vectors.requires_grad_(wanted)
            out = self._network(self._graph(batch, bonds, vectors))[self._keys.PRED_TOTAL_ENERGY]
            slopes = torch.zeros_like(vectors)
            if wanted and len(bonds):
                (slopes,) = torch.autograd.grad(out.sum(), vectors)
        return respond(batch, bonds, vectors.detach(), to_numpy(out), slopes, forces, stresses)


def _network(model: Any) -> Any:
    """Return the same network, weights shared, that ends at the energy and multiplies faster."""
    from e3nn.o3 import TensorProduct

    network = copy.copy(model)
    network._modules = OrderedDict()
    for name, module in model._modules.items():
        if name == "force_output":
            continue
        product = getattr(module, "convolution", None)
        if isinstance(product, TensorProduct) and can_replace(product):
            weight = next(module.parameters())
            module = copy.copy(module)
            module._modules = {k: m for k, m in module._modules.items() if k != "convolution"}
            # past torch, which takes nothing but modules under the name of a module
            vars(module)["convolution"] = EdgeProduct(product, weight.device, weight.dtype)
        network._modules[name] = module
    # the adapter asks for the gradient itself
    network.key_grad = None
    return network
