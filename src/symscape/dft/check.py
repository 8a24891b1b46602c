"""Checks that compute: convergence of chosen points, agreement at symmetry-equivalent points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from symscape.decode import Finite
from symscape.dft.events import CheckPoint, ConvergenceChecked, EquivalentsChecked
from symscape.dft.grid_ledger import GridLedger, grid_index, open_ledger
from symscape.dft.grid_run import run_plan
from symscape.dft.journal import Journal, now
from symscape.dft.plan import Plan
from symscape.dft.plan_crystal import crystal_digest
from symscape.dft.results import Computed, Failure, WorkerSetup
from symscape.dft.settings import Settings, denser_mesh, higher_cutoff
from symscape.dft.single_points import Geometry, PointError, compute
from symscape.errors import EngineError, PlanError
from symscape.progress import Progress, quiet
from symscape.references.convergence import CheckedPoint, ConvergenceCheck
from symscape.references.provenance import EquivalentPair, EquivalentsCheck

#: energies above this (eV/atom over the lowest) are looked at by no metric
WINDOW_EV_ATOM = 1.0


class _CheckPoints:
    """Grid points at settings of the check's own; see `Points`."""

    stress = False

    def __init__(
        self, plan: Plan, settings: Settings, journal: Journal, progress: Progress
    ) -> None:
        self.plan = plan
        self.settings = settings
        self.journal = journal
        self.structures = plan.slice.structures()
        self.energies: dict[int, float] = {}
        self.progress = progress

    def geometry(self, index: int) -> Geometry:
        """Return the structure at a grid point."""
        return Geometry(*self.structures.arrays(index))

    def computed(self, index: int, care: int, result: Computed) -> None:
        """Journal an energy."""
        u, v = (Finite(round(float(x), 12)) for x in self.plan.slice.grid_values[index])
        self.journal.append(
            CheckPoint(
                u=u,
                v=v,
                settings=self.settings,
                energy_eV=result.energy_eV,
                seconds=result.seconds,
                crystal=crystal_digest(self.plan.crystal),
            )
        )
        self.energies[index] = result.energy_eV
        self.progress.advance(result.seconds or 0.0)

    def failed(self, index: int, care: int, result: Failure) -> None:
        """Write nothing: attempts of a check are in no journal."""

    def given_up(self, index: int, reason: str) -> None:
        """End the check, which is worth nothing without the point."""
        i, j = divmod(index, self.plan.slice.shape[1])
        raise PointError(
            f"{self.plan.path}: point ({i}, {j}) failed at the check's settings ({reason}); see "
            f"the logs in {self.plan.output_folder.name}."
        )


def compute_points(
    plan: Plan,
    settings: Settings,
    indices: list[int],
    *,
    jobs: int = 1,
    nice: int = 0,
    progress: Progress | None = None,
) -> dict[int, float]:
    """Return energies (eV per cell) of grid points at settings of the check's own.

    What the journal holds from an earlier check is not computed again.

    Raises
    ------
    EngineError
        If a point fails as often as it is tried.
    """
    with Journal(plan.journal_path) as journal:
        known: dict[int, float] = {}
        for event in open_ledger(plan).events_of(CheckPoint):
            index = grid_index(plan.slice, event.u, event.v)
            same_crystal = event.crystal == crystal_digest(plan.crystal)
            same = replace(event.settings, timeout_s=settings.timeout_s) == settings
            if index is not None and same and same_crystal:
                known[index] = event.energy_eV
        todo = [k for k in indices if k not in known]
        if todo:
            points = _CheckPoints(plan, settings, journal, progress or quiet())
            setup = WorkerSetup(plan.engine, settings, str(plan.output_folder), nice)
            workers = min(jobs, len(todo))
            with points.progress.task(f"{plan.name} (check)", len(todo), workers):
                compute(points, todo, setup, workers)
            known |= points.energies
        return {k: known[k] for k in indices}


def tighter_settings(
    plan: Plan, cutoff_eV: float | None = None, k_density_A: float | None = None
) -> Settings:
    """Return the settings of a convergence check: 700/520 of the cut-off, one k-point density more.

    Parameters
    ----------
    cutoff_eV, k_density_A
        Other values to check against, eV and k-points per inverse angstrom.
    """
    own = plan.settings
    higher = cutoff_eV or higher_cutoff(own.cutoff_eV)
    denser = k_density_A or own.k_density_A + 1.0
    mesh = None
    if own.k_mesh is not None:
        mesh = denser_mesh(own.k_mesh, denser / own.k_density_A)
    settings = replace(own, cutoff_eV=float(higher), k_density_A=float(denser), k_mesh=mesh)
    return replace(plan, settings=settings).grid_settings()


