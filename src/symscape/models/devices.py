"""Which device a model runs on, found out without importing torch."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from symscape.errors import ModelError

KINDS = ("cpu", "cuda", "mps")


def resolve_device(name: str) -> str:
    """Return a torch device name for ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    ``auto`` is CUDA where the installed torch has it and the driver lists a GPU, else the CPU.
    MPS has no float64 and is taken only when named.

    Raises
    ------
    ModelError
        If the name is none of these.
    """
    if name == "auto":
        return "cuda" if _cuda_in_torch() and _count_gpus() > 0 else "cpu"
    kind, _, index = name.partition(":")
    if kind not in KINDS or (index and not index.isdigit()):
        raise ModelError(f"Unknown device '{name}': use auto, cpu, cuda, cuda:0 or mps.")
    return name


def device_kind(name: str) -> str:
    """Return ``cpu``, ``cuda`` or ``mps`` for any accepted device name."""
    return resolve_device(name).partition(":")[0]


def check_device(name: str) -> str:
    """Return a device's name as torch takes it, if the device is there.

    Raises
    ------
    ModelError
        If it is not.
    """
    resolved = resolve_device(name)
    kind = resolved.partition(":")[0]
    if kind == "cuda" and not _cuda_in_torch():
        raise ModelError(
            "The installed torch is built without CUDA: use --device cpu or install another torch."
        )
    if kind == "cuda" and _count_gpus() == 0:
        raise ModelError("There is no NVIDIA GPU here: use --device cpu.")
    if kind == "mps" and (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        raise ModelError("MPS is for Macs with Apple silicon: use --device cpu or cuda.")
    return resolved


def describe_device(name: str) -> str:
    """Return what distinguishes the speed of a device: a GPU's name, a CPU's number of threads."""
    resolved = resolve_device(name)
    kind, _, index = resolved.partition(":")
    if kind == "cuda":
        return _gpu_name(int(index or 0))
    threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count())
    return f"{kind} {platform.machine()} {threads} threads"


@cache
def _gpu_name(index: int) -> str:
    nvml = _nvml()
    if nvml is None:
        return f"cuda {index}"
    try:
        handle, text = ctypes.c_void_p(), ctypes.create_string_buffer(96)
        nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle))
        nvml.nvmlDeviceGetName(handle, text, ctypes.c_uint(96))
        return text.value.decode(errors="replace") or f"cuda {index}"
    finally:
        nvml.nvmlShutdown()


@cache
def _cuda_in_torch() -> bool:
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    lib = Path(spec.origin).parent / "lib"
    return any(
        (lib / name).exists() for name in ("libtorch_cuda.so", "torch_cuda.dll", "libtorch_hip.so")
    )


@cache
def _count_gpus() -> int:
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return 0
    nvml = _nvml()
    if nvml is None:
        return 0
    count = ctypes.c_uint(0)
    try:
        return count.value if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) == 0 else 0
    finally:
        nvml.nvmlShutdown()


def _nvml() -> ctypes.CDLL | None:
    """Return NVIDIA's management library, which unlike CUDA leaves the process fit to fork."""
    try:
        nvml = ctypes.CDLL("nvml.dll" if os.name == "nt" else "libnvidia-ml.so.1")
    except OSError:
        return None
    return nvml if nvml.nvmlInit_v2() == 0 else None
