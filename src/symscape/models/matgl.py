"""Adapter for matgl potentials: M3GNet, TensorNet, CHGNet, QET (matgl of versions 2 and 4)."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import ALL_QUANTITIES, Prediction
from symscape.models.card import ModelCard
from symscape.models.family import FamilyModel
from symscape.models.matgl_graphs import graph_of_batch, join_dgl, join_pyg
from symscape.models.matgl_layers import lighten
from symscape.models.torchtools import default_dtype, to_numpy
from symscape.models.weights import distribution_version, reason_of

_EV_PER_ANGSTROM3_PER_GPA = 1 / 160.21766208


class MatGLModel(FamilyModel):
    """A potential of matgl [1]_ on one graph for a batch; energies without backward pass.

    A checkpoint is the folder that ``Potential.save`` writes. Networks of version 1 and 2 of the
    package are others than those of version 4, which loads their files all the same and is wrong
    by up to electronvolts: `check_format` tells them apart.

    References
    ----------
    .. [1] T. W. Ko et al., npj Comput. Mater. 11, 253 (2025), doi:10.1038/s41524-025-01742-y
    """

    package = "matgl"
    distribution = "matgl"
    extra = "matgl"
    implements = ALL_QUANTITIES
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")
    saves_folders = True
    state_file = "state.pt"
    default_batch_size: ClassVar[int] = 16
    revision: ClassVar[int] = 3
    #: M3GNet of matgl 1 and 2 takes the place of a bond among the short ones for its place among
    #: all, so that in a batch, bonds of other structures come in: by 0.02 meV/atom for rattled SiC
    _alone = False

    @classmethod
    def locate(cls, card: ModelCard, folder: Path) -> Path:
        """Return the newest snapshot in the package's copy of the Hugging Face Hub."""
        repository = Path(card.weights_file).expanduser()
        try:
            revision = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
        except OSError:
            return repository
        return repository / "snapshots" / revision

    def wanted(self) -> str:
        """Name the repository that holds the model's three files."""
        # of matgl 2, a folder of the package's repository; else one of the Hugging Face Hub
        owner_and_name = Path(self.card.weights_file).name.removeprefix("models--")
        return f"model.json, model.pt and state.pt of {owner_and_name.replace('--', '/')}"

    def _fetch(self) -> None:
        try:
            import matgl

            # the package prints a traceback beside what it raises
            with contextlib.redirect_stderr(io.StringIO()):
                matgl.load_model(self.card.checkpoint)
        except Exception as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            path = self.locate(self.card, self._package_folder())
            raise self._missing(path, reason_of(cause)) from error

    def _load(self, weights: Path, device: str) -> None:
        import torch

        backend = check_format(weights, distribution_version(self.distribution))
        _choose_backend(backend)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning)
            import matgl
            from matgl.apps.pes import Potential

            potential = matgl.load_model(weights)
        # version 2 has a Potential for either backend
        if type(potential).__name__ != Potential.__name__:
            raise ModelError(
                f"{weights} holds a {type(potential).__name__}, which predicts a property, not a "
                "potential: give the folder of a matgl Potential."
            )
        potential = potential.to(device).eval().requires_grad_(False)
        self._potential = potential.to(getattr(torch, self.dtype))
        self._potential.calc_hessian = False
        elements, self._cutoff = potential.model.element_types, float(potential.model.cutoff)
        if backend == "4":
            self._graph_of = None
            self._species = species_of(elements)
            lighten(potential.model)
        else:
            converter = importlib.import_module(_CONVERTERS[backend]).Atoms2Graph
            self._graph_of = converter(elements, self._cutoff)
            self._join: Any = join_dgl if backend == "DGL" else join_pyg
        self._alone = backend == "DGL"
        self._torch = torch
        self._device = device
        self.elements = numbers_of(elements)

    def _graphs(self, batch: Structures) -> tuple[Any, Any, Any]:
        torch = self._torch
        dtype = getattr(torch, self.dtype)
        lattices = torch.as_tensor(batch.cells, dtype=dtype, device=self._device)
        if self._graph_of is None:
            graph = graph_of_batch(batch, self._cutoff, self._species, dtype, self._device)
            # the package's own: it has no state to tell
            return graph, lattices, torch.zeros(len(batch), 2, dtype=dtype, device=self._device)
        graphs, states = [], []
        for atoms in batch:
            graph, _, state = self._graph_of.get_graph(atoms)
            # the converter rounds to float32 whatever the model computes in
            exact = torch.as_tensor(atoms.get_scaled_positions(wrap=False), dtype=dtype)
            if hasattr(graph, "ndata"):
                graph.ndata["frac_coords"] = exact
                graph.edata["pbc_offset"] = graph.edata["pbc_offset"].to(dtype)
            else:
                graph.frac_coords = exact
            graphs.append(graph)
            states.append(state)
        state = torch.as_tensor(np.array(states), dtype=dtype, device=self._device)
        return self._join(graphs).to(self._device), lattices, state

    def _evaluate(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        if not self._alone or len(batch) == 1:
            return self._evaluate_together(batch, forces, stresses)
        parts = [self._evaluate_together(batch[[i]], forces, stresses) for i in range(len(batch))]
        return Prediction(
            np.concatenate([part.energies for part in parts]),
            np.concatenate([part.forces for part in parts]) if forces else None,
            np.concatenate([part.stresses for part in parts]) if stresses else None,
        )

    def _evaluate_together(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        torch, potential = self._torch, self._potential
        wanted = forces or stresses
        potential.calc_forces = potential.calc_stresses = wanted
        with default_dtype(torch, self.dtype):
            graphs, lattices, state = self._graphs(batch)
            extra = {}
            if getattr(potential, "calc_charge", False):
                extra["total_charge"] = torch.zeros(len(batch), device=self._device)
            with torch.enable_grad() if wanted else torch.no_grad():
                out = potential(graphs, lattices, state, **extra)
        return Prediction(
            to_numpy(out[0]).reshape(len(batch)),
            to_numpy(out[1]) if forces else None,
            to_numpy(out[2]).reshape(-1, 3, 3) * _EV_PER_ANGSTROM3_PER_GPA if stresses else None,
        )


def numbers_of(symbols: tuple[str, ...]) -> frozenset[int]:
    """Return the atomic numbers of elements."""
    from ase.data import atomic_numbers

    return frozenset(atomic_numbers[symbol] for symbol in symbols)


def species_of(symbols: tuple[str, ...]) -> np.ndarray:
    """Return the place of each element in a list, by atomic number, -1 where it has none."""
    from ase.data import atomic_numbers

    numbers = [atomic_numbers[symbol] for symbol in symbols]
    species = np.full(max(numbers) + 1, -1)
    species[numbers] = np.arange(len(numbers))
    return species


def check_format(folder: Path, version: str) -> str:
    """Return what computes a saved potential: ``PYG``, ``DGL``, or ``4`` for newer networks.

    Parameters
    ----------
    folder
        As ``Potential.save`` writes it; only ``model.json`` is read.
    version
        Of the installed package.

    Raises
    ------
    ModelError
        If this version computes something else from the file than the one that wrote it.
    """
    try:
        saved = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        arguments, network = saved["kwargs"], saved["kwargs"]["model"]
        name, module, made = network["@class"], network["@module"], network["@model_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder} has no readable model.json of a matgl potential ({reason_of(error)}): give "
            "the folder that Potential.save wrote."
        ) from error
    new = int(version.partition(".")[0]) >= 3
    # version 2.1 and later save one argument more
    old = "calc_charge" not in arguments or (name == "TensorNet" and made < 2)
    if old and new:
        raise ModelError(
            f"{folder} holds a {name} of matgl 1 or 2, from which matgl {version} computes other "
            "energies than its authors: use matgl 2.0.4 (tox run -e matgl2)."
        )
    if not new and name == "TensorNet" and made > 1:
        raise ModelError(
            f"{folder} holds a {name} of matgl 4, which matgl {version} can't compute: use matgl 4 "
            "(tox run -e matgl)."
        )
    if new:
        return "4"
    return "PYG" if module.endswith("_pyg") else "DGL"


#: by what `check_format` returns, where version 2 turns atoms into a graph
_CONVERTERS = {
    "PYG": "matgl.ext._ase_pyg",
    "DGL": "matgl.ext._ase_dgl",
}


def _choose_backend(wanted: str) -> None:
    """Let version 2 of the package be imported with the graph library that the network needs.

    Raises
    ------
    ModelError
        If it has been imported with the other one, which can't be undone in a process.
    """
    if wanted == "4":
        return
    if "matgl" not in sys.modules:
        os.environ["MATGL_BACKEND"] = wanted
        return
    found = sys.modules["matgl"].config.BACKEND
    if found != wanted:
        raise ModelError(
            f"matgl 2 has been imported for {found} and this network needs {wanted}: run the two "
            "models one after the other, not in one command."
        )
