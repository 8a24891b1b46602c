"""Versions of what a run's results depend on."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from symscape.models.devices import resolve_device
from symscape.models.threads import describe_threads

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel

#: distributions whose versions can change a result
_VERSIONED = ("symscape", "numpy", "scipy", "ase", "pymatgen", "spglib", "torch")


def versions(model: EnergyModel, workers: int = 1) -> dict[str, str]:
    """Versions of what the results depend on, found without importing it.

    Parameters
    ----------
    workers
        Processes of the run, which share the cores.
    """
    found = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    names = [*_VERSIONED, getattr(model, "distribution", "")]
    for name in filter(None, names):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    # "auto" would not say what the numbers were computed on
    return {
        **found,
        "threads": describe_threads(workers, model.thread_safe),
        "device": resolve_device(model.device),
    }
