"""Relaxing crystals with a model: at fixed symmetry, and freely after a small push.

The fixed relaxation (ASE's ``FixSymmetry`` and ``FrechetCellFilter``) starts at the DFT geometry;
the free one starts where that ended, with atoms and cell pushed a little, for the forces of a
symmetric crystal never break its symmetry by themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from symscape.crystal.structures import Structures
from symscape.errors import ModelError
from symscape.models.base import EnergyModel
from symscape.models.cache import structure_keys

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.models.cache import EnergyCache
    from symscape.models.evaluate import Evaluator

#: to be counted up when relaxations are done in another way, so that no old outcome is taken
_PROCEDURE = 1
#: energy per atom that a broken symmetry must gain to count as broken, eV/atom
SIGNIFICANT_GAIN_EV = 1e-3


@dataclass(frozen=True)
class RelaxSettings:
    """How crystals are relaxed.

    Parameters
    ----------
    force_eV_A
        Largest force on an atom, and on the cell per atom, at which a relaxation ends.
    max_steps
        Optimizer steps after which it has not converged.
    push_A
        Standard deviation of the atoms' random displacements before the free relaxation.
    strain
        Standard deviation of the components of the cell's random strain, ditto.
    symprec_A
        spglib's tolerance for the space group of what was relaxed freely.
    seed
        Of the random displacements and strains.
    """

    force_eV_A: float = 0.01
    max_steps: int = 200
    push_A: float = 0.03
    strain: float = 0.01
    symprec_A: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class Relaxed:
    """What became of a crystal.

    Parameters
    ----------
    energy_start, energy_fixed, energy_free
        eV/atom at the start, relaxed at fixed symmetry and freely; NaN where there is none.
    space_group, space_group_free
        Numbers of the start and of what was relaxed freely; 0 if spglib finds none.
    volume_change
        Relative, of the relaxation at fixed symmetry.
    lattice_change
        Largest relative change of a length in the crystal, ditto.
    converged_fixed, converged_free
        Whether the forces got small enough.
    steps
        Of both relaxations.
    failed
        Why there is no result; empty if there is one.
    """

    energy_start: float = np.nan
    energy_fixed: float = np.nan
    energy_free: float = np.nan
    space_group: int = 0
    space_group_free: int = 0
    volume_change: float = np.nan
    lattice_change: float = np.nan
    converged_fixed: bool = False
    converged_free: bool = False
    steps: int = 0
    failed: str = ""

    @property
    def gained(self) -> float:
        """Energy gained by breaking the symmetry, eV/atom; not negative."""
        return max(self.energy_fixed - self.energy_free, 0.0)

    @property
    def kept_symmetry(self) -> bool:
        """Whether the free relaxation ended in the same space group, or gained nothing.

        On a flat landscape it ends anywhere, which says nothing about the symmetry.
        """
        return self.space_group_free == self.space_group or self.gained < SIGNIFICANT_GAIN_EV


def relax_with(
    atoms: Atoms, calculator: Any, settings: RelaxSettings | None = None, *, free: bool = True
) -> Relaxed:
    """Relax a crystal at fixed symmetry and freely.

    Parameters
    ----------
    atoms
        A periodic crystal; not changed.
    calculator
        An ASE calculator with forces and stress.
    settings
        How.
    free
        Whether to relax it freely too.
    """
    settings = settings or RelaxSettings()
    work = atoms.copy()
    work.calc = calculator
    start, cell = float(work.get_potential_energy()), work.cell.array.copy()
    group = space_group_number(work, 0.01)
    fixed_steps, fixed_done = _relax(work, settings, fixed=True)
    n = len(atoms)
    volume, lattice = cell_changes(cell, work.cell.array)
    relaxed = Relaxed(
        energy_start=start / n,
        energy_fixed=float(work.get_potential_energy()) / n,
        space_group=group,
        volume_change=volume,
        lattice_change=lattice,
        converged_fixed=fixed_done,
        steps=fixed_steps,
    )
    if not free:
        return relaxed
    push(work, settings)
    free_steps, free_done = _relax(work, settings, fixed=False)
    return replace(
        relaxed,
        energy_free=float(work.get_potential_energy()) / n,
        space_group_free=space_group_number(work, settings.symprec_A),
        converged_free=free_done,
        steps=fixed_steps + free_steps,
    )


def cell_changes(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Return the relative change of a cell's volume and the largest one of a length in it."""
    volume = abs(np.linalg.det(after) / np.linalg.det(before)) - 1
    stretches = np.linalg.svd(np.linalg.solve(before, after), compute_uv=False)
    return float(volume), float(np.abs(stretches - 1).max())


