"""How far a list's crystals are converged: each once more, as stored, with tighter settings."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from symscape.decode import Finite
from symscape.dft.crystal_ledger import stored_ids
from symscape.dft.crystal_list import CrystalList, PlannedCrystal
from symscape.dft.pool import in_threads
from symscape.dft.results import Computed, Failure, WorkerSetup
from symscape.dft.settings import Settings, denser_mesh, higher_cutoff
from symscape.dft.single_points import Geometry, PointError, compute
from symscape.errors import PlanError
from symscape.progress import Progress, quiet
from symscape.references.crystal_files import CheckedEnergy, StoredCrystal, stored_crystals
from symscape.references.crystals import write_crystals

#: how many times as many k-points there are along each vector
_DENSER = 4 / 3


class _OnePoint:
    """A stored crystal; see `Points`."""

    stress = False

    def __init__(self, record: StoredCrystal) -> None:
        self.record = record
        self.energy_eV = float("nan")

    def geometry(self, index: int) -> Geometry:
        """Return the crystal."""
        from ase.data import atomic_numbers

        record = self.record
        cell = np.array(record.cell_A)
        numbers = np.array([atomic_numbers[symbol] for symbol in record.symbols])
        return Geometry(numbers, np.array(record.positions) @ cell, cell)

    def computed(self, index: int, care: int, result: Computed) -> None:
        """Keep the energy."""
        self.energy_eV = result.energy_eV

    def failed(self, index: int, care: int, result: Failure) -> None:
        """Write nothing: attempts at a check are in no journal."""

    def given_up(self, index: int, reason: str) -> None:
        """Give the crystal up."""
        raise PointError(f"{self.record.id} failed at the check's settings ({reason}).")


def tighter(settings: Settings) -> Settings:
    """Return a crystal's settings with 700/520 of the cut-off and a third more k-points."""
    return replace(
        settings,
        cutoff_eV=higher_cutoff(settings.cutoff_eV),
        k_density_A=settings.k_density_A * _DENSER,
        k_mesh=denser_mesh(settings.k_mesh or (1, 1, 1), _DENSER),
    )


def check_crystals(
    plan: CrystalList,
    folder: Path,
    library: Path,
    *,
    jobs: int = 1,
    nice: int = 0,
    progress: Progress | None = None,
) -> None:
    """Compute the crystals of a list that a library holds again, with tighter settings.

    Their energies are added to the library as they finish, so that the same call goes on where it
    was; a crystal that fails is reported and left out.

    Parameters
    ----------
    plan
        The list.
    folder
        For the logs.
    library
        The reference library.
    jobs
        Crystals at once, each with a worker process.
    nice
        Added to the workers' niceness.
    progress
        Where to report; nowhere if None.

    Raises
    ------
    PlanError
        If the library holds no crystal of the list, or crystals computed in another way.
    """
    report = progress or quiet()
    known = stored_ids(plan, library)
    records = {r.id: r for r in _records(plan, library) if r.id in known}
    if not records:
        raise PlanError(
            f"{plan.path}: {library} holds no crystal of this list; relax them first, without "
            "--check."
        )
    listed = [planned for planned in plan.crystals if planned.id in records]
    todo = [p for p in listed if not _is_checked(records[p.id], tighter(p.settings))]
    lock = threading.Lock()

    def check(planned: PlannedCrystal) -> None:
        settings, point = tighter(planned.settings), _OnePoint(records[planned.id])
        setup = WorkerSetup(plan.engine, settings, str(folder / f"{planned.id}.check"), nice)
        try:
            compute(point, [0], setup, 1)
        except PointError as error:
            report.fail(str(error))
            return
        with lock:
            _store(library, planned, settings, point.energy_eV)
            report.advance(0.0)

    if todo:
        with report.task(f"{plan.path.stem} (check)", len(todo), min(jobs, len(todo))):
            in_threads(todo, check, min(jobs, len(todo)))


def _records(plan: CrystalList, library: Path) -> Iterable[StoredCrystal]:
    for system in dict.fromkeys(planned.system for planned in plan.crystals):
        file = stored_crystals(library, system)
        yield from file.crystals if file else ()


def _is_checked(record: StoredCrystal, settings: Settings) -> bool:
    done = record.checked
    return done is not None and (done.cutoff_eV, done.k_mesh) == (
        settings.cutoff_eV,
        settings.k_mesh,
    )


def _store(library: Path, planned: PlannedCrystal, settings: Settings, energy_eV: float) -> None:
    file = stored_crystals(library, planned.system)
    assert file is not None
    assert settings.k_mesh is not None
    checked = CheckedEnergy(
        cutoff_eV=Finite(settings.cutoff_eV),
        k_mesh=settings.k_mesh,
        energy_eV=Finite(round(energy_eV, 8)),
    )
    records = [replace(r, checked=checked) if r.id == planned.id else r for r in file.crystals]
    write_crystals(library, planned.system, records, file.method, file.provenance)
