"""Small things that adapters of torch packages share. Nothing here imports torch at import."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from symscape.crystal.structures import Structures
from symscape.graphs.neighbors import Bonds
from symscape.graphs.responses import forces_from_bonds, stresses_from_bonds
from symscape.models.base import Prediction


def to_numpy(tensor: Any) -> np.ndarray:
    """Return a tensor as a float64 array on the host."""
    return tensor.detach().cpu().numpy().astype(float)


def is_exactly(module: Any, where: str, *names: str) -> bool:
    """Whether a module's class has one of these names and stands in a package; no heir's.

    Parameters
    ----------
    where
        Dotted name of the package or of one above it.
    """
    kind = type(module)
    return kind.__name__ in names and f"{kind.__module__}.".startswith(f"{where}.")


@contextmanager
def default_dtype(torch: Any, name: str) -> Iterator[None]:
    """Set torch's default floating-point type and put the old one back.

    Several packages build their graphs in the default type or set it for good when they load.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def gradients(torch: Any, wanted: bool) -> Iterator[None]:
    """Record the graph for a backward pass, or make sure that nothing does."""
    with torch.enable_grad() if wanted else torch.no_grad():
        yield


@contextmanager
def importing_e3nn() -> Iterator[None]:
    """Let e3nn 0.4 be imported with torch 2.6 and later.

    It reads a table of its own with ``torch.load``, which since then refuses the ``slice`` in it.
    """
    name = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=f".*{name}.*")
            yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def respond(
    batch: Structures,
    bonds: Bonds,
    vectors: Any,
    energies: np.ndarray,
    slopes: Any,
    forces: bool,
    stresses: bool,
) -> Prediction:
    """Return what is asked for from the energies and their derivatives by the bonds' vectors.

    Parameters
    ----------
    batch, bonds, vectors
        Structures, each bond once, and its vector in angstrom.
    energies
        eV, shape (n_structures,) in any form.
    slopes
        eV/angstrom, shape (n_bonds, 3).
    """
    found = np.asarray(energies).reshape(len(batch))
    return Prediction(
        found,
        to_numpy(forces_from_bonds(len(batch.numbers), bonds, slopes)) if forces else None,
        to_numpy(stresses_from_bonds(batch.cells, bonds, vectors, slopes)) if stresses else None,
    )
