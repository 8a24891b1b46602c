"""Relaxing a list of crystals: resumable, several at once, and from there to the library."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.errors import EngineError, PlanError, SymscapeError
from symscape.references.crystal_checks import SYMPREC_A, mesh_suffices
from symscape.references.crystals import write_crystals
from symscape.references.generate.crystal_list import CrystalList, PlannedCrystal
from symscape.references.generate.crystals import crystal_digest, relaxed_crystal
from symscape.references.generate.journal import Journal, read_journal
from symscape.references.generate.progress import Progress, quiet
from symscape.references.generate.relax import relax_crystal
from symscape.references.generate.run import now
from symscape.references.generate.settings import Settings

#: crystals of one formula and space group nearer than this are one crystal
SAME_ENERGY_EV_ATOM = 1e-3
SAME_VOLUME = 5e-3
#: a run is given up if so many crystals failed before any succeeded
_HOPELESS_CRYSTALS = 4


@dataclass
class CrystalLedger:
    """What the output folder says about a list.

    Parameters
    ----------
    plan
        The list.
    folder
        Where journals and results lie.
    done
        Id to the stored result of each relaxed crystal.
    failed
        Id to the reason of the last failure.
    """

    plan: CrystalList
    folder: Path
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def todo(self) -> list[PlannedCrystal]:
        """Crystals that are neither relaxed nor given up, in the list's order."""
        return [
            planned
            for planned in self.plan.crystals
            if planned.id not in self.done and planned.id not in self.failed
        ]

    def complete_systems(self) -> list[str]:
        """Chemical systems of which no crystal is left to do."""
        left = {planned.system for planned in self.todo}
        every = dict.fromkeys(planned.system for planned in self.plan.crystals)
        return [system for system in every if system not in left]


def failures_path(folder: Path) -> Path:
    """Return the record of the crystals that failed."""
    return folder / "failures.jsonl"


def open_crystal_ledger(plan: CrystalList, folder: Path) -> CrystalLedger:
    """Read what has been computed of a list.

    Raises
    ------
    PlanError
        If a result is damaged, or was relaxed from another crystal or in another way than the list
        says.
    """
    ledger = CrystalLedger(plan, folder)
    for planned in plan.crystals:
        one = plan.plan_of(planned, folder)
        result = relaxed_crystal(one.path)
        if result is None:
            continue
        _check_result(planned, result, one.path)
        ledger.done[planned.id] = result
    names = {planned.id for planned in plan.crystals}
    for event in read_journal(failures_path(folder)):
        if event.get("event") == "forgiven":
            ledger.failed.clear()
        elif event.get("id") in names and event["id"] not in ledger.done:
            ledger.failed[event["id"]] = event["failed"]
    return ledger


def _check_result(planned: PlannedCrystal, result: dict[str, Any], path: Path) -> None:
    if result.get("start") != crystal_digest(planned.crystal):
        raise PlanError(
            f"{path.parent.name}/{planned.id} was relaxed from another crystal than the list's; "
            "restore the crystal, rename it, or remove that result."
        )
    stored = result.get("method", {})
    for key, value in _stated(planned.settings).items():
        # an engine that takes no settings states none
        if key in stored and stored[key] != value:
            raise PlanError(
                f"{path.parent.name}/{planned.id} was computed with {key} = {stored[key]!r}, "
                f"but the list says {value!r}; restore the setting or take another folder."
            )


def _stated(settings: Settings) -> dict[str, Any]:
    return {
        "functional": settings.functional,
        "cutoff_eV": settings.cutoff_eV,
        "smearing_eV": settings.smearing_eV,
        "k_mesh": list(settings.k_mesh or ()),
    }