def push(work: Atoms, settings: RelaxSettings) -> None:
    """Break the symmetry a little, in place."""
    random = np.random.default_rng(settings.seed)
    strain = random.normal(scale=settings.strain, size=(3, 3))
    work.set_cell(work.cell.array @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    work.positions += random.normal(scale=settings.push_A, size=work.positions.shape)


def _relax(work: Atoms, settings: RelaxSettings, *, fixed: bool) -> tuple[int, bool]:
    """Relax cell and positions in place; return the steps and whether that converged."""
    from ase.constraints import FixSymmetry
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    if fixed:
        work.set_constraint(FixSymmetry(work, symprec=1e-3, verbose=False))
    try:
        optimizer = BFGS(FrechetCellFilter(work), logfile=None, maxstep=0.1)
        done = bool(optimizer.run(fmax=settings.force_eV_A, steps=settings.max_steps))
    finally:
        work.set_constraint()
    return int(optimizer.nsteps), done


def space_group_number(atoms: Atoms, symprec: float) -> int:
    """Return the number of the space group that spglib finds; 0 if it finds none."""
    import spglib

    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    try:
        dataset = spglib.get_symmetry_dataset(cell, symprec=symprec)
    except getattr(spglib, "SpglibError", ()):  # newer versions raise, older ones return None
        return 0
    return 0 if dataset is None else int(dataset.number)


def relax_table(
    names: Iterable[str],
    structures: Iterable[Atoms],
    model: EnergyModel,
    settings: RelaxSettings | None = None,
    *,
    cache: EnergyCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Relax crystals with a model, one after another.

    Parameters
    ----------
    names, structures
        Of the crystals.
    model
        The potential.
    settings
        How.
    cache
        Where every step's energies are kept, so that an interrupted relaxation goes on, and what
        came of it: the same relaxation again is looked up.
    progress
        Called with (crystals done, crystals in all).

    Returns
    -------
    DataFrame
        One row a crystal: ``id``, the fields of `Relaxed`, ``gained`` (meV/atom) and
        ``kept_symmetry``. A crystal at which the model fails has ``failed`` with the reason.
    """
    from symscape.models.answers import reason

    settings = settings or RelaxSettings()
    calculator = model_calculator(model, cache)
    rows: list[dict[str, Any]] = []
    pairs = list(zip(names, structures, strict=True))
    for name, atoms in pairs:
        question = _question(atoms, settings)
        known = cache.get_outcome(model.fingerprint, question) if cache is not None else None
        if known is not None:
            relaxed = Relaxed(**json.loads(known))
        else:
            try:
                relaxed = relax_with(atoms, calculator, settings)
            except Exception as error:
                relaxed = Relaxed(failed=reason(error))
            if cache is not None and not relaxed.failed:
                outcome = json.dumps(asdict(relaxed))
                cache.put_outcome(model.fingerprint, model.card.name, question, outcome)
        rows.append(
            {
                "id": name,
                **asdict(relaxed),
                "gained": 1000 * relaxed.gained,
                "kept_symmetry": relaxed.kept_symmetry,
            }
        )
        if progress is not None:
            progress(len(rows), len(pairs))
    made = pd.DataFrame(rows)
    made.attrs["settings"] = {"relaxation": asdict(settings)}
    return made


def _question(atoms: Atoms, settings: RelaxSettings) -> bytes:
    """Return a hash of all that decides what becomes of a crystal, the model apart."""
    import ase

    (start,) = structure_keys(Structures.from_atoms([atoms]))
    how = [_PROCEDURE, ase.__version__, asdict(settings)]
    return hashlib.blake2b(start + json.dumps(how).encode(), digest_size=16).digest()


def model_calculator(model: EnergyModel | Evaluator, cache: EnergyCache | None = None) -> Any:
    """Return an ASE calculator that asks a model, and the cache first if there is one."""
    from symscape.models.evaluate import evaluator_of

    return _calculator_class()(evaluator_of(model, cache))


@cache
def _calculator_class() -> type:
    """Make the class late, for ASE takes a while to import."""
    from ase.calculators.calculator import Calculator, all_changes

    class ModelCalculator(Calculator):
        """Energies, forces and stress of an `EnergyModel`."""

        implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012

        def __init__(self, asked: Evaluator) -> None:
            super().__init__()
            self.asked = asked

        def calculate(
            self,
            atoms: Any = None,
            properties: Any = ("energy",),
            system_changes: Any = all_changes,
        ) -> None:
            super().calculate(atoms, properties, system_changes)
            one = Structures.from_atoms([self.atoms])
            found = self.asked.evaluate(one, forces=True, stresses=True)
            if found.failures:
                raise ModelError(found.failures[0])
            energy = float(found.energies[0])
            assert found.forces is not None
            assert found.stresses is not None
            stress = found.stresses[0]
            self.results = {
                "energy": energy,
                "free_energy": energy,
                "forces": found.forces,
                "stress": stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]],
            }

    return ModelCalculator
