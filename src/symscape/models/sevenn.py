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
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.torchtools import gradients, importing_e3nn, to_numpy
from symscape.models.weights import first_line

# of the package's weights, both inside it and in the cache
_FOLDER = "pretrained_potentials"
# sevenn orders stress components xx, yy, zz, xy, yz, zx and counts compression as positive
_VOIGT = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]])


class SevenNetModel(FamilyModel):
    """SevenNet [1]_ with its own graphs; energies with the force output taken out.

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
            raise self._missing(path, first_line(error)) from error

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
        self._with_forces = model.to(device).eval().requires_grad_(False)
        self._energy_only = _without_forces(self._with_forces)
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

    def _graphs(self, batch: Structures) -> Any:
        from sevenn.atom_graph_data import AtomGraphData
        from sevenn.train.dataload import unlabeled_atoms_to_graph
        from torch_geometric.data import Batch

        graphs = []
        for atoms in batch:
            data = unlabeled_atoms_to_graph(atoms, self._cutoff)
            data.pop(self._keys.INFO, None)
            graph = AtomGraphData.from_numpy_dict(data)
            if self._modality is not None:
                graph[self._keys.DATA_MODALITY] = self._modality
            graphs.append(graph)
        return Batch.from_data_list(graphs).to(self._device)

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        torch, keys = self._torch, self._keys
        wanted = forces or stresses
        with gradients(torch, wanted):
            model = self._with_forces if wanted else self._energy_only
            out = model(self._graphs(batch))
        return Prediction(
            to_numpy(out[keys.PRED_TOTAL_ENERGY]).reshape(len(batch)),
            to_numpy(out[keys.PRED_FORCE]).reshape(-1, 3) if forces else None,
            -to_numpy(out[keys.PRED_STRESS]).reshape(-1, 6)[:, _VOIGT] if stresses else None,
        )


def _without_forces(model: Any) -> Any:
    """Return the same network, weights shared, that ends at the energy and needs no gradient."""
    energy_only = copy.copy(model)
    energy_only._modules = OrderedDict(
        (name, module) for name, module in model._modules.items() if name != "force_output"
    )
    energy_only.key_grad = None
    return energy_only
