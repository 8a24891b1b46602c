"""Steps of an interrupted relaxation, told to the optimizer again so that it knows what it knew."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from symscape.decode import dumps, encode
from symscape.dft.events import RelaxStep
from symscape.dft.results import WorkerSetup
from symscape.references.method import Method

#: an optimizer that begins computes where another ended within this, angstrom: journals keep 1e-8
_SAME_A = 1e-6
#: one that is told steps again asks for them within this, angstrom
_NEAR_A = 1e-4


def made_with(setup: WorkerSetup, method: Method, *, stress: bool) -> str:
    """Return a digest of what an answer of a worker depends on beside the geometry."""
    content = [encode(setup.settings), encode(setup.engine), encode(method), stress]
    return hashlib.sha256(dumps(content).encode()).hexdigest()[:12]


def since_beginning(past: Sequence[RelaxStep]) -> Sequence[RelaxStep]:
    """Return the steps since the optimizer last began.

    One that begins computes the geometry at which another ended once more, or computes otherwise.
    Steps of journals that do not say how they were computed are left out.
    """
    first = len(past)
    while first and past[first - 1].made_with:
        first -= 1
        if first and (
            past[first].made_with != past[first - 1].made_with
            or is_at(past[first], *geometry_of(past[first - 1]), _SAME_A)
        ):
            break
    return past[first:]


def geometry_of(step: RelaxStep) -> tuple[np.ndarray, np.ndarray]:
    """Return cell, (3, 3), and Cartesian positions, (n_atoms, 3), both in angstrom."""
    cell = np.array(step.cell_A)
    return cell, np.array(step.positions) @ cell


def is_at(
    step: RelaxStep, cell: np.ndarray, positions: np.ndarray, within_A: float = _NEAR_A
) -> bool:
    """Whether a step was computed at this geometry, in angstrom as `geometry_of`."""
    own = geometry_of(step)
    return all(
        bool(np.abs(a - b).max() <= within_A) for a, b in zip(own, (cell, positions), strict=True)
    )


def place(atoms: Any, step: RelaxStep) -> None:
    """Bring atoms to where a step was computed."""
    cell, positions = geometry_of(step)
    atoms.set_cell(cell)
    atoms.positions[:] = positions
