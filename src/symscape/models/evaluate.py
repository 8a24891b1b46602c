"""Ask a model about many structures: cache first, then batches, then whatever fails alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.answers import Answer, answer_all, split
from symscape.models.base import EnergyModel, Prediction, Quantity
from symscape.models.batching import BatchSizer, sizer_for
from symscape.models.cache import EnergyCache, structure_keys
from symscape.models.cache_tables import CacheEntry
from symscape.models.devices import device_kind
from symscape.models.threads import lanes
from symscape.models.worker import ModelWorker

#: called with (structures done, structures in all)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model says about a sequence of structures.

    Parameters
    ----------
    energies
        Total energies in eV, shape (n_structures,), NaN where the model failed.
    forces
        eV/angstrom, shape (n_total_atoms, 3), NaN where it failed; None if not asked for.
    stresses
        eV/angstrom^3, shape (n_structures, 3, 3), NaN where it failed; None if not asked for.
    failures
        Reason for each structure that has no energy.
    seconds
        Wall time.
    n_cached
        How many structures were answered without the model: by the cache, or because an identical
        one was there.
    """

    energies: np.ndarray
    forces: np.ndarray | None
    stresses: np.ndarray | None
    failures: dict[int, str]
    seconds: float
    n_cached: int


class Evaluator:
    """One model and all that is learned by asking it: batch sizes, its process, its answers.

    Whoever asks a model more than once keeps its evaluator. It is also what contracts take for a
    potential (`predict`, `energies`, `implements`).

    Parameters
    ----------
    model
        Loaded only when the cache does not know everything.
    cache
        Asked first and told of every batch, unless the model's energies can't be identified.
    point_timeout
        Seconds that the model may spend on one structure; it then runs in a process of its own,
        which is stopped when it takes longer. None waits for ever.
    loading
        Called once, before the model is loaded, which takes seconds.
    """

    def __init__(
        self,
        model: EnergyModel,
        cache: EnergyCache | None = None,
        *,
        point_timeout: float | None = None,
        loading: Callable[[], None] | None = None,
    ):
        self._loading = loading
        self.model = model
        self.cache = cache
        self._worker = None if point_timeout is None else ModelWorker(model, point_timeout)
        self._sizers: dict[bool, BatchSizer] = {}
        self._watcher: Progress | None = None
        self._watched = 0

    @property
    def implements(self) -> frozenset[Quantity]:
        """What the model gives, of ``energy``, ``forces`` and ``stress``."""
        return self.model.implements

    @contextmanager
    def watched(self, progress: Progress | None) -> Iterator[None]:
        """Tell how many structures are asked for within the context, in however many evaluations.

        Parameters
        ----------
        progress
            Called with (structures done, 0), for nobody knows how many there will be; not for
            evaluations that tell somebody themselves. None tells nobody.
        """
        self._watcher, self._watched = progress, 0
        try:
            yield
        finally:
            self._watcher = None

    def _tell_watcher(self) -> Progress | None:
        """Return what one evaluation tells its steps to if it is given nothing else."""
        if self._watcher is None:
            return None
        watcher, before = self._watcher, self._watched

        def tell(done: int, total: int) -> None:
            self._watched = before + done
            watcher(self._watched, 0)

        return tell

    def sizer(self, gradients: bool) -> BatchSizer:
        """Return what chooses the batches, and keeps what they have taught.

        Parameters
        ----------
        gradients
            Whether forces or stresses are wanted: they need more memory, hence one of their own.
        """
        if gradients not in self._sizers:
            self._sizers[gradients] = sizer_for(self.model, gradients, self.cache)
        return self._sizers[gradients]

    def evaluate(
        self,
        structures: Structures,
        *,
        forces: bool = False,
        stresses: bool = False,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Return the model's energies and, where asked for, forces and stresses.

        Identical structures are asked for once. Every finished batch is kept in the cache at once,
        so that an interrupted evaluation goes on where it stopped. A structure at which the model
        raises or returns NaN costs the others of its batch nothing. Out of memory halves the batch.

        Parameters
        ----------
        progress
            Called with (structures done, structures in all).

        Raises
        ------
        ModelError
            If the model can't be loaded at all, or lacks the forces or the stress asked for.
        """
        begin = time.perf_counter()
        progress = progress or self._tell_watcher()
        keys = structure_keys(structures)
        first = {key: i for i, key in reversed(list(enumerate(keys)))}
        # asked once: it looks at files
        fingerprint = self._fingerprint()
        answers: dict[bytes, Answer] = dict(self._known(fingerprint, list(first), forces, stresses))
        # batches of equal sizes use memory evenly; the sort is stable and keeps neighbours together
        sizes = structures.n_atoms
        pending = sorted(
            (i for k, i in first.items() if k not in answers), key=lambda i: (sizes[i], i)
        )
        n_cached = done = len(structures) - len(pending)
        if progress is not None and done:
            progress(done, len(structures))
        if pending:
            self._load(forces, stresses)

            def ask(chosen: list[int]) -> list[CacheEntry]:
                batch = structures[chosen]
                return split(self._predict_batch(batch, forces, stresses), batch)

            weights = self.model.batch_weights(structures)
            sizer = self.sizer(forces or stresses)
            for part in answer_all(ask, pending, weights, sizer, self._lanes()):
                new = {keys[i]: answer for i, answer in part.items()}
                answers.update(new)
                self._keep(fingerprint, new)
                done += len(part)
                if progress is not None:
                    progress(done, len(structures))
        seconds = time.perf_counter() - begin
        ordered = [answers[key] for key in keys]
        return _assemble(structures, ordered, forces, stresses, seconds, n_cached)

    def predict(
        self,
        structures: Structures,
        *,
        forces: bool = False,
        stresses: bool = False,
        progress: Progress | None = None,
    ) -> Prediction:
        """Return energies in eV and, where asked for, forces and stresses, of every structure.

        Parameters
        ----------
        progress
            Called with (structures done, structures in all).

        Raises
        ------
        ModelError
            If the model lacks what is asked for, or fails at a structure.
        """
        answer = self.evaluate(structures, forces=forces, stresses=stresses, progress=progress)
        if answer.failures:
            raise ModelError(
                f"{self.model.card.name} gave no answer for {len(answer.failures)} of "
                f"{len(structures)} structures ({answer.failures[min(answer.failures)]})."
            )
        return Prediction(answer.energies, answer.forces, answer.stresses)

    def energies(self, structures: Structures) -> np.ndarray:
        """Return total energies in eV, shape (n_structures,), as `predict`."""
        return self.predict(structures).energies

    def close(self) -> None:
        """Stop the model's process, if it has one."""
        if self._worker is not None:
            self._worker.stop()

    def _fingerprint(self) -> str:
        """Return what the model's answers are kept by; empty if they are not kept."""
        kept = self.cache is not None and self.model.cacheable
        return self.model.fingerprint if kept else ""

    def _known(
        self, fingerprint: str, keys: list[bytes], forces: bool, stresses: bool
    ) -> dict[bytes, CacheEntry]:
        """Return what the cache knows and covers what is asked for."""
        if self.cache is None or not fingerprint:
            return {}
        found = self.cache.get(fingerprint, keys)
        return {key: entry for key, entry in found.items() if entry.covers(forces, stresses)}

    def _keep(self, fingerprint: str, answers: dict[bytes, Answer]) -> None:
        if self.cache is not None and fingerprint:
            new = {key: a for key, a in answers.items() if isinstance(a, CacheEntry)}
            self.cache.put(fingerprint, self.model.card.name, new)

    def _load(self, forces: bool, stresses: bool) -> None:
        """Load the model, here or in a process of its own."""
        if self._loading is not None:
            self._loading()
            self._loading = None
        if self._worker is not None:
            self._worker.load()
            return
        self.model.load()
        self.model.require(forces=forces, stresses=stresses)

    def _lanes(self) -> int:
        """Return how many batches may be under way: several on a CPU, if the model allows it."""
        here = self._worker is None and device_kind(self.model.device) == "cpu"
        return lanes() if here and self.model.thread_safe else 1

    def _predict_batch(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        if self._worker is not None:
            return self._worker.predict(batch, forces, stresses)
        return self.model.predict_batch(batch, forces=forces, stresses=stresses)


def evaluator_of(model: EnergyModel | Evaluator, cache: EnergyCache | None = None) -> Evaluator:
    """Return an evaluator as it is, and a new one of a model."""
    return model if isinstance(model, Evaluator) else Evaluator(model, cache)


def evaluate(
    model: EnergyModel | Evaluator,
    structures: Structures,
    *,
    forces: bool = False,
    stresses: bool = False,
    cache: EnergyCache | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Ask a model once, as `Evaluator.evaluate` does.

    Parameters
    ----------
    model
        A model, or the evaluator of one, which knows what batches fit.
    cache
        Where a model's answers are kept; an evaluator has its own.
    """
    asked = evaluator_of(model, cache)
    return asked.evaluate(structures, forces=forces, stresses=stresses, progress=progress)


def _assemble(
    structures: Structures,
    answers: list[Answer],
    forces: bool,
    stresses: bool,
    seconds: float,
    n_cached: int,
) -> Evaluation:
    """Put the answers in the order of the structures, NaN where there is none."""
    energies = np.full(len(structures), np.nan)
    all_forces = np.full((len(structures.numbers), 3), np.nan) if forces else None
    all_stresses = np.full((len(structures), 3, 3), np.nan) if stresses else None
    failures = {}
    for i, answer in enumerate(answers):
        if isinstance(answer, str):
            failures[i] = answer
            continue
        energies[i] = answer.energy
        if all_forces is not None and answer.forces is not None:
            all_forces[structures.offsets[i] : structures.offsets[i + 1]] = answer.forces
        if all_stresses is not None and answer.stress is not None:
            all_stresses[i] = answer.stress
    return Evaluation(energies, all_forces, all_stresses, failures, seconds, n_cached)
