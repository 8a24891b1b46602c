"""All contracts, and checking them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Checked:
    """A contract, and what it found.

    Parameters
    ----------
    contract
        One of those below.
    result
        By how much the potential breaks it.
    """

    contract: CrystalContract | SliceContract
    result: ContractResult

    @property
    def name(self) -> str:
        """``under_rotations``, ..."""
        # a function has a name, as `Callable` does not know
        return str(self.contract.__name__)


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
) -> tuple[Checked, ...]:
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
    tuple of Checked
        What each contract found, those about energies first.
    """
    chosen = (*ENERGY_CONTRACTS, *FORCE_CONTRACTS) if forces else ENERGY_CONTRACTS
    return tuple(Checked(contract, contract(model, crystal, settings)) for contract in chosen)


def check_slice(
    model: Potential, slice: Slice, settings: ContractSettings = DEFAULT_SETTINGS
) -> tuple[Checked, ...]:
    """Check every contract about one slice; as `check_crystal`."""
    return tuple(Checked(check, check(model, slice, settings)) for check in SLICE_CONTRACTS)
