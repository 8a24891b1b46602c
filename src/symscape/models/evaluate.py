"""Ask a model about many structures: cache first, then batches, then whatever fails alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import SymscapeError, message_of
from symscape.models.base import EnergyModel, Prediction
from symscape.models.batching import BatchSizer, sizer_for
from symscape.models.cache import EnergyCache, Entry, structure_keys

#: one structure's energies, or why there are none
Answer = Entry | str
#: evaluates a batch with or without forces and stresses
Predict = Callable[[Structures, bool, bool], Prediction]
#: gives the answers of one model call
Ask = Callable[[list[int]], list[Entry]]


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


def evaluate(
    model: EnergyModel,
    structures: Structures,
    *,
    forces: bool = False,
    stresses: bool = False,
    cache: EnergyCache | None = None,
    progress: Callable[[int, int], None] | None = None,
    point_timeout: float | None = None,
) -> Evaluation:
    """Return a model's energies and, where asked for, forces and stresses.

    Identical structures are asked for once. Every finished batch is kept in the cache at once, so
    that an interrupted evaluation goes on where it stopped. A structure at which the model raises
    or returns NaN costs the others of its batch nothing. Out of memory halves the batch.

    Parameters
    ----------
    model
        Loaded only if the cache does not know everything.
    cache
        Asked first and told of every batch, unless the model's energies can't be identified.
    progress
        Called with (structures done, structures in all).
    point_timeout
        Seconds that the model may spend on one structure; it then runs in a process of its own,
        which is stopped when it takes longer.

    Raises
    ------
    ModelError
        If the model can't be loaded at all, or has no forces or no stress and they are asked for.
    """
    begin = time.perf_counter()
    keys = structure_keys(structures)
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    answers: dict[bytes, Answer] = {}
    fingerprint = model.fingerprint if cache is not None and model.cacheable else ""
    if cache is not None and fingerprint:
        found = cache.get(fingerprint, list(first))
        answers.update((k, e) for k, e in found.items() if e.covers(forces, stresses))
    # batches of equal sizes use memory evenly; the sort is stable and keeps neighbours together
    sizes = structures.n_atoms
    pending = sorted((i for k, i in first.items() if k not in answers), key=lambda i: (sizes[i], i))
    n_cached = len(structures) - len(pending)
    done = n_cached
    if progress is not None and done:
        progress(done, len(structures))
    if pending:
        predict = _ready(model, point_timeout, forces, stresses)

        def ask(chosen: list[int]) -> list[Entry]:
            batch = structures[chosen]
            return split(predict(batch, forces, stresses), batch)

        sizer = sizer_for(model, forces or stresses, cache)
        for part in answer_all(ask, pending, sizes, sizer):
            answers.update((keys[i], answer) for i, answer in part.items())
            if cache is not None and fingerprint:
                new = {keys[i]: a for i, a in part.items() if isinstance(a, Entry)}
                cache.put(fingerprint, model.card.name, new)
            done += len(part)
            if progress is not None:
                progress(done, len(structures))
    seconds = time.perf_counter() - begin
    return _assemble(structures, [answers[k] for k in keys], forces, stresses, seconds, n_cached)


def _ready(
    model: EnergyModel, point_timeout: float | None, forces: bool, stresses: bool
) -> Predict:
    """Load the model, here or in a process of its own, and return how to ask it."""
    if point_timeout is None:
        model.load()
        model.require(forces=forces, stresses=stresses)
        return lambda batch, forces, stresses: model.predict_batch(
            batch, forces=forces, stresses=stresses
        )
    from symscape.models.worker import ModelWorker

    if model.worker is None or model.worker.seconds != point_timeout:
        model.worker = ModelWorker(model, point_timeout)
    model.worker.load()
    return model.worker.predict


def answer_all(
    ask: Ask, pending: list[int], n_atoms: np.ndarray, sizer: BatchSizer
) -> Iterator[dict[int, Answer]]:
    """Yield the answers to all pending structures, batch by batch.

    Parameters
    ----------
    ask
        Calls the model with some structures; may raise anything.
    pending
        Indices of the structures.
    n_atoms
        Number of atoms of each structure, indexed by those.
    sizer
        Says how many of the next structures go together and is told how that went.
    """
    position = 0
    while position < len(pending):
        count = sizer.take(n_atoms[pending[position:]])
        chosen = pending[position : position + count]
        begin = time.perf_counter()
        part = _answer_batch(ask, chosen)
        if part is None:
            _free_memory()
            sizer.shrink(int(n_atoms[chosen].sum()), count)
            continue
        position += count
        if isinstance(part, dict):
            sizer.note(int(n_atoms[chosen].sum()), time.perf_counter() - begin)
            yield part
        else:
            yield from ({i: _answer_one(ask, i)} for i in chosen)


def _answer_batch(ask: Ask, chosen: list[int]) -> dict[int, Answer] | str | None:
    """Return a batch's answers, or why they must be asked for singly, or None: out of memory."""
    if len(chosen) == 1:
        return {chosen[0]: _answer_one(ask, chosen[0])}
    try:
        entries = ask(chosen)
    except Exception as error:
        return None if is_out_of_memory(error) else reason(error)
    if not all(map(_is_finite, entries)):
        return "not finite"
    return dict(zip(chosen, entries, strict=True))


def _answer_one(ask: Ask, i: int) -> Answer:
    try:
        (entry,) = ask([i])
    except Exception as error:
        if is_out_of_memory(error):
            _free_memory()
            return "out of memory"
        return reason(error)
    return entry if _is_finite(entry) else "the model returned NaN or infinity"


def reason(error: Exception) -> str:
    """Return why a model gave no answer, in one line."""
    text = message_of(error, 300)
    return text if isinstance(error, SymscapeError) else f"{type(error).__name__}: {text}"


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception says that host or device memory did not suffice."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = message_of(error, 1000).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def _free_memory() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _is_finite(entry: Entry) -> bool:
    return bool(
        np.isfinite(entry.energy)
        and (entry.forces is None or np.isfinite(entry.forces).all())
        and (entry.stress is None or np.isfinite(entry.stress).all())
    )


def split(prediction: Prediction, batch: Structures) -> list[Entry]:
    """Take a batch's prediction apart, one entry for each structure."""
    forces, stresses = prediction.forces, prediction.stresses
    return [
        Entry(
            float(prediction.energies[i]),
            None if forces is None else forces[batch.offsets[i] : batch.offsets[i + 1]],
            None if stresses is None else stresses[i],
        )
        for i in range(len(batch))
    ]


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
