"""Relaxing many crystals at once with TorchSim's FIRE, whatever the family of the model.

TorchSim (Cohen et al., AI for Science 1, 025003 (2025)) moves all crystals of a batch together; the
forces are the model's own, from the batch path of `symscape.models`. Symmetry is fixed as ASE's
``FixSymmetry`` does it: forces and stress are averaged over the operations of the start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.crystal.structures import Structures
from symscape.models.answers import reason
from symscape.models.evaluate import Evaluator, evaluator_of
from symscape.models.weights import distribution_version, package_folder
from symscape.science.hull.procedure import RelaxSettings
from symscape.science.hull.relax import Relaxed, cell_changes, push, space_group_number

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.models.base import EnergyModel

#: versions with the interface that is used here begin so
_KNOWN = "0.3."
#: tolerance for the operations of the start, that of `hull.relax`, angstrom
_SYMPREC_A = 1e-3


def torch_sim_version() -> str | None:
    """Return the version of TorchSim that is installed, None for none or another interface."""
    if package_folder("torch_sim") is None:
        return None
    version = distribution_version("torch-sim-atomistic")
    return version if version.startswith(_KNOWN) else None


@dataclass
class _Outcome:
    """Where a relaxation of one crystal is: eV, angstrom."""

    atoms: Atoms
    energy_start: float = np.nan
    energy: float = np.nan
    steps: int = 0
    converged: bool = False
    failed: str = ""


def relax_together(
    images: list[Atoms], model: EnergyModel | Evaluator, settings: RelaxSettings, *, free: bool
) -> list[Relaxed]:
    """Relax crystals at fixed symmetry and, if asked for, freely after a small push.

    Parameters
    ----------
    images
        Periodic crystals; not changed.
    model
        Any potential with forces and stress.
    settings
        How; steps are FIRE's.
    free
        Whether to relax them freely too.

    Returns
    -------
    list of Relaxed
        As `hull.relax.relax_with` gives them. A crystal at which the model fails has ``failed``.
    """
    asked = evaluator_of(model)
    fixed = _relax(images, asked, settings, fixed=True)
    relaxed = [_fixed_part(a, o) for a, o in zip(images, fixed, strict=True)]
    if not free:
        return relaxed
    going = [k for k, outcome in enumerate(fixed) if not outcome.failed]
    pushed = []
    for k in going:
        pushed.append(fixed[k].atoms.copy())
        push(pushed[-1], settings)
    for k, outcome in zip(going, _relax(pushed, asked, settings, fixed=False), strict=True):
        if outcome.failed:
            relaxed[k] = Relaxed(failed=outcome.failed)
            continue
        relaxed[k] = replace(
            relaxed[k],
            energy_free=outcome.energy / len(outcome.atoms),
            space_group_free=space_group_number(outcome.atoms, settings.symprec_A),
            converged_free=outcome.converged,
            steps=relaxed[k].steps + outcome.steps,
        )
    return relaxed


def _fixed_part(start: Atoms, outcome: _Outcome) -> Relaxed:
    if outcome.failed:
        return Relaxed(failed=outcome.failed)
    volume, lattice = cell_changes(start.cell.array, outcome.atoms.cell.array)
    return Relaxed(
        energy_start=outcome.energy_start / len(start),
        energy_fixed=outcome.energy / len(start),
        space_group=space_group_number(start, 0.01),
        volume_change=volume,
        lattice_change=lattice,
        converged_fixed=outcome.converged,
        steps=outcome.steps,
    )


def _relax(
    images: list[Atoms], model: Evaluator, settings: RelaxSettings, *, fixed: bool
) -> list[_Outcome]:
    """Relax cells and positions of all crystals together."""
    if not images:
        return []
    import torch

    initialize = import_module("torch_sim").initialize_state
    optimizer = import_module("torch_sim.optimizers").frechet_cell_fire
    outcomes = [_Outcome(atoms.copy()) for atoms in images]
    operations, failed = _operations(images) if fixed else ([None] * len(images), {})
    asked = _interface()(model, [len(atoms) for atoms in images], operations, failed)
    state = initialize(images, torch.device("cpu"), torch.float64)
    init, update = optimizer(model=asked)
    state = init(state)
    for outcome, energy in zip(outcomes, asked.energies, strict=True):
        outcome.energy_start = float(energy)
    for step in range(settings.max_steps + 1):
        _settle(state, asked, outcomes, settings, step)
        if not asked.active.any() or step == settings.max_steps:
            break
        state = update(state)
    return outcomes


def _settle(
    state: Any, asked: Any, outcomes: list[_Outcome], settings: RelaxSettings, step: int
) -> None:
    """Note what has converged, failed or run out of steps, and let it rest from now on."""
    forces = state.forces.norm(dim=1).numpy()
    cell_forces = state.cell_forces.norm(dim=2).amax(dim=1).numpy()
    ends = np.concatenate([[0], np.cumsum(asked.counts)])
    for k in np.flatnonzero(asked.active):
        own = slice(ends[k], ends[k + 1])
        outcome = outcomes[k]
        if k in asked.failed:
            outcome.failed = asked.failed[k]
        elif max(forces[own].max(), cell_forces[k]) < settings.force_eV_A:
            outcome.converged = True
        elif step < settings.max_steps:
            continue
        asked.active[k] = False
        outcome.steps, outcome.energy = step, float(asked.energies[k])
        cell = state.row_vector_cell[k].numpy().copy()
        outcome.atoms.set_cell(cell)
        outcome.atoms.positions = state.positions[own].numpy().copy()


def _operations(images: list[Atoms]) -> tuple[list[Any], dict[int, str]]:
    """Return each crystal's operations, and why there are none."""
    from ase.spacegroup.symmetrize import prep_symmetry

    found: list[Any] = []
    failed: dict[int, str] = {}
    for k, atoms in enumerate(images):
        try:
            found.append(prep_symmetry(atoms, symprec=_SYMPREC_A))
        except Exception as error:
            found.append(None)
            failed[k] = reason(error)
    return found, failed


