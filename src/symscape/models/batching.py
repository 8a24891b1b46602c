"""How many structures go into one call of a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from symscape.decode import decode
from symscape.files import write_atomically
from symscape.jsontext import parse_json
from symscape.models.devices import describe_device, device_kind, resolve_device
from symscape.models.memory import CudaMemory, MemoryGauge

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache

#: atoms in a cell for which the adapters' default batch sizes were measured
_USUAL_CELL = 6
#: atoms in the first batch on a GPU, which shows what an atom takes of its memory
_PROBE = 512
#: a batch of structures that are evaluated one by one grows until it takes so long, seconds: little
#: more is lost by an interruption, or evaluated again where one of them fails
_QUICK = 0.002
_FILE = "batch-sizes.json"


class BatchSizer(Protocol):
    """Says how many structures go together, and learns from how that went.

    Atoms are counted as `EnergyModel.batch_weights` counts them.
    """

    def take(self, n_atoms: np.ndarray) -> int:
        """Return how many of the next structures, with so many atoms each, make a batch."""

    def note(self, n_atoms: int, seconds: float) -> None:
        """Learn how long a batch of so many atoms took."""

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Learn that a batch did not fit into memory."""


class FixedCount:
    """Always the number of structures that the user asked for, less only if memory runs out."""

    def __init__(self, count: int):
        self.count = count

    def take(self, n_atoms: np.ndarray) -> int:
        """Return the number, at most what is left."""
        return min(self.count, len(n_atoms))

    def note(self, n_atoms: int, seconds: float) -> None:
        """Learn nothing."""

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Halve the number."""
        self.count = max(1, n_structures // 2)


class AtomBudget:
    """As many structures as have together no more than a number of atoms, one at least."""

    def __init__(self, budget: int):
        self.budget = budget

    def take(self, n_atoms: np.ndarray) -> int:
        """Return how many fit."""
        return max(1, int(np.searchsorted(np.cumsum(n_atoms), self.budget, side="right")))

    def note(self, n_atoms: int, seconds: float) -> None:
        """Learn nothing."""

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Halve the budget."""
        self.budget = max(1, n_atoms // 2)


class QuickBudget(AtomBudget):
    """An `AtomBudget` that keeps each batch short, for models that batches make no faster."""

    def note(self, n_atoms: int, seconds: float) -> None:
        """Double after a batch that took too little to notice, halve after one that took more."""
        if seconds > 2 * _QUICK:
            self.budget = max(1, self.budget // 2)
        elif seconds < _QUICK / 2 and 2 * n_atoms > self.budget:
            self.budget *= 2


class TunedBudget(AtomBudget):
    """An `AtomBudget` that doubles for as long as that makes the model faster.

    The first batch is not counted: it pays for compilation and for memory that is new. Then each
    budget gets `trials` batches, of which the fastest counts.

    Parameters
    ----------
    start
        Atoms in the first batches.
    memory
        Where the result is kept; None: only as long as this object.
    key
        What the result holds for.
    """

    trials = 2
    #: a doubling must bring this factor in atoms per second to be kept
    gain = 1.05

    def __init__(self, start: int, memory: BatchMemory | None, key: str):
        super().__init__(start)
        self._memory, self._key = memory, key
        known = memory.get(key) if memory else None
        self.settled = known is not None
        if known is not None:
            self.budget = known
        self._warm = False
        self._rates: list[float] = []
        self._best = (0.0, start)
        self._limit: int | None = None

    def note(self, n_atoms: int, seconds: float) -> None:
        """Compare the batch with those of half its size, unless it was a remainder."""
        if self.settled or 2 * n_atoms <= self.budget:
            return
        if not self._warm:
            self._warm = True
            return
        self._rates.append(n_atoms / max(seconds, 1e-9))
        if len(self._rates) < self.trials:
            return
        rate, self._rates = max(self._rates), []
        if rate < self.gain * self._best[0]:
            self._settle(self._best[1])
            return
        self._best = (rate, self.budget)
        if self._limit is not None and 2 * self.budget > self._limit:
            self._settle(self.budget)
        else:
            self.budget *= 2

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Take half of what did not fit as the largest budget from now on."""
        self._limit = max(1, n_atoms // 2)
        self._settle(min(self._best[1] if self._best[0] else self.budget, self._limit))

    def _settle(self, budget: int) -> None:
        self.budget, self.settled = budget, True
        if self._memory is not None:
            self._memory.put(self._key, budget)


class MemoryBudget(AtomBudget):
    """As many atoms as fit into a device, by what the first batches have taken of its memory.

    A GPU gets no slower with larger batches, so that nothing has to be timed. The first batch is a
    probe, the second is as large as it allows if all that it took grows with the atoms. The two
    together tell what an atom takes from what is taken whatever the batch's size.

    Parameters
    ----------
    start
        Atoms in the first batch.
    gauge
        Watches the device.
    memory
        Where the result is kept; None: only as long as this object.
    key
        What the result holds for.
    """

    #: part of the free memory that a batch may take: crystals differ in neighbours per atom
    share = 0.6
    #: atoms beyond which a batch fills any device
    most = 200_000
    #: a correction below this factor ends the search
    close = 1.25

    def __init__(self, start: int, gauge: MemoryGauge, memory: BatchMemory | None, key: str):
        super().__init__(start)
        self._gauge, self._memory, self._key = gauge, memory, key
        known = memory.get(key) if memory else None
        self.settled = known is not None
        if known is not None:
            self.budget = known
        #: atoms and bytes of the batch before; nothing is taken by none
        self._before = (0, 0)

    def take(self, n_atoms: np.ndarray) -> int:
        """Return how many fit, and watch what they take."""
        if not self.settled:
            self._gauge.begin()
        return super().take(n_atoms)

    def note(self, n_atoms: int, seconds: float) -> None:
        """Learn what an atom takes, unless the batch was a remainder."""
        if self.settled or 2 * n_atoms <= self.budget:
            return
        used = self._gauge.used()
        if used <= 0:
            return
        atoms, bytes_ = self._before
        if n_atoms > atoms and used > bytes_:
            per_atom = (used - bytes_) / (n_atoms - atoms)
        else:
            per_atom = used / n_atoms
        self._before = (n_atoms, used)
        left = self.share * self._gauge.free() - used
        fits = min(self.most, n_atoms + int(left / per_atom))
        if fits < self.close * self.budget:
            self._settle(max(1, fits))
        else:
            self.budget = fits

    def shrink(self, n_atoms: int, n_structures: int) -> None:
        """Take half of what did not fit as the budget from now on."""
        self._settle(max(1, n_atoms // 2))

    def _settle(self, budget: int) -> None:
        self.budget, self.settled = budget, True
        if self._memory is not None:
            self._memory.put(self._key, budget)


class BatchMemory:
    """The tuned budgets, in a small file beside the energy cache."""

    def __init__(self, folder: Path):
        self.path = folder / _FILE

    def get(self, key: str) -> int | None:
        """Return a budget, None if there is none or the file is unreadable."""
        value = self._read().get(key, 0)
        return value if value > 0 else None

    def put(self, key: str, budget: int) -> None:
        """Keep a budget; a folder that can't be written to is no reason to stop."""
        from filelock import FileLock

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                known = self._read() | {key: budget}
                write_atomically(self.path, json.dumps(known, indent=1, sort_keys=True))
        except OSError:
            return

    def clear(self) -> None:
        """Forget all budgets."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, int]:
        try:
            # JsonTextError and DecodeError are values that can't be read
            return decode(dict[str, int], parse_json(self.path.read_bytes()), _FILE)
        except (OSError, ValueError):
            return {}


def sizer_for(model: EnergyModel, gradients: bool, cache: EnergyCache | None) -> BatchSizer:
    """Return a new sizer for a model.

    Without a wish of the user's, a CPU gets the adapter's default, counted in atoms, and a GPU as
    much as fits into its memory. ``auto`` on a CPU, where larger batches fall out of the caches,
    measures how fast they are. A model that takes structures one by one gets what is done in no
    time, wherever it computes.

    Parameters
    ----------
    gradients
        Whether forces or stresses are wanted: they need more memory, hence a sizer of their own.
    """
    start = model.batch_size * _USUAL_CELL
    wanted = model.wanted_batch_size
    if isinstance(wanted, int):
        return FixedCount(wanted)
    if model.one_by_one:
        return QuickBudget(start)
    kind = device_kind(model.device)
    if kind == "cpu" and wanted != "auto":
        return AtomBudget(start)
    memory = BatchMemory(cache.folder) if cache is not None and model.cacheable else None
    what = "forces" if gradients else "energies"
    key = f"{model.fingerprint} {describe_device(model.device)} {what}"
    if kind == "cuda":
        gauge = CudaMemory(resolve_device(model.device))
        return MemoryBudget(max(start, _PROBE), gauge, memory, key)
    return TunedBudget(start, memory, key)
