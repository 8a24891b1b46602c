"""All contracts, and checking them all."""

from __future__ import annotations

from collections.abc import Callable

from symscape.crystal.crystal import Crystal
from symscape.crystal.slice import Slice
from symscape.science.contracts.conservation import (
    forces_by_energy,
    forces_by_symmetry,
    stress_by_energy,
    work_around_loops,
)
from symscape.science.contracts.invariance import (
    at_equivalent_grid_points,
    in_other_cells,
    in_supercells,
    under_permutations,
    under_rotations,
    under_space_group_operations,
    under_translations,
)
from symscape.science.contracts.potential import Potential
from symscape.science.contracts.result import DEFAULT_SETTINGS, ContractResult, ContractSettings
from symscape.science.contracts.scan import smoothness

CrystalContract = Callable[[Potential, Crystal, ContractSettings], ContractResult]
SliceContract = Callable[[Potential, Slice, ContractSettings], ContractResult]

#: about the energy of one crystal
ENERGY_CONTRACTS: tuple[CrystalContract, ...] = (
    under_rotations,
    under_translations,
    under_permutations,
    in_supercells,
    in_other_cells,
    under_space_group_operations,
    smoothness,
)
#: about the forces and the stress of one crystal
FORCE_CONTRACTS: tuple[CrystalContract, ...] = (
    forces_by_symmetry,
    forces_by_energy,
    stress_by_energy,
)
#: about a slice
SLICE_CONTRACTS: tuple[SliceContract, ...] = (at_equivalent_grid_points, work_around_loops)


def check_crystal(
    model: Potential,
    crystal: Crystal,
    settings: ContractSettings = DEFAULT_SETTINGS,
    *,
    forces: bool = True,
) -> dict[CrystalContract, ContractResult]:
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

    Returns
    -------
    dict
        What each contract found, by the contract itself.
    """
    chosen = (*ENERGY_CONTRACTS, *FORCE_CONTRACTS) if forces else ENERGY_CONTRACTS
    return {contract: contract(model, crystal, settings) for contract in chosen}


def check_slice(
    model: Potential, slice: Slice, settings: ContractSettings = DEFAULT_SETTINGS
) -> dict[SliceContract, ContractResult]:
    """Check every contract about one slice; as `check_crystal`."""
    return {contract: contract(model, slice, settings) for contract in SLICE_CONTRACTS}
