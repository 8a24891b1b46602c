"""Adapter for ORB, conservative and direct (orb-models package)."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.orb_graphs import graph_of_batch
from symscape.models.orb_layers import lighten
from symscape.models.torchtools import default_dtype, gradients, to_numpy
from symscape.models.weights import reason_of

_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


class ORBModel(FamilyModel):
    """ORB v2 [1]_ and v3 [2]_ on one graph for a batch; energies without backward pass.

    ORB stores weights without the network that they belong to, so that a checkpoint of one's own
    needs the option ``architecture``: the name of a published model of the same shape, such as
    ``orb-v3-conservative-inf-omat``. float32 is the package's ``float32-highest``: no rounding to
    TF32 on a GPU.

    References
    ----------
    .. [1] M. Neumann et al., arXiv:2410.22570 (2024)
    .. [2] B. Rhodes et al., arXiv:2504.06231 (2025)
    """

    package = "orb_models"
    distribution = "orb-models"
    extra = "orb"
    implements = ALL_QUANTITIES
    loader_options = ("architecture",)
    dtypes = ("float32", "float64")
    default_batch_size: ClassVar[int] = 8
    revision: ClassVar[int] = 3

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return the newest download of the weights' address in the folder of ``cached_path``."""
        root = os.environ.get("CACHED_PATH_CACHE_ROOT") or Path.home() / ".cache" / "cached_path"
        stem = hashlib.sha256(card.weights_file.encode()).hexdigest()
        found = [
            path for path in Path(root).glob(f"{stem}*") if path.suffix not in (".json", ".lock")
        ]
        return max(found, key=lambda p: p.stat().st_mtime) if found else Path(root) / stem

    def wanted(self) -> str:
        """Name the address of the weights."""
        return self.card.weights_file

    def _fetch(self) -> None:
        try:
            from cached_path import cached_path

            cached_path(self.card.weights_file)
        except Exception as error:
            path = self.locate(self.card, self._package_folder())
            raise self._missing(path, reason_of(error)) from error

    def _load(self, weights: Path, device: str) -> None:
        import torch
        from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS

        name = str(self.card.options.get("architecture") or self.card.checkpoint)
        if name not in ORB_PRETRAINED_MODELS:
            raise ModelError(
                f"ORB weights don't say which network they belong to: give {self.card.name} the "
                f"option architecture, one of {', '.join(ORB_PRETRAINED_MODELS)}."
            )
        precision = {"float32": "float32-highest", "float64": "float64"}[self.dtype]
        # constants that are not among the weights are made in the default type
        with _settings_put_back(torch), default_dtype(torch, "float32"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning)
            model = ORB_PRETRAINED_MODELS[name](
                weights_path=str(weights), device=device, precision=precision, compile=False
            )
        if model.model.conditioner is not None:
            raise ModelError(f"{name} is for charged molecules and can't be asked about crystals.")
        self._torch = torch
        self._model = model.eval().requires_grad_(False)
        lighten(self._model.model)
        self._device = device
        # the embedding has a row for every element; the card says which were trained
        self.elements = frozenset(range(1, 119))

    def _graphs(self, batch: Structures) -> Any:
        """Return one graph for the batch; the package makes it where it drops neighbours."""
        from orb_models.forcefield.atomic_system import ase_atoms_to_atom_graphs
        from orb_models.forcefield.base import batch_graphs

        config = self._model.system_config
        dtype = getattr(self._torch, self.dtype)
        made = graph_of_batch(batch, config.radius, config.max_num_neighbors, dtype, self._device)
        if made is not None:
            return made
        device = self._torch.device(self._device)
        return batch_graphs(
            [ase_atoms_to_atom_graphs(atoms, config, device=device) for atoms in batch]
        )

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        model = self._model
        conservative = hasattr(model, "grad_forces_name")
        wanted = forces or stresses
        with (
            default_dtype(self._torch, self.dtype),
            gradients(self._torch, wanted and conservative),
        ):
            graphs = self._graphs(batch)
            if not wanted:
                return Prediction(to_numpy(self._energies(graphs)).reshape(len(batch)))
            out = model.predict(graphs)
        names = (
            (model.grad_forces_name, model.grad_stress_name)
            if conservative
            else (
                "forces",
                "stress",
            )
        )
        return Prediction(
            to_numpy(out["energy"]).reshape(len(batch)),
            to_numpy(out[names[0]]).reshape(-1, 3) if forces else None,
            to_numpy(out[names[1]]).reshape(-1, 6)[:, _VOIGT] if stresses else None,
        )

    def _energies(self, graphs: Any) -> Any:
        """Do what the model's ``predict`` does, and stop at the energy."""
        model = self._model
        head = model.heads["energy"]
        energies = head.predict(model.model(graphs)["node_features"], graphs)
        if model.pair_repulsion:
            energies = energies + model.pair_repulsion_fn(graphs)["energy"]
        return energies


@contextmanager
def _settings_put_back(torch: Any) -> Iterator[None]:
    """Undo what loading sets for the whole process: default type and matmul precision."""
    dtype, precision = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_float32_matmul_precision(precision)
