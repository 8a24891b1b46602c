"""Arrays as they stand in a file, taken over only if all of it is finite numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def finite_array(holder: Mapping[str, Any], key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a row or a table of finite numbers that a file holds.

    Raises
    ------
    ValueError
        If it is missing or anything else; the message names it.
    """
    try:
        array = np.array(holder.get(key))
    except (ValueError, OverflowError):  # rows of different lengths
        array = np.empty(0)
    if array.shape != shape or array.dtype.kind not in "if" or not np.isfinite(array).all():
        if len(shape) == 1:
            raise ValueError(f"{key} is not a row of {shape[0]} numbers")
        rows = "atoms of the slice's primitive cell" if key == "positions" else "rows"
        raise ValueError(f"{key} is not a table of {shape[0]} {rows}, each of {shape[1]} numbers")
    return array.astype(float)
