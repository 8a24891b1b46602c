"""Equations of state computed by our own engine, to be held against those that others verified.

The settings of grids and hull crystals, on crystals whose all-electron curves are known: what the
engine's datasets, cut-off and meshes are worth becomes a number.
"""

from __future__ import annotations

import tomllib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symscape.dft.engine import ATTEMPTS
from symscape.dft.finish import symscape_version
from symscape.dft.journal import Journal, read_journal
from symscape.dft.ledger import care_after
from symscape.dft.plan import DEFAULT_LICENCE
from symscape.dft.pool import WorkerSetup, run_pool
from symscape.dft.run import now, run_async
from symscape.dft.settings import EngineSpec, Settings, refuse_unknown
from symscape.errors import EngineError, PlanError, SymscapeError, shown
from symscape.progress import Progress, quiet
from symscape.references.equations import EquationsOfState

#: what a curve states itself, because it differs from curve to curve
_OWN_SETTINGS = ("k_mesh", "k_density_A", "cutoff_eV")
#: volumes nearer than this (angstrom^3/atom) are one volume
_SAME_VOLUME = 1e-6


@dataclass(frozen=True, eq=False)
class PlannedCurve:
    """A crystal whose equation of state is to be computed.

    Parameters
    ----------
    id
        As the reference has it: ``Ti-BCC``.
    settings
        With the one k-mesh of all its volumes.
    volumes
        angstrom^3/atom, shape (m,).
    cells, positions
        Primitive cells, (m, 3, 3), and positions, (m, n_atoms, 3), in angstrom.
    numbers
        Atomic numbers, shape (n_atoms,).
    """

    id: str
    settings: Settings
    volumes: np.ndarray
    cells: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True, eq=False)
class CurveList:
    """Curves to be computed in one way, in this order.

    Parameters
    ----------
    path
        The TOML file; the journal lies next to it.
    curves
        What is to be computed.
    settings
        Of all; groups may have another cut-off or density of k-points.
    engine
        The code.
    licence, notes
        Go into the result.
    """

    path: Path
    curves: tuple[PlannedCurve, ...]
    settings: Settings
    engine: EngineSpec
    licence: str
    notes: str

    @property
    def journal_path(self) -> Path:
        """The append-only record of everything that was computed for the list."""
        return self.path.with_suffix(".journal.jsonl")


def load_curve_list(path: str | Path, equations: EquationsOfState) -> CurveList:
    """Read a list of curves; each ``[[group]]`` names crystals computed with the same settings.

    Raises
    ------
    PlanError
        If the file can't be read, holds an unknown key, or names a crystal that the reference
        doesn't hold or that is listed twice at one cut-off.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(f"{path}: there is no such list of curves; check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: the list of curves can't be read ({error}).") from None
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{path}: not valid TOML ({error}); correct the file.") from None
    try:
        return _read(path, document, equations)
    except SymscapeError as error:
        raise PlanError(f"{path}: {error}") from None


def _read(path: Path, document: Mapping[str, Any], equations: EquationsOfState) -> CurveList:
    known = ["licence", "notes", "settings", "engine", "group"]
    document = refuse_unknown(document, known, "the list")
    settings = Settings.from_dict(document.get("settings", {}))
    groups = document.get("group", [])
    if not isinstance(groups, list) or not groups:
        raise PlanError("there is nothing to compute; add [[group]] tables.")
    curves: dict[tuple[str, float], PlannedCurve] = {}
    for number, group in enumerate(groups, 1):
        where = f"group {number}"
        group = refuse_unknown(group, ["crystals", "k_density_A", "cutoff_eV"], where)
        names = group.pop("crystals", [])
        if not isinstance(names, list):
            raise PlanError(f"{where}: crystals is {shown(names)}, but must be a list.")
        own = Settings.from_dict({**settings.to_dict(), **group}, where)
        for name in names:
            if (name, own.cutoff_eV) in curves:
                raise PlanError(
                    f"the crystal {shown(name)} is listed twice at {own.cutoff_eV:g} eV; "
                    "remove one."
                )
            curves[name, own.cutoff_eV] = _planned(name, own, equations)
    return CurveList(
        path,
        tuple(curves.values()),
        settings,
        EngineSpec.from_dict(document.get("engine", {})),
        str(document.get("licence", DEFAULT_LICENCE)),
        str(document.get("notes", "")),
    )


def _planned(name: Any, settings: Settings, equations: EquationsOfState) -> PlannedCurve:
    if name not in equations.ids:
        raise PlanError(f"the reference of equations of state holds no crystal {shown(name)}.")
    crystal = equations[np.array([equations.ids.index(name)])]
    volumes = crystal.sampled_volumes()
    structures = crystal.structures(volumes)
    atoms = [structures.arrays(k) for k in range(volumes.shape[1])]
    cells = np.array([cell for _, _, cell in atoms])
    positions = np.array([place for _, place, _ in atoms])
    return PlannedCurve(name, settings.with_mesh(cells), volumes[0], cells, positions, atoms[0][0])


class _CurveSource:
    """A pool's source over the volumes of one crystal; see ``pool.Source``."""

    def __init__(self, curve: PlannedCurve, todo: list[int], journal: Journal) -> None:
        self.curve = curve
        self.journal = journal
        self.waiting = deque(todo)
        self.failures: dict[int, list[dict[str, Any]]] = {k: [] for k in todo}

    def next_task(self, worker: int) -> dict[str, Any] | None:
        """Return the next volume."""
        if not self.waiting:
            return None
        index = self.waiting.popleft()
        return {
            "index": index,
            "numbers": self.curve.numbers.tolist(),
            "positions": self.curve.positions[index].tolist(),
            "cell": self.curve.cells[index].tolist(),
            "care": care_after(self.failures[index]),
        }

    def deliver(self, worker: int, task: dict[str, Any], result: dict[str, Any]) -> None:
        """Journal an energy, or try the volume again."""
        index = task["index"]
        volume = round(float(self.curve.volumes[index]), 6)
        if "failed" in result:
            self.failures[index].append(result)
            if len(self.failures[index]) >= ATTEMPTS:
                raise EngineError(
                    f"{self.curve.id} at {volume} angstrom^3/atom failed ({result['failed']})."
                )
            self.waiting.appendleft(index)
            return
        self.journal.append(
            {
                "event": "energy",
                "crystal": self.curve.id,
                "k_mesh": list(self.curve.settings.k_mesh or ()),
                "cutoff_eV": self.curve.settings.cutoff_eV,
                "volume_A3_atom": volume,
                "energy_eV_atom": round(result["energy_eV"] / len(self.curve.numbers), 8),
                "seconds": result["seconds"],
            }
        )


