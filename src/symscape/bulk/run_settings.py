"""What is asked of a model on a data set: plain values that travel to other processes."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symscape.bulk.symmetry import SYMPREC_A
from symscape.errors import ScaleError
from symscape.models.registry import resolve
from symscape.models.spec import ModelSpec
from symscape.science.hull.procedure import RelaxSettings

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel

#: what may be relaxed: nothing, at fixed symmetry, at fixed symmetry and then freely
RELAX = ("none", "fixed", "free")
#: what relaxes, crystals side by side: TorchSim's FIRE, or the steps of ASE's BFGS
OPTIMIZERS = ("auto", "torch-sim", "ase")


@dataclass(frozen=True)
class RunSettings:
    """What is done with each crystal.

    Parameters
    ----------
    relax
        One of `RELAX`.
    optimizer
        One of `OPTIMIZERS`; ``auto`` until it is known what the workers have.
    relaxation
        Where relaxations end.
    symprec_A
        spglib's tolerance for the crystals' symmetry, angstrom.
    """

    relax: str = "none"
    optimizer: str = "auto"
    relaxation: RelaxSettings = field(default_factory=RelaxSettings)
    symprec_A: float = SYMPREC_A

    def __post_init__(self) -> None:
        for name, value, known in (
            ("relax", self.relax, RELAX),
            ("optimizer", self.optimizer, OPTIMIZERS),
        ):
            if value not in known:
                raise ScaleError(f"--{name} is {value!r}, but must be one of {', '.join(known)}.")


@dataclass(frozen=True)
class Identity:
    """What the results depend on, as the process that computes them knows it.

    Parameters
    ----------
    fingerprint
        Of the model.
    optimizer
        ``torch-sim 0.3.0`` or ``ase 3.29.0``.
    """

    fingerprint: str
    optimizer: str


def identify(spec: ModelSpec, settings: RunSettings) -> Identity:
    """Return what the results depend on; loads no weights.

    A calculator that nobody vouches for has a fingerprint that holds for one process only
    (`models.ase`); here it is taken for the same as long as its source and package are.

    Raises
    ------
    ModelError
        If the model's package or weights are missing here.
    ScaleError
        If the optimizer is.
    """
    model = resolve(spec)
    model.check_installed()
    known = getattr(model, "identity", None)
    if not model.cacheable and isinstance(known, dict):
        known = {key: value for key, value in known.items() if key != "process"}
        text = json.dumps(known, sort_keys=True, default=str)
        fingerprint = hashlib.sha256(text.encode()).hexdigest()
    else:
        fingerprint = model.fingerprint
    return Identity(fingerprint, _optimizer(model, settings))


def _optimizer(model: EnergyModel, settings: RunSettings) -> str:
    """Name what relaxes here, with its version; empty where nothing is relaxed."""
    if settings.relax == "none":
        return ""
    import ase

    from symscape.bulk.torchsim import torch_sim_version

    version = torch_sim_version()
    if settings.optimizer == "torch-sim" and version is None:
        raise ScaleError(
            "torch-sim of a version that symscape knows is not installed where the model runs; run "
            "'pip install symscape[torchsim]' there, or take --optimizer ase."
        )
    # one ASE calculator computes one structure at a time, batches or not
    batched = settings.optimizer == "torch-sim" or model.card.family != "ase"
    if settings.optimizer != "ase" and version is not None and batched:
        return f"torch-sim {version}"
    return f"ase {ase.__version__}"


def usable_cores(device: str) -> int:
    """Return how many workers make sense here: one a core that is ours, one for a GPU.

    Raises
    ------
    ModelError
        If there is no such device.
    """
    from symscape.models.devices import device_kind

    if device_kind(device) != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
