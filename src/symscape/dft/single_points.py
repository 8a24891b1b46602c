"""Computing single points: handed out to workers, tried again with more care, journalled.

Grids, checks and equations of state differ in what a point is and in what is written down of it;
that is what a `Points` says.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from symscape.dft.engine import ATTEMPTS
from symscape.dft.ledger import care_after
from symscape.dft.pool import run_pool
from symscape.dft.results import (
    Computed,
    Failure,
    Result,
    StoredGeometry,
    Task,
    WorkerSetup,
)
from symscape.errors import EngineError
from symscape.references.method import Method


class PointError(EngineError):
    """A point failed as often as it is tried, and what it belongs to is worth nothing without."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """What is computed at a point.

    Parameters
    ----------
    numbers
        Atomic numbers, shape (n_atoms,).
    positions
        Cartesian, angstrom, shape (n_atoms, 3).
    cell
        Lattice vectors as rows, angstrom, shape (3, 3).
    """

    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray

    def stored(self) -> StoredGeometry:
        """Return it as references store it."""
        return StoredGeometry.of(self.cell, self.positions)


class Points(Protocol):
    """Points of one kind, each named by its index."""

    @property
    def stress(self) -> bool:
        """Whether stresses are wanted."""

    def geometry(self, index: int) -> Geometry:
        """Return what is computed at a point."""

    def computed(self, index: int, care: int, result: Computed) -> None:
        """Write down energies, forces and so on of a point."""

    def failed(self, index: int, care: int, result: Failure) -> None:
        """Write down an attempt that failed."""

    def given_up(self, index: int, reason: str) -> None:
        """Go on without a point that failed as often as it is tried, or raise to end the run."""


class PointSource:
    """Hands points out to workers; see ``pool.TaskSource``.

    Each worker walks through a stretch of the list of its own, so that its atoms move in small
    steps; when its stretch is done it takes the far half of the longest one left.

    Parameters
    ----------
    points
        What is computed.
    todo
        Indices, neighbours next to each other.
    jobs
        Number of workers.
    failures
        Index to earlier failures.
    """

    def __init__(
        self,
        points: Points,
        todo: Sequence[int],
        jobs: int,
        failures: Mapping[int, Sequence[Failure]] | None = None,
    ) -> None:
        self.points = points
        shares = np.array_split(np.array(todo, dtype=int), jobs)
        self.stretches: list[deque[int]] = [deque(share.tolist()) for share in shares]
        self.failures: dict[int, list[Failure]] = {
            k: list((failures or {}).get(k, [])) for k in todo
        }

    def next_task(self, worker: int) -> Task | None:
        """Return the next point of a worker."""
        if not self.stretches[worker]:
            longest = max(self.stretches, key=len)
            for _ in range((len(longest) + 1) // 2):
                self.stretches[worker].appendleft(longest.pop())
        if not self.stretches[worker]:
            return None
        index = self.stretches[worker].popleft()
        geometry = self.points.geometry(index)
        return Task.of(
            geometry.numbers,
            geometry.positions,
            geometry.cell,
            care=care_after(self.failures[index]),
            stress=self.points.stress,
            index=index,
        )

    def deliver(self, worker: int, task: Task, result: Result) -> None:
        """Hand a result on; a failed point is tried again by the same worker, with more care."""
        index, care = task.index, task.care
        if isinstance(result, Computed):
            self.points.computed(index, care, result)
            return
        self.points.failed(index, care, result)
        self.failures[index].append(result)
        if len(self.failures[index]) < ATTEMPTS:
            self.stretches[worker].appendleft(index)
        else:
            self.points.given_up(index, result.failed)


def compute(
    points: Points,
    todo: Sequence[int],
    setup: WorkerSetup,
    jobs: int,
    *,
    failures: Mapping[int, Sequence[Failure]] | None = None,
    started: Callable[[Method], None] | None = None,
) -> None:
    """Compute points with a pool of workers; a termination signal ends it as Ctrl-C does.

    Parameters
    ----------
    points, todo, failures
        As those of `PointSource`.
    setup
        What the workers are started with.
    jobs
        Number of workers.
    started
        Called once, before the first result, with the engine's description of itself.

    Raises
    ------
    EngineError
        If the engine can't be loaded, or what ``points.given_up`` raises.
    """
    source = PointSource(points, todo, jobs, failures)
    try:
        asyncio.run(run_pool(source, setup, jobs, started))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
