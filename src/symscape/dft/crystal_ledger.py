"""How far a list of crystals is: what its output folder and the reference library hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from symscape.dft.crystal_list import CrystalList, PlannedCrystal
from symscape.dft.events import OF_LISTS, CrystalFailed
from symscape.dft.journal import read_journal
from symscape.dft.ledger import Ledger, failures_in
from symscape.dft.plan_crystal import crystal_digest
from symscape.dft.relaxed import RelaxedCrystal, relaxed_crystal
from symscape.dft.settings import Settings
from symscape.errors import PlanError
from symscape.references.crystal_files import stored_crystals
from symscape.references.method import Method

#: what a list's settings and a stored method must agree in
_SETTINGS = ("functional", "cutoff_eV", "smearing_eV")


@dataclass(kw_only=True)
class CrystalLedger(Ledger[str]):
    """What the output folder and the library say about a list; its crystals are named by their ids.

    Parameters
    ----------
    plan
        The list.
    folder
        Where journals and results lie.
    results
        Id to what the output folder holds of each relaxed crystal.
    stored
        Ids that the library holds, or has left out for a reason, computed as the list says; they
        need not be computed again, wherever the output folder went.
    """

    plan: CrystalList
    folder: Path
    results: dict[str, RelaxedCrystal] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()

    attempts: ClassVar[int] = 1

    @property
    def finished(self) -> Collection[str]:
        """Ids of the crystals that are relaxed, or stored already."""
        return self.results.keys() | self.stored

    def complete_systems(self) -> list[str]:
        """Chemical systems of which no crystal is left to do."""
        todo = set(self.todo)
        left = {planned.system for planned in self.plan.crystals if planned.id in todo}
        every = dict.fromkeys(planned.system for planned in self.plan.crystals)
        return [system for system in every if system not in left]


def failures_path(folder: Path) -> Path:
    """Return the record of the crystals that failed."""
    return folder / "failures.jsonl"


def open_crystal_ledger(
    plan: CrystalList, folder: Path, library: Path | None = None
) -> CrystalLedger:
    """Read what has been computed of a list.

    Parameters
    ----------
    plan
        The list.
    folder
        Where journals and results lie.
    library
        The reference library whose crystals count as computed; none if not given.

    Raises
    ------
    PlanError
        If a result is damaged, or was relaxed from another crystal or in another way than the list
        says.
    ReferenceFileError
        If a file of the library is malformed.
    """
    known = frozenset() if library is None else stored_ids(plan, library)
    names = [planned.id for planned in plan.crystals]
    ledger = CrystalLedger(
        order=names,
        failures=failures_in(
            read_journal(failures_path(folder), OF_LISTS),
            CrystalFailed,
            lambda event: event.id if event.id in names else None,
        ),
        plan=plan,
        folder=folder,
        stored=known,
    )
    for planned in plan.crystals:
        one = plan.plan_of(planned, folder)
        result = relaxed_crystal(one.path)
        if result is None:
            continue
        _check_result(planned, result, one.path)
        ledger.results[planned.id] = result
    return ledger


def _check_result(planned: PlannedCrystal, result: RelaxedCrystal, path: Path) -> None:
    if result.start != crystal_digest(planned.crystal):
        raise PlanError(
            f"{path.parent.name}/{planned.id} was relaxed from another crystal than the list's; "
            "restore the crystal, rename it, or remove that result."
        )
    different = _first_difference(result.method, planned.settings, (*_SETTINGS, "k_mesh"))
    if different is not None:
        key, stored, value = different
        raise PlanError(
            f"{path.parent.name}/{planned.id} was computed with {key} = {stored!r}, "
            f"but the list says {value!r}; restore the setting or take another folder."
        )


def _first_difference(
    method: Method, settings: Settings, keys: Iterable[str]
) -> tuple[str, object, object] | None:
    """Return what differs first of what is stated, with both values; many engines state nothing."""
    for key in keys:
        stored, wanted = getattr(method, key), getattr(settings, key)
        if stored is not None and stored != wanted:
            return key, stored, wanted
    return None


def stored_ids(plan: CrystalList, library: Path) -> frozenset[str]:
    """Return the ids that a library holds, or has left out, from this list's starts and meshes.

    Raises
    ------
    PlanError
        If the library's crystals were computed in another way than the list says.
    ReferenceFileError
        If a file of the library is malformed.
    """
    files = {
        system: stored_crystals(library, system)
        for system in dict.fromkeys(planned.system for planned in plan.crystals)
    }
    known = set()
    for planned in plan.crystals:
        file = files[planned.system]
        if file is None:
            continue
        different = _first_difference(file.method, planned.settings, _SETTINGS)
        if different is not None:
            key, stored, value = different
            raise PlanError(
                f"{library}: the crystals of {planned.system} were computed with {key} = "
                f"{stored!r}, but the list says {value!r}; restore the setting or name another "
                "library with --references."
            )
        records = {record.id: record for record in file.crystals}
        record = records.get(planned.id, file.provenance.left_out.get(planned.id))
        # files of older versions do not say where a crystal started
        if (
            record is not None
            and record.start in ("", crystal_digest(planned.crystal))
            and record.k_mesh in ((), planned.settings.k_mesh)
        ):
            known.add(planned.id)
    return frozenset(known)


def status_lines(ledger: CrystalLedger) -> list[str]:
    """Return one line a chemical system: relaxed, failed and left."""
    lines, given_up = [], set(ledger.failed)
    for system in dict.fromkeys(planned.system for planned in ledger.plan.crystals):
        own = [planned.id for planned in ledger.plan.crystals if planned.system == system]
        done = sum(name in ledger.finished for name in own)
        failed = sum(name in given_up for name in own)
        lines.append(f"{system}: {done} of {len(own)} relaxed, {failed} failed")
    return lines
