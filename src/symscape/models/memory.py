"""How much of a device's memory a batch takes."""

from __future__ import annotations

import sys
from typing import Any, Protocol


class MemoryGauge(Protocol):
    """Watches the memory of a device while a model is asked."""

    def begin(self) -> None:
        """Note what is held now; called before a batch."""

    def used(self) -> int:
        """Return the most bytes taken since `begin`, beyond what was held; 0: unknown."""

    def free(self) -> int:
        """Return the bytes that a batch may take beyond what is held."""


class CudaMemory:
    """The memory of an NVIDIA GPU, as torch's allocator counts it.

    Knows nothing where torch runs in another process, as it does with a limit on the time.

    Parameters
    ----------
    device
        ``cuda`` or ``cuda:N``.
    """

    def __init__(self, device: str):
        self.device = device
        self._held = 0

    def begin(self) -> None:
        """Note what is held now, and forget the peak of earlier batches."""
        cuda = self._cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats(self.device)
            self._held = int(cuda.memory_allocated(self.device))

    def used(self) -> int:
        """Return the peak since `begin`, beyond what was held."""
        cuda = self._cuda()
        return 0 if cuda is None else int(cuda.max_memory_allocated(self.device)) - self._held

    def free(self) -> int:
        """Return what the driver has left, and what torch keeps without using it."""
        cuda = self._cuda()
        if cuda is None:
            return 0
        kept = cuda.memory_reserved(self.device) - cuda.memory_allocated(self.device)
        return int(cuda.mem_get_info(self.device)[0] + kept)

    @staticmethod
    def _cuda() -> Any:
        torch = sys.modules.get("torch")
        return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
