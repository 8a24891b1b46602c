"""From relaxed crystals to the reference library: a file a chemical system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.decode import Finite
from symscape.dft.crystal_ledger import CrystalLedger
from symscape.dft.crystal_list import PlannedCrystal
from symscape.dft.plan_crystal import crystal_digest
from symscape.dft.relaxed import RelaxedCrystal
from symscape.errors import ReferenceFileError
from symscape.references.crystal_checks import SYMPREC_A, mesh_suffices
from symscape.references.crystal_files import StoredCrystal, stored_crystals
from symscape.references.crystals import first_difference, write_crystals
from symscape.references.method import Method
from symscape.references.provenance import CrystalsProvenance, LeftOut

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
        file = stored_crystals(library, system)
        kept = [one for one in (file.crystals if file else ()) if one.id not in ledger.results]
        method = _common_method(ledger, new)
        if file and kept:
            _check_method(library, system, file.method, method)
        records, left_out = _select(kept, new, ledger)
        notices += [f"{name} {entry.reason}" for name, entry in left_out.items()]
        past = file.provenance if file else None
        provenance = _provenance(ledger, new, command, past, left_out)
        files.append(write_crystals(library, system, records, method, provenance))
    return files, notices


def _common_method(ledger: CrystalLedger, new: list[PlannedCrystal]) -> Method:
    """Return what the header of a file says of the method; each crystal states its own mesh."""
    method = replace(ledger.results[new[0].id].method, k_mesh=None)
    if method.k_density_A is not None:
        method = replace(method, k_density_A=Finite(ledger.plan.settings.k_density_A))
    return method


def _check_method(library: Path, system: str, known: Method, method: Method) -> None:
    different = first_difference(known, method)
    if different is not None:
        key, stored, own = different
        raise ReferenceFileError(
            f"{library}: the crystals of {system} were computed with {key} = {stored!r}, the new "
            f"ones with {own!r}; formation energies need one method, so name another library with "
            "--references."
        )


def _select(
    kept: list[StoredCrystal], new: list[PlannedCrystal], ledger: CrystalLedger
) -> tuple[list[StoredCrystal], dict[str, LeftOut]]:
    """Return the records of a file, and id to reason and start of the crystals left out of it."""
    records, left_out = list(kept), {}
    for planned in new:
        result = ledger.results[planned.id]
        record = crystal_record(planned, result)
        density = result.method.k_density_A
        cell = np.array(record.cell_A)
        twin = next((other for other in records if _is_same(record, other)), None)
        if density is not None and not mesh_suffices(cell, record.k_mesh, density):
            reason = (
                "has shrunk so far that its k-mesh is too coarse and is left out; start it nearer "
                "to its equilibrium"
            )
        elif twin is not None:
            reason = f"has relaxed to {twin.id} and is left out"
        else:
            records.append(record)
            continue
        left_out[planned.id] = LeftOut(start=record.start, k_mesh=record.k_mesh, reason=reason)
    return records, left_out


def _provenance(
    ledger: CrystalLedger,
    new: list[PlannedCrystal],
    command: str,
    past: CrystalsProvenance | None,
    left_out: dict[str, LeftOut],
) -> CrystalsProvenance:
    """Return the provenance of a file; ``past`` is that of the file as it was."""
    plan, result = ledger.plan, ledger.results[new[0].id]
    system = new[0].system
    given_up = set(ledger.failed)
    failed = (past.failed if past else {}) | {
        planned.id: ledger.reason(planned.id)
        for planned in plan.crystals
        if planned.system == system and planned.id in given_up
    }
    left_out = (past.left_out if past else {}) | left_out
    stored = {planned.id for planned in new} - left_out.keys()
    return CrystalsProvenance(
        licence=plan.licence,
        citation=plan.citation,
        notes=plan.notes,
        command=result.command or command,
        symscape=result.symscape,
        relaxation=(
            "cell and positions at fixed space group until forces are below "
            f"{plan.relax.force_eV_A:g} eV/angstrom and stress components below "
            f"{plan.relax.pressure_GPa:g} GPa"
        ),
        complete=system in ledger.complete_systems(),
        failed={k: v for k, v in failed.items() if k not in ledger.results},
        left_out={k: v for k, v in left_out.items() if k not in stored},
    )


def crystal_record(planned: PlannedCrystal, result: RelaxedCrystal) -> StoredCrystal:
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
    mesh = planned.settings.k_mesh
    assert mesh is not None
    if primitive.stress_GPa is None:
        raise ReferenceFileError(
            f"{planned.id}: it was relaxed without its stress, which the library wants to see; "
            "relax it with cell = true under [relax]."
        )
    return StoredCrystal(
        id=planned.id,
        formula=crystal.formula,
        prototype=planned.prototype,
        space_group_number=crystal.space_group_number,
        space_group_symbol=crystal.symbol,
        n_lattice=crystal.n_lattice,
        n_wyckoff=crystal.n_wyckoff,
        energy_eV=primitive.energy_eV,
        steps=result.summary.steps,
        k_mesh=mesh,
        cell_A=primitive.cell_A,
        symbols=primitive.symbols,
        positions=primitive.positions,
        forces_eV_A=primitive.forces_eV_A,
        stress_GPa=primitive.stress_GPa,
        start=crystal_digest(planned.crystal),
    )


def _is_same(first: StoredCrystal, second: StoredCrystal) -> bool:
    """Whether two records are one crystal reached from two starts."""
    if any(
        getattr(first, key) != getattr(second, key)
        for key in ("formula", "space_group_number", "n_wyckoff")
    ):
        return False
    energies, volumes = zip(
        *(
            (record.energy_eV / n, abs(np.linalg.det(record.cell_A)) / n)
            for record in (first, second)
            for n in (len(record.symbols),)
        ),
        strict=True,
    )
    return bool(
        abs(energies[0] - energies[1]) < SAME_ENERGY_EV_ATOM
        and abs(volumes[0] / volumes[1] - 1) < SAME_VOLUME
    )
