"""The one interface between symscape and a potential."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.card import ModelCard
from symscape.models.devices import resolve_device
from symscape.models.threads import threads_for
from symscape.notebook import table_html

#: what a potential may give, by ASE's names
Quantity = Literal["energy", "forces", "stress"]
#: what `EnergyModel.implements` is for a potential that gives everything
ALL_QUANTITIES: frozenset[Quantity] = frozenset({"energy", "forces", "stress"})


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a potential says about a sequence of structures.

    Parameters
    ----------
    energies
        Total energy of each structure in eV (not per atom), shape (n_structures,), float64.
    forces
        eV/angstrom, shape (n_total_atoms, 3), or None if not asked for.
    stresses
        eV/angstrom^3, ASE's sign (positive under tension), shape (n_structures, 3, 3), or None.
    """

    energies: np.ndarray
    forces: np.ndarray | None = None
    stresses: np.ndarray | None = None


class EnergyModel(ABC):
    """A potential, ready to be asked.

    An adapter says what it ``implements`` and has ``fingerprint`` and ``_predict_batch``; batching
    is done here. Weights are loaded at the first evaluation, not at construction.

    Parameters
    ----------
    card
        What is known about the potential.
    device
        ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
    batch_size
        Structures in one call of the model; ``auto``: as measured on the first batches; None: a
        sensible default.
    """

    #: how many structures an adapter takes at once unless the user says otherwise
    default_batch_size: ClassVar[int] = 8
    #: whether several threads may ask at the same time: then nothing is kept from one call for the
    #: next, and no setting of the process, as torch's default type, is changed in between
    thread_safe: ClassVar[bool] = False

    def __init__(self, card: ModelCard, device: str = "auto", batch_size: int | str | None = None):
        if device != "auto":
            resolve_device(device)
        self.card = card
        self.device = device
        self.wanted_batch_size = batch_size
        self.batch_size = batch_size if isinstance(batch_size, int) else self.default_batch_size

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.card.name}, {self.card.level_of_theory}, {self.device})"
        )

    def _repr_html_(self) -> str:
        """Return what is known about the potential, for notebooks.

        A table is all there is: a model has no landscape of its own, only on a slice.
        """
        card = self.card
        rows = [
            ("model", card.name),
            ("family", card.family),
            ("checkpoint", card.checkpoint or ""),
            ("level of theory", card.level_of_theory),
            ("energies", card.energy_convention),
            ("device", self.device),
            ("gives", ", ".join(sorted(self.implements))),
        ]
        return table_html(rows)

    @property
    def one_by_one(self) -> bool:
        """Whether the structures of a batch are evaluated one after the other all the same.

        A batch then only saves what each call costs besides.
        """
        return False

    def unloaded(self) -> EnergyModel:
        """Return a model like this one that has not been loaded and can go to another process."""
        return type(self)(self.card, self.device, self.wanted_batch_size)

    def check_installed(self) -> None:  # noqa: B027 (nothing to install by default)
        """Raise ModelError if the model's package is not there; loads and fetches nothing."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Identify the energies: content of the checkpoint, package version, dtype, device kind.

        Must not import torch or the model package.
        """

    @property
    @abstractmethod
    def implements(self) -> frozenset[Quantity]:
        """What the potential gives: the energy always, forces and stress if it has them.

        An adapter whose potentials all give the same has a class attribute. Asking may load the
        model where nothing else tells, but evaluates nothing.
        """

    def require(self, *, forces: bool, stresses: bool) -> None:
        """Raise ModelError if forces or stresses are wanted that the potential does not have."""
        wanted: dict[Quantity, bool] = {"forces": forces, "stress": stresses}
        missing = [what for what, asked in wanted.items() if asked and what not in self.implements]
        if missing:
            raise ModelError(
                f"{self.card.name} gives no {' and no '.join(missing)}: ask it for energies, or "
                "take another model."
            )

    def batch_weights(self, structures: Structures) -> np.ndarray:
        """Return what each structure counts in a batch, shape (n_structures,): its atoms.

        A family whose cost goes with something else says so, in atoms of a usual crystal. It must
        not need the model, which may be in another process.
        """
        return structures.n_atoms

    @property
    def cacheable(self) -> bool:
        """Whether equal fingerprints mean equal energies in other processes and on other days."""
        return True

    def load(self) -> None:  # noqa: B027 (an adapter without weights has nothing to do)
        """Load the weights now rather than at the first evaluation; again is harmless.

        Raises
        ------
        ModelError
            If the package or the weights are missing or can't be loaded.
        """

    @abstractmethod
    def _predict_batch(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        """Evaluate one batch with the family's own graphs and batches."""

    def predict_batch(
        self, batch: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Evaluate all structures in one call of the model, however many they are.

        Raises
        ------
        ModelError
            If the model can't be loaded, does not have what is asked for, or returns arrays of
            other shapes than `Prediction` has.
        """
        self.load()
        self.require(forces=forces, stresses=stresses)
        with threads_for(len(batch.numbers)):
            said = self._predict_batch(batch, forces, stresses)
        return _checked(said, batch, forces, stresses)

    def predict_batches(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Iterator[tuple[slice, Prediction]]:
        """Yield (range of structures, prediction) batch by batch, in order."""
        if not len(structures):
            return
        self.load()  # which may tell how many the model takes
        size = self.batch_size
        for start in range(0, len(structures), size):
            chosen = slice(start, min(start + size, len(structures)))
            batch = structures[chosen]
            yield chosen, self.predict_batch(batch, forces=forces, stresses=stresses)

    def predict(
        self, structures: Structures, *, forces: bool = False, stresses: bool = False
    ) -> Prediction:
        """Return energies in eV and, where asked for, forces and stresses."""
        parts = [p for _, p in self.predict_batches(structures, forces=forces, stresses=stresses)]
        if not parts:
            return Prediction(np.zeros(0))
        return Prediction(
            np.concatenate([p.energies for p in parts]),
            np.concatenate([p.forces for p in parts]) if forces else None,
            np.concatenate([p.stresses for p in parts]) if stresses else None,
        )

    def energies(self, structures: Structures) -> np.ndarray:
        """Return total energies in eV, shape (n_structures,), without a backward pass."""
        return self.predict(structures).energies


def _checked(prediction: Prediction, batch: Structures, forces: bool, stresses: bool) -> Prediction:
    """Return a prediction in float64 and in the documented shapes, as far as it can be meant so."""

    def shaped(values: np.ndarray | None, *shape: int) -> np.ndarray:
        array = np.asarray(np.nan if values is None else values, dtype=float)
        if array.size != math.prod(shape):
            raise ModelError(f"the model returned an array of shape {array.shape}, not {shape}")
        return array.reshape(shape)

    return Prediction(
        shaped(prediction.energies, len(batch)),
        shaped(prediction.forces, len(batch.numbers), 3) if forces else None,
        shaped(prediction.stresses, len(batch), 3, 3) if stresses else None,
    )
