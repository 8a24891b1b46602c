"""torch's settings that change energies, read without importing it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: what a fresh process has: tensors are float32, and nothing is rounded to TF32 or bfloat16
_DTYPE, _MATMUL = "float32", "highest"
#: what makes NVIDIA's libraries round to TF32 whatever torch says
_VARIABLES = ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "NVIDIA_TF32_OVERRIDE")


def precision_settings() -> dict[str, str]:
    """Return the settings of this process that change energies and are not torch's defaults.

    A process that has not imported torch has the defaults, so that the answer is the same before
    and after the first model is loaded.

    Returns
    -------
    dict
        Empty if all is as torch comes: else ``default dtype``, ``float32 matmul precision`` (both
        as torch names them) and environment variables that override them.
    """
    found = {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)}
    dtype, matmul = _now()
    if dtype != _DTYPE:
        found["default dtype"] = dtype
    if matmul != _MATMUL:
        found["float32 matmul precision"] = matmul
    return found


@contextmanager
def precision_kept() -> Iterator[None]:
    """Undo what packages set for the whole process when they load a model."""
    dtype, matmul = _now()
    try:
        yield
    finally:
        torch = _torch()
        if torch is not None and _now() != (dtype, matmul):
            torch.set_default_dtype(getattr(torch, dtype))
            if matmul in ("highest", "high", "medium"):
                torch.set_float32_matmul_precision(matmul)


def _torch() -> Any:
    """Return torch if this process has imported it."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "get_default_dtype") else None


def _now() -> tuple[str, str]:
    """Return the default floating-point type and the precision of float32 matrix products."""
    torch = _torch()
    if torch is None:
        return _DTYPE, _MATMUL
    dtype = str(torch.get_default_dtype()).removeprefix("torch.")
    try:
        return dtype, str(torch.get_float32_matmul_precision())
    except RuntimeError:
        # set for one backend alone, with names that the question above does not know
        parts = (f"{name} {_of_backend(torch, name)}" for name in ("cuda", "mkldnn"))
        return dtype, ", ".join(parts)


def _of_backend(torch: Any, name: str) -> str:
    return str(getattr(getattr(torch.backends, name).matmul, "fp32_precision", "unknown"))
