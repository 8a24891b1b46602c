"""Relaxing a plan's crystal at fixed symmetry: cell and positions, resumable step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.units import GPa

from symscape.crystal.crystal import Crystal
from symscape.decode import Finite
from symscape.dft.engine import ATTEMPTS
from symscape.dft.events import OF_PLANS, RelaxStep
from symscape.dft.journal import Journal, now, read_journal
from symscape.dft.ledger import care_after
from symscape.dft.plan import Plan, RelaxTarget, load_plan
from symscape.dft.plan_crystal import crystal_digest
from symscape.dft.pool import Worker
from symscape.dft.relaxed import RelaxedCell, RelaxedCrystal, write_relaxed
from symscape.dft.replay import is_at, made_with, place, since_beginning
from symscape.dft.results import Computed, Failure, StoredGeometry, Task, WorkerSetup
from symscape.dft.settings import Settings
from symscape.dft.version import symscape_version
from symscape.errors import EngineError, PlanError
from symscape.progress import Progress, quiet
from symscape.references.provenance import RelaxationSummary

#: how often the k-mesh is fitted to the relaxed cell before that must be good enough
_ROUNDS = 4
#: largest deviation of a relaxed atom from the crystal's own symmetry, angstrom
_SYMMETRIC_A = 1e-3


def relax_plan(
    plan: Plan, *, nice: int = 0, command: str = "", progress: Progress | None = None
) -> Plan:
    """Relax a plan's crystal and return the plan with the relaxed one.

    ASE's ``FixSymmetry`` keeps the space group and ``FrechetCellFilter`` moves the cell. Every step
    is journalled, so that an interrupted relaxation goes on where it was. The k-mesh stays the same
    during a round and is fitted to the relaxed cell before the next.

    Raises
    ------
    PlanError
        If the plan has no ``[relax]`` table.
    EngineError
        If the engine can't be loaded, a step fails as often as it is tried, or the relaxation does
        not converge.
    """
    if plan.relaxed is None:
        relax_crystal(plan, nice=nice, command=command, progress=progress)
        plan = load_plan(plan.path)
    return plan


def relax_crystal(
    plan: Plan, *, nice: int = 0, command: str = "", progress: Progress | None = None
) -> RelaxedCrystal:
    """Relax a plan's crystal as `relax_plan` does; write what was found beside it and return it.

    The plan's own file is not read, so that a plan made in memory will do.
    """
    if plan.relax is None:
        raise PlanError(
            f"{plan.path}: the plan has no [relax] table; add one to relax its crystal."
        )
    relaxation = _Relaxation(plan, plan.relax, nice, progress or quiet())
    with (
        Journal(plan.journal_path) as journal,
        relaxation.progress.task(f"{plan.name} (relaxation)", plan.relax.max_steps),
    ):
        result = replace(relaxation.run(journal), command=command)
    write_relaxed(plan.path, result)
    return result


class _Relaxation:
    def __init__(self, plan: Plan, target: RelaxTarget, nice: int, progress: Progress) -> None:
        self.plan = plan
        self.target = target
        self.nice = nice
        self.progress = progress
        self.own = crystal_digest(plan.crystal)

    def run(self, journal: Journal) -> RelaxedCrystal:
        """Relax round by round and return what is stored."""
        atoms = self.plan.crystal.to_atoms(primitive=True)
        past = [
            event
            for event in read_journal(self.plan.journal_path, OF_PLANS)
            if isinstance(event, RelaxStep) and event.crystal == self.own
        ]
        told = since_beginning(past)
        if past:
            # the mesh of a round is that of the geometry at which it began
            place(atoms, (told or past[-1:])[0])
        base = replace(self.plan.settings, cutoff_eV=self.target.cutoff_eV)
        for _ in range(_ROUNDS):
            settings = base.with_mesh(atoms.cell.array[None])
            self._round(atoms, settings, journal, past, told)
            told = ()
            if base.with_mesh(atoms.cell.array[None]) == settings:
                return self._result(atoms, len(past))
        raise EngineError(
            f"{self.plan.path}: the k-mesh still changes with the relaxed cell after {_ROUNDS} "
            "rounds; give a k_mesh under [settings]."
        )

    def _round(
        self,
        atoms: Any,
        settings: Settings,
        journal: Journal,
        past: list[RelaxStep],
        told: Sequence[RelaxStep],
    ) -> None:
        """Relax with one k-mesh; what is computed is journalled and added to the steps so far.

        The last of them are told to the optimizer first, if they were computed in the same way.
        """
        folder = self.plan.output_folder / "relax"
        setup = WorkerSetup(self.plan.engine, settings, str(folder), self.nice)
        with asyncio.Runner() as runner:
            worker = Worker(setup, 0)
            try:
                self.method = runner.run(worker.ready())
                how = made_with(setup, self.method, stress=self.target.cell)

                def note(result: Computed) -> None:
                    geometry = vars(StoredGeometry.of(atoms.cell.array, atoms.positions))
                    said = {**vars(result), **geometry}
                    step = RelaxStep(**said, time=now(), crystal=self.own, made_with=how)
                    journal.append(step)
                    past.append(step)
                    self.progress.advance(result.seconds or 0.0)

                atoms.calc = _WorkerCalculator(runner, worker, note, self.target.cell)
                if told and told[-1].made_with == how:
                    atoms.calc.told = list(told)
                elif told:
                    place(atoms, past[-1])
                try:
                    self._optimize(atoms, past)
                except _AnotherWayError:
                    atoms.set_constraint()
                    place(atoms, past[-1])
                    self._optimize(atoms, past)
                self.results = dict(atoms.calc.results)
            finally:
                atoms.set_constraint()
                runner.run(worker.stop())

    def _optimize(self, atoms: Any, past: list[RelaxStep]) -> None:
        """Move atoms, and the cell if it is to relax, until the target is met."""
        from ase.constraints import FixSymmetry
        from ase.filters import FrechetCellFilter
        from ase.optimize import BFGS

        atoms.set_constraint(FixSymmetry(atoms, symprec=1e-3, verbose=False))
        moving = FrechetCellFilter(atoms) if self.target.cell else atoms
        optimizer = BFGS(moving, logfile=None, maxstep=0.08)
        # converged by this target rather than by the optimizer's mixed one
        for _ in optimizer.irun(fmax=0.0, steps=self.target.max_steps):
            force, stress = self._left(atoms)
            if force <= self.target.force_eV_A and stress <= self.target.pressure_GPa:
                break
            count = len(past) - len(atoms.calc.told)
            if count >= self.target.max_steps:
                raise EngineError(
                    f"{self.plan.path}: the relaxation has not converged after {count} steps "
                    f"(largest force {force:.3f} eV/angstrom, stress {stress:.2f} GPa); raise "
                    "max_steps under [relax] and run it again."
                )

    def _left(self, atoms: Any) -> tuple[float, float]:
        """Return the largest force (eV/angstrom) and stress component (GPa)."""
        force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        stress = float(np.abs(atoms.get_stress()).max() / GPa) if self.target.cell else 0.0
        return force, stress

    def _result(self, atoms: Any, steps: int) -> RelaxedCrystal:
        """Return the relaxed crystal as it is stored, in the plan's own setting."""
        crystal, off = relaxed_in_setting(self.plan.crystal, atoms.cell.array, atoms.positions)
        if off > _SYMMETRIC_A:
            raise EngineError(
                f"{self.plan.path}: the relaxed crystal is {off:.4f} angstrom away from its own "
                "space group; check the crystal and relax from another start."
            )
        results = self.results
        forces = np.asarray(results["forces"])
        stress = np.asarray(results.get("stress", np.full(6, np.nan))) / GPa
        cell = RelaxedCell(
            **vars(StoredGeometry.of(atoms.cell.array, atoms.positions)),
            symbols=atoms.get_chemical_symbols(),
            energy_eV=Finite(round(float(results["energy"]), 8)),
            forces_eV_A=np.round(forces, 6).tolist(),
            stress_GPa=np.round(stress, 5).tolist() if np.isfinite(stress).all() else None,
        )
        symbols = crystal.to_atoms().get_chemical_symbols()
        places = (np.round(crystal.positions, 8) + 0.0).tolist()
        return RelaxedCrystal(
            formula=crystal.formula,
            space_group_number=crystal.space_group_number,
            hall_number=crystal.hall_number,
            lattice_A=(np.round(crystal.lattice, 8) + 0.0).tolist(),
            atoms=tuple((symbol, *x) for symbol, x in zip(symbols, places, strict=True)),
            n_lattice=crystal.n_lattice,
            n_wyckoff=crystal.n_wyckoff,
            primitive=cell,
            summary=self._summary(crystal, steps, forces, stress),
            method=self.method,
            start=self.own,
            time=now(),
            symscape=symscape_version(),
        )

    def _summary(
        self, crystal: Crystal, steps: int, forces: np.ndarray, stress: np.ndarray
    ) -> RelaxationSummary:
        """Say in words and numbers what was relaxed; forces in eV/angstrom, stress in GPa."""
        method, left = self.method, Finite(round(float(np.abs(stress).max()), 4))
        return RelaxationSummary(
            relaxed="cell and positions" if self.target.cell else "positions",
            space_group=f"{crystal.symbol} ({crystal.space_group_number}), kept fixed",
            code=method.code,
            version=method.version,
            functional=method.functional,
            cutoff_eV=method.cutoff_eV,
            k_mesh=method.k_mesh,
            largest_force_eV_A=Finite(round(float(np.linalg.norm(forces, axis=1).max()), 5)),
            steps=steps,
            lattice_parameters={
                name: Finite(round(value, 5)) for name, value in crystal.lattice_parameters.items()
            },
            free_coordinates={
                free.name: Finite(round(free.value, 6)) for free in crystal.free_coordinates
            },
            largest_stress_GPa=left if self.target.cell else None,
        )