def choose_points(ledger: GridLedger) -> list[int]:
    """Return three irreducible points: the lowest, the highest within the window, one between.

    Before any energy is known: the one nearest to the crystal, one whose atoms are nearly the
    closest, and one between, judged by the closest pair of atoms.

    Raises
    ------
    PlanError
        If the grid has fewer than three points to compute.
    """
    the_slice = ledger.plan.slice
    if len(ledger.order) < 3:
        raise PlanError(f"{ledger.plan.path}: a convergence check needs at least three points.")
    done = [k for k in ledger.done if k in ledger.points]
    if len(done) >= max(3, len(ledger.order) // 2):
        n_atoms = len(the_slice.atom_indices())
        energies = np.array([ledger.points[k].energy_eV for k in done]) / n_atoms
        relative = energies - energies.min()
        ranked = [done[k] for k in np.argsort(relative) if relative[k] <= WINDOW_EV_ATOM]
        if len(ranked) < 3:
            ranked = [done[k] for k in np.argsort(relative)[:3]]
        return [ranked[0], ranked[len(ranked) // 2], ranked[-1]]
    spans = np.array([axis.stop - axis.start for axis in the_slice.axes])
    away = np.linalg.norm((the_slice.grid_values - the_slice.origins) / spans, axis=1)
    centre = min(ledger.order, key=lambda k: (away[k], k))
    ratios = the_slice.contact_ratios.ravel()
    tightest = sorted((k for k in ledger.order if k != centre), key=lambda k: (ratios[k], k))
    return [centre, tightest[len(tightest) // 2], tightest[len(tightest) // 10]]


def check_convergence(
    plan: Plan,
    *,
    cutoff_eV: float | None = None,
    k_density_A: float | None = None,
    jobs: int = 1,
    nice: int = 0,
    command: str = "",
    progress: Progress | None = None,
) -> ConvergenceCheck:
    """Compute three points at a higher cut-off and a denser mesh, and compare relative energies.

    Works before the grid is run, too: the three points are then computed at the plan's settings
    as well and are part of the grid.

    Returns
    -------
    ConvergenceCheck
        As stored under ``provenance.convergence``.
    """
    ledger = open_ledger(plan)
    chosen = choose_points(ledger)
    if any(k not in ledger.points for k in chosen):
        ledger = run_plan(
            plan, jobs=jobs, nice=nice, command=command, progress=progress, only=chosen
        )
        missing = [k for k in chosen if k not in ledger.points]
        if missing:
            i, j = divmod(missing[0], plan.slice.shape[1])
            raise EngineError(f"{plan.path}: point ({i}, {j}) can't be computed; see the journal.")
    settings = tighter_settings(plan, cutoff_eV, k_density_A)
    energies = compute_points(plan, settings, chosen, jobs=jobs, nice=nice, progress=progress)
    n_atoms = len(plan.slice.atom_indices())
    lowest = chosen[0]
    points = []
    for k in chosen:
        i, j = divmod(k, plan.slice.shape[1])
        own = ledger.points[k].energy_eV - ledger.points[lowest].energy_eV
        checked = energies[k] - energies[lowest]
        points.append(
            CheckedPoint(
                i=i,
                j=j,
                relative_meV_atom=_meV(own / n_atoms),
                checked_relative_meV_atom=_meV(checked / n_atoms),
                difference_meV_atom=_meV((own - checked) / n_atoms),
            )
        )
    found = ConvergenceCheck(
        cutoff_eV=Finite(settings.cutoff_eV),
        k_density_A=Finite(settings.k_density_A),
        k_mesh=settings.k_mesh,
        points=tuple(points),
        largest_difference_meV_atom=_largest(p.difference_meV_atom for p in points),
    )
    with Journal(plan.journal_path) as journal:
        own_crystal = crystal_digest(plan.crystal)
        journal.append(ConvergenceChecked(time=now(), crystal=own_crystal, result=found))
    return found


def _meV(energy: float) -> Finite:
    return Finite(round(1000 * energy, 3))


def _largest(differences: Iterable[float | None]) -> Finite:
    return Finite(max(abs(x) for x in differences if x is not None))


def check_equivalents(
    plan: Plan,
    *,
    count: int = 2,
    jobs: int = 1,
    nice: int = 0,
    progress: Progress | None = None,
) -> EquivalentsCheck | None:
    """Compute one or two points that symmetry makes equal to finished ones, and compare.

    Returns
    -------
    EquivalentsCheck or None
        As stored under ``provenance.equivalents``; None if no finished point has an equivalent.
    """
    ledger = open_ledger(plan)
    first = plan.slice.representatives.ravel()
    partners = {}
    for k in ledger.points:
        alike = np.flatnonzero((first == first[k]) & (np.arange(len(first)) != k))
        if len(alike):
            partners[k] = int(alike[-1])
    if not partners:
        return None
    energies = {k: ledger.points[k].energy_eV for k in partners}
    n_atoms = len(plan.slice.atom_indices())
    low = min(event.energy_eV for event in ledger.points.values())
    ranked = sorted(partners, key=lambda k: (energies[k], k))
    within = [k for k in ranked if (energies[k] - low) / n_atoms <= WINDOW_EV_ATOM] or ranked[:1]
    chosen = list(dict.fromkeys([within[-1], within[len(within) // 2]]))[:count]
    others = [partners[k] for k in chosen]
    computed = compute_points(
        plan, ledger.settings, others, jobs=jobs, nice=nice, progress=progress
    )
    width = plan.slice.shape[1]
    pairs = tuple(
        EquivalentPair(
            computed=divmod(k, width),
            equivalent=divmod(other, width),
            difference_meV_atom=_meV((computed[other] - energies[k]) / n_atoms),
        )
        for k, other in zip(chosen, others, strict=True)
    )
    largest = _largest(pair.difference_meV_atom for pair in pairs)
    found = EquivalentsCheck(pairs=pairs, largest_difference_meV_atom=largest)
    with Journal(plan.journal_path) as journal:
        own_crystal = crystal_digest(plan.crystal)
        journal.append(EquivalentsChecked(time=now(), crystal=own_crystal, result=found))
    return found