@cache
def _interface() -> type:
    """Make the class late, for torch takes a while to import."""
    import torch

    base: Any = import_module("torch_sim.models.interface").ModelInterface

    class BatchedModel(base):  # type: ignore[misc]
        """An `EnergyModel` as TorchSim asks for one; crystals that rest are not evaluated."""

        def __init__(
            self,
            asked: Evaluator,
            counts: list[int],
            operations: list[Any],
            failed: dict[int, str],
        ) -> None:
            super().__init__()
            self._device, self._dtype = torch.device("cpu"), torch.float64
            self._compute_stress = self._compute_forces = True
            self.asked = asked
            self.counts = np.array(counts)
            self.operations = operations
            self.failed = failed
            self.active = np.ones(len(counts), dtype=bool)
            self.energies = np.full(len(counts), np.nan)

        def forward(self, state: Any, **_: Any) -> dict[str, Any]:
            """Return energies, and forces and stress of the crystals that still move."""
            n = len(self.counts)
            cells = state.row_vector_cell.numpy()
            everything = Structures(
                state.atomic_numbers.numpy().astype(int),
                state.positions.numpy(),
                cells,
                np.concatenate([[0], np.cumsum(self.counts)]),
            )
            forces, stresses = np.zeros_like(everything.positions), np.zeros((n, 3, 3))
            self._ask(everything, forces, stresses)
            return {
                "energy": torch.from_numpy(np.nan_to_num(self.energies)),
                "forces": torch.from_numpy(forces),
                "stress": torch.from_numpy(stresses),
            }

        def _ask(self, everything: Structures, forces: np.ndarray, stresses: np.ndarray) -> None:
            moving = [int(k) for k in np.flatnonzero(self.active) if k not in self.failed]
            found = self.asked.evaluate(everything[moving], forces=True, stresses=True)
            assert found.forces is not None
            assert found.stresses is not None
            start = 0
            for j, k in enumerate(moving):
                own = slice(everything.offsets[k], everything.offsets[k + 1])
                part = found.forces[start : start + self.counts[k]]
                start += self.counts[k]
                if j in found.failures:
                    self.failed[k] = found.failures[j]
                    continue
                self.energies[k] = found.energies[j]
                forces[own], stresses[k] = self._symmetrized(
                    k, everything.cells[k], part, found.stresses[j]
                )

        def _symmetrized(
            self, k: int, cell: np.ndarray, forces: np.ndarray, stress: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray]:
            if self.operations[k] is None:
                return forces, stress
            from ase.spacegroup.symmetrize import symmetrize_rank1, symmetrize_rank2

            rotations, translations, maps = self.operations[k]
            inverse = np.linalg.inv(cell)
            return (
                symmetrize_rank1(cell, inverse, forces, rotations, translations, maps),
                symmetrize_rank2(cell, inverse, stress, rotations),
            )

    return BatchedModel
