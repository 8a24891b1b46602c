"""Adapter for MACE (mace-torch package)."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.graphs.neighbors import find_bonds
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.mace_layers import lighten
from symscape.models.torchtools import default_dtype, gradients, importing_e3nn, to_numpy
from symscape.models.weights import reason_of


class MACEModel(FamilyModel):
    """MACE [1]_ on one graph for a whole batch; energies without a backward pass.

    The default dtype is that of the checkpoint. A model with several heads and no head called
    ``default`` needs the option ``head``.

    References
    ----------
    .. [1] I. Batatia et al., NeurIPS 2022, arXiv:2206.07697
    """

    package = "mace"
    distribution = "mace-torch"
    extra = "mace"
    implements = ALL_QUANTITIES
    loader_options = ("head",)
    dtypes = ("as stored", "float32", "float64")
    default_batch_size: ClassVar[int] = 16
    revision: ClassVar[int] = 3

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return the file in the package's download folder."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        # the package drops all punctuation but the underscore from the names of its downloads
        name = "".join(c for c in Path(card.weights_file).name if c.isalnum() or c == "_")
        return Path(cache) / "mace" / name

    def _fetch(self) -> None:
        try:
            with importing_e3nn():
                from mace.calculators.foundations_models import download_mace_mp_checkpoint
            with contextlib.redirect_stdout(io.StringIO()):
                download_mace_mp_checkpoint(self.card.checkpoint)
        except Exception as error:
            path = self.locate(self.card, self._package_folder())
            raise self._missing(path, reason_of(error)) from error

    def _load(self, weights: Path, device: str) -> None:
        import torch

        with importing_e3nn():
            # the classes that the file names, and e3nn with them: `import mace` alone has neither
            import mace.modules  # noqa: F401
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message=".*torch.load.*|.*TorchScript.*|.*torch.jit.*"
            )
            model = torch.load(weights, map_location=device, weights_only=False)
        if not hasattr(model, "r_max") or not hasattr(model, "atomic_numbers"):
            raise ModelError(
                f"{weights} holds a {type(model).__name__}, not a MACE model: give the .model file "
                "that training writes at its end, not a checkpoint of the training."
            )
        if hasattr(model, "joint_embedding"):
            raise ModelError(
                f"{weights} wants charges or spins besides atoms and cell: take {self.card.name} "
                "through its ASE calculator."
            )
        stored = str(next(model.parameters()).dtype).removeprefix("torch.")
        self._computed_in = stored if self.dtype == "as stored" else self.dtype
        self._model = model.to(device=device, dtype=getattr(torch, self._computed_in)).eval()
        self._model.requires_grad_(False)
        self._bonds_once = lighten(self._model)
        self._torch = torch
        self._device = device
        self._cutoff = float(model.r_max)
        numbers = [int(z) for z in model.atomic_numbers]
        self._species = np.full(max(numbers) + 1, -1)
        self._species[numbers] = np.arange(len(numbers))
        self._heads = list(getattr(model, "heads", None) or ["Default"])
        self._head = self._choose_head()
        self.elements = frozenset(numbers)

    def _choose_head(self) -> str:
        """Return the head that the card names, the only one, or the one called default."""
        wanted = self.card.options.get("head")
        if wanted is not None:
            if wanted not in self._heads:
                raise ModelError(
                    f"{self.card.name} has no head {wanted}: use one of {', '.join(self._heads)}."
                )
            return str(wanted)
        if len(self._heads) == 1:
            return self._heads[0]
        for head in self._heads:
            if head.lower() == "default":
                return head
        raise ModelError(
            f"{self.card.name} has several heads: choose one with the option head "
            f"({', '.join(self._heads)})."
        )

    def _graph(self, batch: Structures) -> dict[str, Any]:
        """Return one graph for the batch, with the keys of the package.

        Each bond is in it both ways, or once where that is enough.
        """
        torch, dtype = self._torch, getattr(self._torch, self._computed_in)

        def moved(values: np.ndarray, kind: Any = torch.int64) -> Any:
            return torch.as_tensor(np.ascontiguousarray(values), dtype=kind, device=self._device)

        bonds = find_bonds(batch, self._cutoff, self._device)
        ends, images = torch.stack([bonds.center, bonds.neighbor]), bonds.image
        cells = moved(batch.cells, torch.float64)
        across = torch.bmm(images[:, None], cells[bonds.owner]).squeeze(1)
        if not self._bonds_once:
            ends = torch.cat([ends, ends.flip(0)], dim=1)
            images, across = torch.cat([images, -images]), torch.cat([across, -across])
        species = moved(self._species[batch.numbers])
        return {
            "positions": moved(batch.positions, dtype),
            "node_attrs": torch.nn.functional.one_hot(species, len(self.elements)).to(dtype),
            "edge_index": ends,
            "shifts": across.to(dtype),
            "unit_shifts": images.to(dtype),
            "cell": cells.reshape(-1, 3).to(dtype),
            "batch": moved(np.repeat(np.arange(len(batch)), batch.n_atoms)),
            "ptr": moved(batch.offsets),
            "head": moved(np.full(len(batch), self._heads.index(self._head))),
        }

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        wanted = forces or stresses
        with default_dtype(self._torch, self._computed_in), gradients(self._torch, wanted):
            out = self._model(
                self._graph(batch), training=False, compute_force=wanted, compute_stress=stresses
            )
        return Prediction(
            to_numpy(out["energy"]),
            to_numpy(out["forces"]) if forces else None,
            to_numpy(out["stress"]).reshape(-1, 3, 3) if stresses else None,
        )
