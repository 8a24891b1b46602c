"""Adapter for matgl potentials: M3GNet, TensorNet, CHGNet, QET (matgl package, version 4)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.torchtools import default_dtype, to_numpy
from symscape.models.weights import first_line

_EV_PER_ANGSTROM3_PER_GPA = 1 / 160.21766208


class MatGLModel(FamilyModel):
    """A potential of matgl [1]_ with its own graphs and batches; energies without backward pass.

    A checkpoint is the folder that ``Potential.save`` writes.

    References
    ----------
    .. [1] T. W. Ko et al., npj Comput. Mater. 11, 253 (2025), doi:10.1038/s41524-025-01742-y
    """

    package = "matgl"
    distribution = "matgl"
    extra = "matgl"
    implements = ALL_QUANTITIES
    dtypes = ("float32", "float64")
    saves_folders = True
    default_batch_size: ClassVar[int] = 16

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return the newest snapshot in the package's copy of the Hugging Face Hub."""
        repository = Path(card.weights_file).expanduser()
        try:
            revision = (repository / "refs" / "main").read_text().strip()
        except OSError:
            return repository
        return repository / "snapshots" / revision

    def wanted(self) -> str:
        """Name the repository that holds the model's three files."""
        owner_and_name = Path(self.card.weights_file).name.removeprefix("models--")
        return f"model.json, model.pt and state.pt of {owner_and_name.replace('--', '/')}"

    def _fetch(self) -> None:
        try:
            import matgl

            matgl.load_model(self.card.checkpoint)
        except Exception as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            path = self.locate(self.card, self._package_folder())
            raise self._missing(path, first_line(cause)) from error

    def _load(self, weights: Path, device: str) -> None:
        import torch

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning)
            import matgl
            from matgl.apps.pes import Potential
            from matgl.ext.ase import Atoms2Graph

            potential = matgl.load_model(weights)
        if not isinstance(potential, Potential):
            raise ModelError(
                f"{weights} holds a {type(potential).__name__}, which predicts a property, not a "
                "potential: give the folder of a matgl Potential."
            )
        potential = potential.to(device).eval().requires_grad_(False)
        self._potential = potential.to(getattr(torch, self.dtype))
        self._potential.calc_hessian = False
        self._graph_of = Atoms2Graph(potential.model.element_types, potential.model.cutoff)
        self._torch = torch
        self._device = device
        self.elements = _numbers(potential.model.element_types)

    def _graphs(self, batch: Structures) -> tuple[Any, Any, Any]:
        from torch_geometric.data import Batch

        torch = self._torch
        dtype = getattr(torch, self.dtype)
        graphs, states = [], []
        for atoms in batch:
            graph, _, state = self._graph_of.get_graph(atoms)
            # the converter rounds to float32 whatever the model computes in
            graph.frac_coords = torch.as_tensor(atoms.get_scaled_positions(wrap=False), dtype=dtype)
            graphs.append(graph)
            states.append(state)
        lattices = torch.as_tensor(batch.cells, dtype=dtype, device=self._device)
        state = torch.as_tensor(np.array(states), dtype=dtype, device=self._device)
        return Batch.from_data_list(graphs).to(self._device), lattices, state

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        torch, potential = self._torch, self._potential
        wanted = forces or stresses
        potential.calc_forces = potential.calc_stresses = wanted
        with default_dtype(torch, self.dtype):
            graphs, lattices, state = self._graphs(batch)
            extra = {}
            if potential.calc_charge:
                extra["total_charge"] = torch.zeros(len(batch), device=self._device)
            with torch.enable_grad() if wanted else torch.no_grad():
                out = potential(graphs, lattices, state, **extra)
        return Prediction(
            to_numpy(out[0]).reshape(len(batch)),
            to_numpy(out[1]) if forces else None,
            to_numpy(out[2]).reshape(-1, 3, 3) * _EV_PER_ANGSTROM3_PER_GPA if stresses else None,
        )


def _numbers(symbols: tuple[str, ...]) -> frozenset[int]:
    from ase.data import atomic_numbers

    return frozenset(atomic_numbers[symbol] for symbol in symbols)
