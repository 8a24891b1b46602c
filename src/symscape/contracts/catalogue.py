"""All contracts by name, and checking them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from symscape.contracts.conservation import curl, force_gradient, stress_strain, symmetric_forces
from symscape.contracts.invariance import (
    cell_choice,
    equivalent_points,
    permutation,
    rotation,
    space_group,
    supercell,
    translation,
)
from symscape.contracts.potential import Potential
from symscape.contracts.result import DEFAULT_SETTINGS, ContractResult, ContractSettings
from symscape.contracts.scan import smoothness
from symscape.crystal.crystal import Crystal
from symscape.crystal.slice import Slice

CrystalContract = Callable[[Potential, Crystal, ContractSettings], ContractResult]
SliceContract = Callable[[Potential, Slice, ContractSettings], ContractResult]

Contract = TypeVar("Contract", CrystalContract, SliceContract)


def _by_name(*contracts: Contract) -> dict[str, Contract]:
    """Return contracts by the names of their functions."""
    return {contract.__name__: contract for contract in contracts}


#: contracts about the energy of one crystal
ENERGY_CONTRACTS: dict[str, CrystalContract] = _by_name(
    rotation, translation, permutation, supercell, cell_choice, space_group, smoothness
)
#: contracts about the forces and the stress of one crystal
FORCE_CONTRACTS: dict[str, CrystalContract] = _by_name(
    symmetric_forces, force_gradient, stress_strain
)
#: contracts about a slice
SLICE_CONTRACTS: dict[str, SliceContract] = _by_name(equivalent_points, curl)


def check_crystal(
    model: Potential,
    crystal: Crystal,
    settings: ContractSettings = DEFAULT_SETTINGS,
    *,
    forces: bool = True,
) -> dict[str, ContractResult]:
    """Check every contract about one crystal.

    Parameters
    ----------
    model
        The potential.
    crystal
        Any crystal, at an equilibrium or not.
    settings
        How thoroughly.
    forces
        Whether to check forces and stress as well as energies.
    """
    chosen = ENERGY_CONTRACTS | FORCE_CONTRACTS if forces else ENERGY_CONTRACTS
    return {name: contract(model, crystal, settings) for name, contract in chosen.items()}


def check_slice(
    model: Potential, slice: Slice, settings: ContractSettings = DEFAULT_SETTINGS
) -> dict[str, ContractResult]:
    """Check every contract about one slice."""
    return {name: contract(model, slice, settings) for name, contract in SLICE_CONTRACTS.items()}
