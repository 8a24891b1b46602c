"""What a model says of structures one by one: batches taken apart, and what is done when one fails.

Functions of a callable that asks the model; which model, and where answers are kept, is
`symscape.models.evaluate`'s business.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait

import numpy as np

from symscape.crystal.structures import Structures
from symscape.errors import ModelError, SymscapeError, message_of
from symscape.models.base import Prediction
from symscape.models.batching import BatchSizer
from symscape.models.cache_tables import CacheEntry
from symscape.models.threads import executor

#: one structure's energies, or why there are none
Answer = CacheEntry | str
#: gives the answers of one model call
Ask = Callable[[list[int]], list[CacheEntry]]


class ModelTimeout(ModelError):
    """A model took longer than the user allows."""


def answer_all(
    ask: Ask, pending: list[int], weights: np.ndarray, sizer: BatchSizer, lanes: int = 1
) -> Iterator[dict[int, Answer]]:
    """Yield the answers to all pending structures, batch by batch, as they come.

    Out of memory halves the batch. A batch at which the model raises, or in which a number is not
    finite, is asked again in halves, so that neither reaches the other structures; where one took
    too long they are asked one by one, since each half would wait as long again.

    Parameters
    ----------
    ask
        Calls the model with some structures; may raise anything.
    pending
        Indices of the structures.
    weights
        What each structure counts in a batch, in atoms, indexed by those.
    sizer
        Says how many of the next structures go together and is told how that went.
    lanes
        How many batches are under way at once. The batches are the same whatever their number.
    """
    waiting = np.array(pending, dtype=int)
    flying: dict[Future[tuple[list[CacheEntry], float]], list[int]] = {}
    with executor(lanes) as pool:
        while len(waiting) or flying:
            while len(waiting) and len(flying) < lanes:
                count = sizer.take(weights[waiting])
                chosen, waiting = waiting[:count].tolist(), waiting[count:]
                flying[pool.submit(_timed, ask, chosen)] = chosen
            landed, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in landed:
                chosen = flying.pop(future)
                error = future.exception()
                if isinstance(error, Exception) and len(chosen) > 1 and is_out_of_memory(error):
                    free_memory()
                    sizer.shrink(int(weights[chosen].sum()), len(chosen))
                    waiting = np.concatenate([chosen, waiting])
                elif isinstance(error, Exception):
                    yield from _asked_apart(ask, chosen, error)
                else:
                    entries, seconds = future.result()
                    if all(map(_is_finite, entries)):
                        sizer.note(int(weights[chosen].sum()), seconds)
                        yield dict(zip(chosen, entries, strict=True))
                    else:
                        yield from _asked_apart(ask, chosen, None)


def _timed(ask: Ask, chosen: list[int]) -> tuple[list[CacheEntry], float]:
    """Return the answers to one batch and the seconds that they took."""
    begin = time.perf_counter()
    entries = ask(chosen)
    return entries, time.perf_counter() - begin


def _asked_apart(
    ask: Ask, chosen: list[int], error: Exception | None
) -> Iterator[dict[int, Answer]]:
    """Yield the answers to structures of which one at least spoils what is asked with it.

    Parameters
    ----------
    error
        What the model raised when it was asked for all of them; None if a number was not finite.
    """
    if len(chosen) == 1:
        yield {chosen[0]: _why(error)}
        return
    size = 1 if isinstance(error, ModelTimeout) else (len(chosen) + 1) // 2
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        try:
            entries = ask(part)
        except Exception as again:
            yield from _asked_apart(ask, part, again)
            continue
        if all(map(_is_finite, entries)):
            yield dict(zip(part, entries, strict=True))
        else:
            yield from _asked_apart(ask, part, None)


def _why(error: Exception | None) -> str:
    """Return why a single structure has no energy."""
    if error is None:
        return "the model returned NaN or infinity"
    if is_out_of_memory(error):
        free_memory()
        return "out of memory"
    return reason(error)


def reason(error: Exception) -> str:
    """Return why a model gave no answer, in one line that can be written anywhere."""
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


def free_memory() -> None:
    """Give back what torch keeps of a GPU's memory."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _is_finite(entry: CacheEntry) -> bool:
    return bool(
        np.isfinite(entry.energy)
        and (entry.forces is None or np.isfinite(entry.forces).all())
        and (entry.stress is None or np.isfinite(entry.stress).all())
    )


def split(prediction: Prediction, batch: Structures) -> list[CacheEntry]:
    """Take a batch's prediction apart, one entry for each structure."""
    forces, stresses = prediction.forces, prediction.stresses
    return [
        CacheEntry(
            float(prediction.energies[i]),
            None if forces is None else forces[batch.offsets[i] : batch.offsets[i + 1]],
            None if stresses is None else stresses[i],
        )
        for i in range(len(batch))
    ]
