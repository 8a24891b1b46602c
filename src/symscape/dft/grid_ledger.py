"""What a plan's journal says about its grid: which points are done, failed or still to do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar

import numpy as np

from symscape.crystal.slice import Slice
from symscape.dft.engine import ATTEMPTS
from symscape.dft.events import OF_PLANS, Event, GridStarted, PointDone, PointFailed
from symscape.dft.journal import read_journal
from symscape.dft.ledger import Ledger, failures_in
from symscape.dft.plan import Plan, lattice_axes
from symscape.dft.settings import Settings
from symscape.errors import PlanError

Kind = TypeVar("Kind", bound=Event)
#: a journal's point belongs to the grid if no atom or lattice vector is farther off (angstrom)
SAME_GEOMETRY_A = 1e-4


@dataclass(kw_only=True)
class GridLedger(Ledger[int]):
    """The state of a plan's grid; its points are named by their flat indices.

    Those to compute are symmetry-irreducible and unmasked, in snake order.

    Parameters
    ----------
    plan
        The plan.
    settings
        Its settings with the k-mesh that the grid is computed with.
    points
        Flat index to the journal's event of a finished point.
    strangers
        How many of the journal's points lie on no point of this grid.
    events
        The whole journal.
    """

    plan: Plan
    settings: Settings
    points: dict[int, PointDone] = field(default_factory=dict)
    strangers: int = 0
    events: list[Event] = field(default_factory=list)

    attempts: ClassVar[int] = ATTEMPTS

    @property
    def finished(self) -> Collection[int]:
        """Irreducible points that have an energy, their own or that of an equivalent point."""
        first = self.plan.slice.representatives.ravel()
        return {int(first[k]) for k in self.points}

    def seconds_per_point(self) -> float | None:
        """Median time of the last finished points in seconds, None if there are none.

        A machine that was put to sleep meanwhile counts little.
        """
        times = [e.seconds for e in self.points.values() if e.seconds is not None]
        return float(np.median(times[-50:])) if times else None

    def events_of(self, kind: type[Kind]) -> list[Kind]:
        """Return the journal's events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def open_ledger(plan: Plan) -> GridLedger:
    """Read a plan's journal and sort its points into the grid.

    Raises
    ------
    PlanError
        If the journal is damaged or was computed with other settings.
    """
    events = read_journal(plan.journal_path, OF_PLANS)
    ledger = GridLedger(
        plan=plan,
        settings=_common_settings(plan, events),
        order=snake_order(plan.slice),
        failures=failures_in(events, PointFailed, lambda e: grid_index(plan.slice, e.u, e.v)),
        events=events,
    )
    points = ledger.events_of(PointDone)
    for event, index in zip(points, match_to_grid(plan.slice, points), strict=True):
        if index is None:
            ledger.strangers += 1
        else:
            ledger.points[index] = event if plan.stress else replace(event, stress_eV_A3=None)
    return ledger


def _common_settings(plan: Plan, events: Sequence[Event]) -> Settings:
    """Return the settings of the journal's points; other settings in the plan are refused."""
    first = next((event for event in events if isinstance(event, GridStarted)), None)
    if first is None:
        return plan.grid_settings()
    stored, planned = first.settings, plan.settings
    if planned.k_mesh is None:
        planned = replace(planned, k_mesh=stored.k_mesh)
    for key in sorted(vars(stored)):
        before, said = getattr(stored, key), getattr(planned, key)
        if key != "timeout_s" and before != said:
            raise PlanError(
                f"{plan.journal_path}: these points were computed with {key} = {before!r}, but the "
                f"plan says {said!r}; restore the setting or give the plan another file name."
            )
    if first.engine != plan.engine:
        raise PlanError(
            f"{plan.journal_path}: these points were computed with another [engine] than the plan "
            "names; restore it or give the plan another file name."
        )
    return planned


def snake_order(the_slice: Slice) -> list[int]:
    """Return the irreducible, unmasked points so that each is a neighbour of the one before.

    If only the second axis deforms the cell the first one runs fastest, because a calculator lives
    as long as its cell does.
    """
    n_u, n_v = the_slice.shape
    flat = np.arange(n_u * n_v).reshape(n_u, n_v)
    wanted = (the_slice.representatives == flat) & ~the_slice.mask
    if lattice_axes(the_slice) == (False, True):
        flat, wanted = flat.T, wanted.T
    order: list[int] = []
    for row, (line, chosen) in enumerate(zip(flat, wanted, strict=True)):
        members = line[chosen].tolist()
        order += members[::-1] if row % 2 else members
    return order


def grid_index(the_slice: Slice, u: float, v: float) -> int | None:
    """Return the flat index of the grid point with these axis values, None if there is none."""
    places = []
    for axis, value in zip(the_slice.axes, (u, v), strict=True):
        step = (axis.stop - axis.start) / (axis.points - 1)
        k = round((value - axis.start) / step)
        if not 0 <= k < axis.points or abs(axis.values[k] - value) > 1e-4 * step:
            return None
        places.append(k)
    return places[0] * the_slice.shape[1] + places[1]


def match_to_grid(the_slice: Slice, points: Sequence[PointDone]) -> list[int | None]:
    """Return for each journalled point the flat index whose axis values and geometry it has."""
    indices = [grid_index(the_slice, point.u, point.v) for point in points]
    structures = the_slice.structures()
    n_atoms = int(structures.n_atoms[0])
    for k, (index, point) in enumerate(zip(indices, points, strict=True)):
        if index is None:
            continue
        cell = np.array(point.cell_A)
        fractional = np.array(point.positions)
        if fractional.shape != (n_atoms, 3):
            indices[k] = None
            continue
        _, built, built_cell = structures.arrays(index)
        gaps = fractional - np.linalg.solve(built_cell.T, built.T).T
        apart = np.linalg.norm((gaps - np.rint(gaps)) @ built_cell, axis=1).max()
        if max(apart, np.abs(cell - built_cell).max()) > SAME_GEOMETRY_A:
            indices[k] = None
    return indices