def run_crystals(
    plan: CrystalList,
    folder: Path,
    *,
    jobs: int = 1,
    nice: int = 0,
    retry_failed: bool = False,
    command: str = "",
    progress: Progress | None = None,
    on_done: Callable[[CrystalLedger, PlannedCrystal], None] | None = None,
) -> CrystalLedger:
    """Relax all crystals of a list that are neither relaxed nor given up.

    Killing it at any moment loses at most one step of each crystal that is being relaxed; the same
    call goes on. A crystal that fails is recorded with its reason and left out.

    Parameters
    ----------
    plan
        The list.
    folder
        For journals, logs and results.
    jobs
        Crystals at once, each with a worker process.
    nice
        Added to the workers' niceness.
    retry_failed
        Try crystals again that failed.
    command
        Command line for the provenance.
    progress
        Where to report; nowhere if None.
    on_done
        Called after each relaxed crystal, from one thread at a time.

    Raises
    ------
    PlanError
        If another process works in the folder, or what lies there does not belong to the list.
    EngineError
        If the first crystals all fail.
    """
    report = progress or quiet()
    folder.mkdir(parents=True, exist_ok=True)
    with Journal(failures_path(folder)) as failures:
        if retry_failed:
            failures.append({"event": "forgiven", "time": now()})
        ledger = open_crystal_ledger(plan, folder)
        waiting = deque(ledger.todo)
        if not waiting:
            return ledger
        lock = threading.Lock()
        broken: list[BaseException] = []

        def work() -> None:
            while not broken:
                with lock:
                    if not waiting:
                        return
                    planned = waiting.popleft()
                try:
                    _relax_one(planned)
                except BaseException as error:  # raised again by the main thread
                    broken.append(error)

        def _relax_one(planned: PlannedCrystal) -> None:
            try:
                result = relax_crystal(plan.plan_of(planned, folder), nice=nice, command=command)
            except SymscapeError as error:
                with lock:
                    ledger.failed[planned.id] = str(error)
                    event = {"event": "failed", "id": planned.id, "time": now()}
                    failures.append({**event, "failed": str(error)})
                    report.fail(f"{planned.id}: {error}")
                    if not ledger.done and len(ledger.failed) >= _HOPELESS_CRYSTALS:
                        raise EngineError(
                            f"{plan.path}: the first {len(ledger.failed)} crystals all failed, "
                            f"the last one with '{error}'; mend that and run again with "
                            "--retry-failed."
                        ) from None
                return
            with lock:
                ledger.done[planned.id] = result
                report.advance(_seconds(plan, planned, folder))
                if on_done is not None:
                    on_done(ledger, planned)

        workers = min(jobs, len(waiting))
        with report.task(plan.path.stem, len(waiting), workers):
            # daemons: an interrupted run ends at once, and its workers with it
            threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)
        if broken:
            raise broken[0]
    return ledger


def _seconds(plan: CrystalList, planned: PlannedCrystal, folder: Path) -> float:
    """Return how long all steps of a crystal took."""
    events = read_journal(plan.plan_of(planned, folder).journal_path)
    return float(sum(event.get("seconds", 0.0) for event in events))


