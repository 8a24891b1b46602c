"""The outcome of one contract, and what contracts have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.structures import Structures
from symscape.science.contracts.details import ContractDetail, Skipped


@dataclass(frozen=True)
class ContractResult:
    """By how much a potential breaks something that must hold for any potential.

    Parameters
    ----------
    value
        Size of the worst violation in ``unit``; NaN where the contract asks nothing (no free
        coordinate, no stress), ``detail`` is `Skipped` then and says why.
    unit
        ``meV/atom``, ``meV/angstrom``, ``meV/angstrom^3``.
    detail
        Where the worst violation is, and further numbers; None where there is nothing to say.
    """

    value: float
    unit: str
    detail: ContractDetail | None = None

    @property
    def applies(self) -> bool:
        """Whether there was anything to check."""
        return not isinstance(self.detail, Skipped)


@dataclass(frozen=True)
class ContractSettings:
    """How thoroughly contracts are checked.

    Parameters
    ----------
    seed
        Of everything random.
    rattle
        Standard deviation in angstrom of the random displacements that break the symmetry of a
        crystal where a symmetric one would hide a violation.
    samples
        Number of random rotations, translations, permutations, and of symmetry operations.
    step
        Step in angstrom of numerical derivatives; large enough for energies in float32.
    strain_step
        Step of numerical derivatives with respect to strain.
    """

    seed: int = 20260203
    rattle: float = 0.05
    samples: int = 6
    step: float = 0.01
    strain_step: float = 0.002

    def rng(self) -> np.random.Generator:
        """Return a fresh random generator."""
        return np.random.default_rng(self.seed)


DEFAULT_SETTINGS = ContractSettings()


def skipped(unit: str, reason: str) -> ContractResult:
    """Return the result of a contract that asks nothing here."""
    return ContractResult(float("nan"), unit, Skipped(reason))


def rattled(crystal: Crystal | Structures, settings: ContractSettings) -> Structures:
    """Return structures without symmetry: random displacements of primitive cells.

    Parameters
    ----------
    crystal
        A crystal, taken in its primitive cell, or any structures.
    settings
        Seed and size of the displacements.
    """
    if isinstance(crystal, Crystal):
        crystal = Structures.from_atoms([crystal.to_atoms(primitive=True)])
    moves = settings.rng().normal(scale=settings.rattle, size=crystal.positions.shape)
    return Structures(crystal.numbers, crystal.positions + moves, crystal.cells, crystal.offsets)


def join(parts: list[Structures]) -> Structures:
    """Put sequences of structures one after another."""
    counts = np.concatenate([part.n_atoms for part in parts])
    return Structures(
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.cells for part in parts]),
        np.concatenate([[0], np.cumsum(counts)]),
    )
