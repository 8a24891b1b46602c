"""From relaxed crystals to the reference library: a file a chemical system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.dft.crystal_ledger import CrystalLedger
from symscape.dft.crystal_list import PlannedCrystal
from symscape.dft.crystals import crystal_digest
from symscape.dft.relaxed import RelaxedCrystal
from symscape.errors import ReferenceFileError
from symscape.references.crystal_checks import SYMPREC_A, mesh_suffices
from symscape.references.crystal_files import stored_document
from symscape.references.crystals import COMMON_METHOD, write_crystals

#: crystals of one formula and space group nearer than this are one crystal
SAME_ENERGY_EV_ATOM = 1e-3
SAME_VOLUME = 5e-3


def store_crystals(
    ledger: CrystalLedger, library: Path, command: str = "", systems: list[str] | None = None
) -> tuple[list[Path], list[str]]:
    """Add the relaxed crystals of a list to a library, a file a chemical system.

    What a file holds already stays, but for crystals that were computed anew.

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
        If a file would not pass the library's own checks, or holds crystals of another method.
    """
    files: list[Path] = []
    notices: list[str] = []
    for system in dict.fromkeys(planned.system for planned in ledger.plan.crystals):
        if systems is not None and system not in systems:
            continue
        new = [c for c in ledger.plan.crystals if c.system == system and c.id in ledger.results]
        if not new:
            continue
        document = stored_document(library, system)
        kept = [
            record
            for record in (document["crystals"] if document else [])
            if record["id"] not in ledger.results
        ]
        method = _common_method(ledger, new)
        if document and kept:
            _check_method(library, system, document["method"], method)
        records, left_out = _select(kept, new, ledger)
        notices += [f"{name} {entry['reason']}" for name, entry in left_out.items()]
        past = document["provenance"] if document else {}
        provenance = _provenance(ledger, new, command, past, left_out)
        files.append(write_crystals(library, system, records, method, provenance))
    return files, notices


def _common_method(ledger: CrystalLedger, new: list[PlannedCrystal]) -> dict[str, Any]:
    """Return what the header of a file says of the method; each crystal states its own mesh."""
    own = ledger.results[new[0].id].method
    method = {key: value for key, value in own.items() if key != "k_mesh"}
    if "k_density_A" in method:
        method["k_density_A"] = ledger.plan.settings.k_density_A
    return method


def _check_method(
    library: Path, system: str, known: dict[str, Any], method: dict[str, Any]
) -> None:
    for key in COMMON_METHOD:
        if known.get(key) != method.get(key):
            raise ReferenceFileError(
                f"{library}: the crystals of {system} were computed with {key} = "
                f"{known.get(key)!r}, the new ones with {method.get(key)!r}; formation energies "
                "need one method, so name another library with --references."
            )


def _select(
    kept: list[dict[str, Any]], new: list[PlannedCrystal], ledger: CrystalLedger
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return the records of a file, and id to reason and start of the crystals left out of it."""
    records, left_out = list(kept), {}
    for planned in new:
        result = ledger.results[planned.id]
        record = crystal_record(planned, result)
        density = result.method.get("k_density_A")
        cell = np.array(record["cell_A"])
        twin = next((other for other in records if _is_same(record, other)), None)
        if density is not None and not mesh_suffices(cell, record["k_mesh"], density):
            reason = (
                "has shrunk so far that its k-mesh is too coarse and is left out; start it nearer "
                "to its equilibrium"
            )
        elif twin is not None:
            reason = f"has relaxed to {twin['id']} and is left out"
        else:
            records.append(record)
            continue
        left_out[planned.id] = {key: record[key] for key in ("start", "k_mesh")} | {
            "reason": reason
        }
    return records, left_out


def _provenance(
    ledger: CrystalLedger,
    new: list[PlannedCrystal],
    command: str,
    past: dict[str, Any],
    left_out: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """Return the provenance of a file; ``past`` is that of the file as it was."""
    plan, result = ledger.plan, ledger.results[new[0].id]
    system = new[0].system
    given_up = set(ledger.failed)
    failed = past.get("failed", {}) | {
        planned.id: ledger.reason(planned.id)
        for planned in plan.crystals
        if planned.system == system and planned.id in given_up
    }
    left_out = past.get("left_out", {}) | left_out
    stored = {planned.id for planned in new} - left_out.keys()
    return {
        "licence": plan.licence,
        "citation": list(plan.citation),
        "notes": plan.notes,
        "command": result.command or command,
        "symscape": result.symscape,
        "relaxation": (
            "cell and positions at fixed space group until forces are below "
            f"{plan.relax.force_eV_A:g} eV/angstrom and stress components below "
            f"{plan.relax.pressure_GPa:g} GPa"
        ),
        "complete": system in ledger.complete_systems(),
        **_unless_empty("failed", {k: v for k, v in failed.items() if k not in ledger.results}),
        **_unless_empty("left_out", {k: v for k, v in left_out.items() if k not in stored}),
    }


def _unless_empty(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {key: value} if value else {}


def crystal_record(planned: PlannedCrystal, result: RelaxedCrystal) -> dict[str, Any]:
    """Return a relaxed crystal as the library stores it, with the symmetry that spglib finds."""
    from ase import Atoms

    primitive = result.primitive
    atoms = Atoms(
        symbols=primitive.symbols,
        scaled_positions=primitive.positions,
        cell=primitive.cell_A,
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
        "energy_eV": primitive.energy_eV,
        "steps": result.summary["steps"],
        "k_mesh": list(planned.settings.k_mesh or ()),
        "cell_A": primitive.cell_A,
        "symbols": primitive.symbols,
        "positions": primitive.positions,
        "forces_eV_A": primitive.forces_eV_A,
        "stress_GPa": primitive.stress_GPa,
        "start": crystal_digest(planned.crystal),
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
