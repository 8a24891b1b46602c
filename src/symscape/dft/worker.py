"""A worker process: one live calculator that takes one geometry after another.

Started as ``python -m symscape.dft.worker`` by ``pool``; each line of its standard
input is a JSON task, each line it writes back a JSON result. The end of the input ends it at once,
so no worker outlives its parent, however that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from symscape.decode import Finite, decode, encode
from symscape.dft.engine import Engine, make_engine
from symscape.dft.results import Computed, Failure, Readiness, Result, Task, WorkerSetup
from symscape.dft.settings import Settings
from symscape.errors import SymscapeError

#: the niceness of a whole session, sched(7)
_AUTOGROUP = Path("/proc/self/autogroup")
#: a cell that differs by less than this (angstrom) is the same cell
_SAME_CELL_A = 1e-9


class LiveCalculator:
    """A calculator kept from point to point; its density and orbitals start the next one.

    Parameters
    ----------
    engine
        Makes calculators.
    settings
        The plan's; for the magnetic moments.
    folder
        Where calculators may write.
    """

    def __init__(self, engine: Engine, settings: Settings, folder: Path) -> None:
        self.engine = engine
        self.settings = settings
        self.folder = folder
        self._atoms: Any = None
        self._care = 0

    def compute(self, task: Task) -> Result:
        """Return energies, forces and so on of one task, or why there are none.

        A point that fails with a moved calculator is tried with a new one before it counts as
        failed: a calculator refuses, for instance, a geometry with less symmetry than its first.
        """
        from ase import Atoms

        atoms = Atoms(numbers=task.numbers, positions=task.positions, cell=task.cell, pbc=True)
        started = time.perf_counter()
        result: Result | None = None
        refused = ""
        if self._can_move_to(atoms, task.care):
            try:
                self._atoms.positions[:] = atoms.positions
                result = self._evaluate(task.stress)
            except Exception as error:  # noted with the point's result
                refused = _one_line(error)
        if result is None:
            try:
                self._renew(atoms, task.care)
                result = self._evaluate(task.stress)
            except Exception as error:  # the reason goes into the journal
                self._atoms = None
                result = Failure(failed=_one_line(error))
        seconds = Finite(round(time.perf_counter() - started, 2))
        return replace(result, restarted=refused, seconds=seconds)

    def _can_move_to(self, atoms: Any, care: int) -> bool:
        return (
            self._atoms is not None
            and care == self._care == 0
            and np.array_equal(self._atoms.numbers, atoms.numbers)
            and bool(np.abs(self._atoms.cell.array - atoms.cell.array).max() < _SAME_CELL_A)
        )

    def _renew(self, atoms: Any, care: int) -> None:
        self._atoms = None  # frees the old calculator's memory first
        moments = self.settings.magnetic_moments
        if moments:
            atoms.set_initial_magnetic_moments(
                [moments.get(symbol, 0.0) for symbol in atoms.get_chemical_symbols()]
            )
        atoms.calc = self.engine.calculator(atoms, care, self.folder)
        self._atoms = atoms
        self._care = care

    def _evaluate(self, stress: bool) -> Computed:
        from ase.calculators.calculator import PropertyNotImplementedError

        atoms = self._atoms
        energy = float(atoms.get_potential_energy())
        forces = np.asarray(atoms.get_forces(), dtype=float)
        if not np.isfinite(energy) or not np.isfinite(forces).all():
            raise FloatingPointError("the calculator returned an energy or force that is no number")
        free_energy = voigt = None
        # most force fields and some codes know one energy only, or no stress
        with contextlib.suppress(PropertyNotImplementedError, NotImplementedError):
            free_energy = float(atoms.get_potential_energy(force_consistent=True))
        if stress:
            with contextlib.suppress(PropertyNotImplementedError, NotImplementedError):
                voigt = np.round(atoms.get_stress(), 8).tolist()
        return Computed(
            energy_eV=Finite(round(energy, 8)),
            forces_eV_A=np.round(forces, 6).tolist(),
            free_energy_eV=None if free_energy is None else Finite(round(free_energy, 8)),
            stress_eV_A3=voigt,
            scf_steps=self.engine.scf_steps(atoms.calc),
        )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, SymscapeError):
        return text[:300]
    return f"{type(error).__name__}: {text}"[:300].rstrip(": ")


def _read_lines(stream: IO[str], tasks: queue.SimpleQueue[str]) -> None:
    """Pass lines on; the end of the input ends the process, also in the middle of a point."""
    for line in stream:
        tasks.put(line)
    os._exit(0)


def _be_nice(more: int) -> None:
    """Add to the niceness of this process, and to that of its session where Linux has one."""
    if not more or sys.platform == "win32":
        return
    niceness = os.nice(more)
    # where the scheduler groups by session, a process is nice to its own session alone, and a
    # worker is alone in its own; a session that others share is left as it is
    if os.getsid(0) == os.getpid() and _AUTOGROUP.exists():
        with contextlib.suppress(OSError):  # the kernel may group nothing, or forbid it
            _AUTOGROUP.write_text(str(niceness), encoding="ascii")


def main() -> None:
    """Read the configuration and then tasks from standard input until it ends."""
    # whatever the calculator prints must not get between the results
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(message: Readiness | Result) -> None:
        # after the last answer the parent ends this process without asking
        sys.stdout.flush()
        results.write(json.dumps(encode(message)) + "\n")
        results.flush()

    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(sys.stdin, tasks), daemon=True).start()
    setup: WorkerSetup = decode(WorkerSetup, json.loads(tasks.get()), "")
    _be_nice(setup.nice)
    try:
        engine = make_engine(setup.engine, setup.settings)
        method = engine.method()
    except SymscapeError as error:
        answer(Readiness(fatal=str(error)))
        return
    except ImportError as error:
        text = f"the engine can't be loaded ({_one_line(error)}); repair its package."
        answer(Readiness(fatal=text))
        return
    live = LiveCalculator(engine, setup.settings, Path(setup.folder))
    answer(Readiness(method))
    while True:
        answer(live.compute(decode(Task, json.loads(tasks.get()), "")))


if __name__ == "__main__":
    main()