def run_curves(
    plan: CurveList,
    *,
    jobs: int = 1,
    nice: int = 0,
    command: str = "",
    progress: Progress | None = None,
) -> list[tuple[PlannedCurve, np.ndarray]]:
    """Compute all curves that are not in the journal yet.

    Killing it at any moment loses at most the energies being computed; the same call goes on. A
    crystal that fails is reported and left out.

    Returns
    -------
    list of (PlannedCurve, numpy.ndarray)
        See `finished_curves`.

    Raises
    ------
    PlanError
        If another process computes the list.
    EngineError
        If the engine can't be loaded.
    """
    report = progress or quiet()
    with Journal(plan.journal_path) as journal:
        todo = [curve for curve in plan.curves if np.isnan(_energies(plan, curve)).any()]
        with report.task(plan.path.stem, len(todo), jobs):
            for curve in todo:
                _run_curve(plan, curve, journal, jobs, nice, command, report)
    return finished_curves(plan)


def _run_curve(
    plan: CurveList,
    curve: PlannedCurve,
    journal: Journal,
    jobs: int,
    nice: int,
    command: str,
    report: Progress,
) -> None:
    missing = np.flatnonzero(np.isnan(_energies(plan, curve))).tolist()
    source = _CurveSource(curve, missing, journal)
    folder = plan.path.with_suffix(".out")
    setup = WorkerSetup(plan.engine, curve.settings, folder, nice)

    def started(method: dict[str, Any]) -> None:
        common = {key: value for key, value in method.items() if key not in _OWN_SETTINGS}
        start = {"event": "start", "time": now(), "command": command}
        journal.append({**start, "symscape": symscape_version(), "method": common})

    try:
        run_async(run_pool(source, setup, min(jobs, len(missing)), started))
    except EngineError as error:
        if not any(source.failures.values()):
            raise  # the engine itself
        report.fail(str(error))
        return
    report.advance(0.0)


def finished_curves(plan: CurveList) -> list[tuple[PlannedCurve, np.ndarray]]:
    """Return each curve all of whose volumes are computed, with its energies in eV/atom."""
    found = [(curve, _energies(plan, curve)) for curve in plan.curves]
    return [(curve, energies) for curve, energies in found if np.isfinite(energies).all()]


def _energies(plan: CurveList, curve: PlannedCurve) -> np.ndarray:
    """Return what the journal holds of a curve at its mesh and cut-off, NaN where nothing."""
    energies = np.full(len(curve.volumes), np.nan)
    for event in read_journal(plan.journal_path):
        if (
            event["event"] == "energy"
            and event["crystal"] == curve.id
            and event["k_mesh"] == list(curve.settings.k_mesh or ())
            and event["cutoff_eV"] == curve.settings.cutoff_eV
        ):
            near = np.abs(curve.volumes - event["volume_A3_atom"]) < _SAME_VOLUME
            energies[near] = event["energy_eV_atom"]
    return energies