class _AnotherWayError(Exception):
    """The optimizer asks for another geometry than when it was first told of these steps."""


class _WorkerCalculator(Calculator):
    """An ASE calculator that asks a worker process, but first tells steps of an earlier run."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012

    def __init__(
        self,
        runner: asyncio.Runner,
        worker: Worker,
        note: Callable[[Computed], None],
        stress: bool,
    ) -> None:
        super().__init__()
        self.runner = runner
        self.worker = worker
        self.note = note
        self.stress = stress
        self.told: list[RelaxStep] = []

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = ("energy",),
        system_changes: Any = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        if self.told:
            step, *self.told = self.told
            if not is_at(step, self.atoms.cell.array, self.atoms.positions):
                self.told = []
                raise _AnotherWayError
            self._take(step)
            return
        failures: list[Failure] = []
        while len(failures) < ATTEMPTS:
            task = Task.of(
                self.atoms.numbers,
                self.atoms.positions,
                self.atoms.cell.array,
                care=care_after(failures),
                stress=self.stress,
            )
            result = self.runner.run(self.worker.compute(task))
            if isinstance(result, Failure):
                failures.append(result)
                continue
            if self.stress and result.stress_eV_A3 is None:
                raise EngineError(
                    "the engine gives no stress, which relaxing a cell needs; set cell = false "
                    "under [relax]."
                )
            self._take(result)
            self.note(result)
            return
        raise EngineError(
            f"a step of the relaxation failed {ATTEMPTS} times ({failures[-1].failed}); see the "
            f"logs in {self.worker.folder.parent.parent.name}."
        )

    def _take(self, result: Computed) -> None:
        energy, free = result.energy_eV, result.free_energy_eV
        self.results = {
            "energy": energy,
            "free_energy": energy if free is None else free,
            "forces": np.array(result.forces_eV_A),
        }
        if self.stress:
            self.results["stress"] = np.array(result.stress_eV_A3)


def relaxed_in_setting(
    crystal: Crystal, cell: np.ndarray, positions: np.ndarray
) -> tuple[Crystal, float]:
    """Bring a relaxed primitive cell back into a crystal's setting.

    Parameters
    ----------
    crystal
        What the relaxation started from.
    cell
        The relaxed primitive cell, the deformed one of ``crystal.to_atoms(primitive=True)``.
    positions
        Cartesian positions of its atoms, in the same order, angstrom.

    Returns
    -------
    crystal : Crystal
        With the relaxed lattice and free coordinates; a rigid shift is taken out.
    off : float
        Largest distance (angstrom) of a relaxed atom from it.
    """
    lattice = np.linalg.solve(crystal.group.primitive_cell, cell)
    own = crystal.primitive_atoms
    moved = np.linalg.solve(lattice.T, positions.T).T - crystal.positions[own]
    # against the first atom: a rigid shift by half a cell has two nearest images, and every atom
    # would choose its own
    moved -= moved[0].copy()
    moved -= np.rint(moved)
    # what the free coordinates and a rigid shift explain
    free = crystal.B[own].reshape(3 * len(own), -1)
    shifts = np.tile(np.eye(3), (len(own), 1))
    matrix = np.hstack([free, shifts])
    solution = np.linalg.lstsq(matrix, moved.ravel(), rcond=None)[0]
    left = (moved.ravel() - matrix @ solution).reshape(-1, 3) @ lattice
    theta = crystal.theta + solution[: free.shape[1]]
    relaxed = Crystal(lattice, crystal.positions_at(theta), crystal.numbers, crystal.hall_number)
    return relaxed, float(np.linalg.norm(left, axis=1).max())
