"""What workers are asked and what they answer; both are lines of JSON between processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.decode import Finite, OpenRecord
from symscape.dft.settings import EngineSpec, Settings
from symscape.references.method import Method
from symscape.references.schema import Row, Voigt


@dataclass(frozen=True, kw_only=True)
class StoredGeometry(OpenRecord):
    """A geometry as references store it: lattice vectors as rows, angstrom, and fractional."""

    cell_A: tuple[Row, Row, Row]
    positions: tuple[Row, ...]

    @classmethod
    def of(cls, cell: np.ndarray, positions: np.ndarray) -> StoredGeometry:
        """Return cell, (3, 3), and Cartesian positions, (n_atoms, 3), both in angstrom, rounded."""
        fractional = np.linalg.solve(cell.T, positions.T).T
        return cls(
            cell_A=(np.round(cell, 8) + 0.0).tolist(),
            positions=(np.round(fractional, 8) + 0.0).tolist(),
        )


@dataclass(frozen=True, kw_only=True)
class Computed(OpenRecord):
    """What was computed at a geometry.

    Parameters
    ----------
    energy_eV, free_energy_eV
        Extrapolated to zero smearing, and the one whose derivative the forces are; one of the two
        where the code knows one only.
    forces_eV_A
        A row an atom.
    stress_eV_A3
        Positive under tension.
    scf_steps
        How many the code took.
    restarted
        Why a moved calculator had to be made anew.
    seconds
        How long it took.
    """

    energy_eV: Finite
    forces_eV_A: tuple[Row, ...] | None = None
    free_energy_eV: Finite | None = None
    stress_eV_A3: Voigt | None = None
    scf_steps: int | None = None
    restarted: str = ""
    seconds: Finite | None = None


@dataclass(frozen=True, kw_only=True)
class Failure(OpenRecord):
    """Why an attempt gave nothing; ``died`` if the worker went with it."""

    failed: str
    restarted: str = ""
    seconds: Finite | None = None
    died: bool = False


#: a worker's answer to a task
Result = Computed | Failure


@dataclass(frozen=True, kw_only=True)
class Task:
    """A geometry to compute: Cartesian positions, angstrom.

    Parameters
    ----------
    index
        Whose it is, for the one who asks.
    care
        0 for the settings as they are; more after failures.
    stress
        Whether the stress is wanted.
    """

    numbers: tuple[int, ...]
    positions: tuple[Row, ...]
    cell: tuple[Row, Row, Row]
    care: int = 0
    stress: bool = False
    index: int = 0

    @classmethod
    def of(
        cls,
        numbers: np.ndarray,
        positions: np.ndarray,
        cell: np.ndarray,
        *,
        care: int = 0,
        stress: bool = False,
        index: int = 0,
    ) -> Task:
        """Return the task of computing arrays of shapes (n_atoms,), (n_atoms, 3) and (3, 3)."""
        return cls(
            numbers=tuple(numbers.tolist()),
            positions=tuple(positions.tolist()),
            cell=tuple(cell.tolist()),
            care=care,
            stress=stress,
            index=index,
        )


@dataclass(frozen=True)
class WorkerSetup:
    """What every worker of a pool is started with.

    Parameters
    ----------
    engine, settings
        How energies are computed; ``settings.timeout_s`` limits each point.
    folder
        Each worker writes into a folder of its own under this one.
    nice
        Added to the workers' niceness.
    """

    engine: EngineSpec
    settings: Settings
    folder: str
    nice: int = 0


@dataclass(frozen=True)
class Readiness:
    """A worker's first answer: how its engine describes itself, or why there is none."""

    method: Method | None = None
    fatal: str = ""
