"""Keep the C library from handing memory back between batches."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache

# from glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# glibc takes no mmap threshold above half of its maximal heap
_MMAP_THRESHOLD = 32 * 1024**2
_TRIM_THRESHOLD = 512 * 1024**2


@cache
def keep_freed_memory() -> bool:
    """Raise glibc's mmap and trim thresholds, once per process; return whether that was done.

    torch allocates and frees tensors of some megabytes for every batch on a CPU. With the default
    thresholds each goes through ``mmap`` and ``munmap``, and the kernel zeroes the pages anew each
    time. Does nothing off Linux, with another C library or allocator, or where the user has set
    thresholds in the environment.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    preset = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    if any(name in os.environ for name in preset) or "malloc" in os.environ.get("LD_PRELOAD", ""):
        return False
    libc = ctypes.CDLL(None)
    return bool(
        libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)
        and libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
    )