def store_crystals(
    ledger: CrystalLedger, library: Path, command: str = "", systems: list[str] | None = None
) -> tuple[list[Path], list[str]]:
    """Write the relaxed crystals of a list into a library, a file a chemical system.

    Parameters
    ----------
    ledger
        What has been computed.
    library
        The reference library.
    command
        For the provenance where a result does not carry its own.
    systems
        Only these; all with a relaxed crystal if None.

    Returns
    -------
    files : list of Path
        What was written.
    notices : list of str
        Crystals that were left out, each with the reason.

    Raises
    ------
    ReferenceFileError
        If a file would not pass the library's own checks.
    """
    notices: list[str] = []
    records: dict[str, list[dict[str, Any]]] = {}
    for planned in ledger.plan.crystals:
        if planned.id not in ledger.done or (systems and planned.system not in systems):
            continue
        record = crystal_record(planned, ledger.done[planned.id])
        density = ledger.done[planned.id]["method"].get("k_density_A")
        cell = np.array(record["cell_A"])
        if density is not None and not mesh_suffices(cell, record["k_mesh"], density):
            notices.append(
                f"{planned.id} has shrunk so far that its k-mesh is too coarse and is left out; "
                "start it nearer to its equilibrium"
            )
            continue
        own = records.setdefault(planned.system, [])
        twin = next((other for other in own if _is_same(record, other)), None)
        if twin is not None:
            notices.append(f"{planned.id} has relaxed to {twin['id']} and is left out")
            continue
        own.append(record)
    files = []
    for system, own in records.items():
        results = [ledger.done[record["id"]] for record in own]
        method = {key: value for key, value in results[0]["method"].items() if key != "k_mesh"}
        if "k_density_A" in method:
            method["k_density_A"] = ledger.plan.settings.k_density_A
        failed = {
            planned.id: ledger.failed[planned.id]
            for planned in ledger.plan.crystals
            if planned.system == system and planned.id in ledger.failed
        }
        provenance = {
            "licence": ledger.plan.licence,
            "citation": list(ledger.plan.citation),
            "notes": ledger.plan.notes,
            "command": results[0].get("command") or command,
            "symscape": results[0].get("symscape", ""),
            "relaxation": (
                "cell and positions at fixed space group until forces are below "
                f"{ledger.plan.relax.force_eV_A:g} eV/angstrom and stress components below "
                f"{ledger.plan.relax.pressure_GPa:g} GPa"
            ),
            "complete": system in ledger.complete_systems(),
            **({"failed": failed} if failed else {}),
        }
        files.append(write_crystals(library, system, own, method, provenance))
    return files, notices


def crystal_record(planned: PlannedCrystal, result: dict[str, Any]) -> dict[str, Any]:
    """Return a relaxed crystal as the library stores it, with the symmetry that spglib finds."""
    from ase import Atoms

    primitive = result["primitive"]
    atoms = Atoms(
        symbols=primitive["symbols"],
        scaled_positions=primitive["positions"],
        cell=primitive["cell_A"],
        pbc=True,
    )
    crystal = Crystal.from_structure(atoms, SYMPREC_A)
    return {
        "id": planned.id,
        "formula": crystal.formula,
        "prototype": planned.prototype,
        "space_group_number": crystal.space_group_number,
        "space_group_symbol": crystal.symbol,
        "n_lattice": crystal.n_lattice,
        "n_wyckoff": crystal.n_wyckoff,
        "energy_eV": primitive["energy_eV"],
        "steps": result["summary"]["steps"],
        "k_mesh": list(planned.settings.k_mesh or ()),
        "cell_A": primitive["cell_A"],
        "symbols": primitive["symbols"],
        "positions": primitive["positions"],
        "forces_eV_A": primitive["forces_eV_A"],
        "stress_GPa": primitive["stress_GPa"],
    }


def _is_same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two records are one crystal reached from two starts."""
    if any(first[key] != second[key] for key in ("formula", "space_group_number", "n_wyckoff")):
        return False
    energies, volumes = zip(
        *(
            (record["energy_eV"] / n, abs(np.linalg.det(record["cell_A"])) / n)
            for record in (first, second)
            for n in (len(record["symbols"]),)
        ),
        strict=True,
    )
    return bool(
        abs(energies[0] - energies[1]) < SAME_ENERGY_EV_ATOM
        and abs(volumes[0] / volumes[1] - 1) < SAME_VOLUME
    )


def status_lines(ledger: CrystalLedger) -> list[str]:
    """Return one line a chemical system: relaxed, failed and left."""
    lines = []
    for system in dict.fromkeys(planned.system for planned in ledger.plan.crystals):
        own = [planned.id for planned in ledger.plan.crystals if planned.system == system]
        done = sum(name in ledger.done for name in own)
        failed = sum(name in ledger.failed for name in own)
        lines.append(f"{system}: {done} of {len(own)} relaxed, {failed} failed")
    return lines
