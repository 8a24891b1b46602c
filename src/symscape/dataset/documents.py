"""From pymatgen's and the Materials Project's documents to records, without building their objects.

A document is what ``json`` makes of a ``ComputedStructureEntry``, of one in a table's row, or of
the Materials Project's summary and thermo documents (fields as in emmet-core's ``SummaryDoc`` and
``ThermoDoc``: energies per atom, ``energy_per_atom`` with corrections).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from symscape.crystal.orbits import atomic_numbers
from symscape.crystal.reading.beside import group_beside
from symscape.crystal.reading.stated_twice import two_crystals
from symscape.dataset.corrections import Maker, Stated, maker_of, together
from symscape.dataset.declared import (
    check_cell,
    check_composition,
    check_formula,
    number_of,
)
from symscape.dataset.jsonlayout import ENTRY_COLUMNS, ID_COLUMNS
from symscape.dataset.record import UNKNOWN, BadRecord, CrystalRecord
from symscape.dataset.stress_units import VASP, StatedStress, stated_stress
from symscape.errors import StructureFileError, shown

#: VASP's run types, as the Materials Project names them, and the functionals they stand for
_FUNCTIONALS = {
    "GGA": "PBE", "PBE": "PBE", "PBESOL": "PBEsol", "SCAN": "SCAN", "R2SCAN": "r2SCAN",
    "METAGGA": "meta-GGA",
}  # fmt: skip
#: keys of run types and functionals
_LEVEL_KEYS = ("run_type", "functional", "level_of_theory")
#: of MPtrj's frames, eV per cell (Deng et al., Nat. Mach. Intell. 5, 1031 (2023))
_TOTAL, _TOTAL_CORRECTED = "uncorrected_total_energy", "corrected_total_energy"
_UNCORRECTED, _CORRECTED = "uncorrected_energy_per_atom", "energy_per_atom"


def record_from_document(document: Any, name: str = "") -> CrystalRecord:
    """Return the crystal of a document.

    Parameters
    ----------
    document
        What ``json.loads`` made of a record.
    name
        What the file calls it, if it does.

    Raises
    ------
    BadRecord
        If it is none of the known documents, or holds no ordered crystal of known elements. That
        it states no energy is not decided here, for a table may do that.
    """
    if not isinstance(document, dict):
        raise BadRecord("malformed", f"the record is {shown(document)}, not an object.")
    record = _record(document, name)
    # energies of such documents are per atom, whatever the cell; those of entries are of cells
    check_composition(document.get("composition"), record, whole="energy" in document)
    if "entries" not in document:
        check_cell(document, record)
    check_formula(document, record)
    check_formula(_dict(document.get("data")), record)
    record = replace(record, level_of_theory=_level(document, record.level_of_theory))
    return replace(
        record,
        space_group=_group(document),
        stress=_stress(document, record.cell_volume),
    )


def _level(document: dict[str, Any], inner: str) -> str:
    """Return the level of theory of a document and of the entry in it, which must be one."""
    return stated_level(document, {} if inner == UNKNOWN else {"level_of_theory": inner})


def _record(document: dict[str, Any], name: str) -> CrystalRecord:
    """Return the crystal of a document of whichever kind."""
    wrapped = next((k for k in ENTRY_COLUMNS if isinstance(document.get(k), dict)), None)
    if wrapped:
        record = _from_entry(document[wrapped])
    elif isinstance(document.get("entries"), dict):
        record = _from_thermo(document)
    elif _TOTAL in document:
        record = _from_frame(document)
    elif _UNCORRECTED in document or _CORRECTED in document:
        record = _from_summary(document)
    elif "energy" in document or "structure" in document:
        return _from_entry(document, name)
    else:
        raise BadRecord(
            "malformed", "the record has neither a structure nor an energy; it is no known kind."
        )
    names = (name, *(_text(document.get(key)) for key in ID_COLUMNS), record.id, *record.aliases)
    return _named(record, names)


def document_id(document: Any, name: str = "") -> str:
    """Return what a document calls itself, as far as that can be told of a damaged one."""
    if name or not isinstance(document, dict):
        return name
    data = document.get("data")
    inner = next((document[k] for k in ENTRY_COLUMNS if isinstance(document.get(k), dict)), None)
    places = (document, _dict(inner), _dict(data))
    return next((t for place in places for k in ID_COLUMNS if (t := _text(place.get(k)))), "")


def _from_entry(entry: dict[str, Any], name: str = "") -> CrystalRecord:
    """Return the crystal of a ``ComputedStructureEntry``, whose ``energy`` is uncorrected."""
    data, parameters = _dict(entry.get("data")), _dict(entry.get("parameters"))
    record = _from_structure(
        entry.get("structure"),
        energy_eV=number_of(entry.get("energy"), "energy"),
        stated=_stated(entry),
        hubbard_eV=_hubbard(parameters),
        level_of_theory=stated_level(parameters, data, entry),
    )
    check_cell(entry, record)
    check_composition(entry.get("composition"), record)
    inner = (_text(place.get(key)) for place in (entry, data) for key in ID_COLUMNS)
    return _named(record, (name, _text(entry.get("entry_id")), *inner))


def _stress(document: dict[str, Any], volume_A3: float) -> StatedStress | None:
    """Return the stress that a document or the entry in it states, as VASP does, if any."""
    found = (stated_stress(place, volume_A3, VASP) for place in _places(document))
    return next((stress for stress in found if stress is not None), None)


def _group(document: dict[str, Any]) -> int:
    """Return the number of the space group that a document states, 0 if it states none."""
    try:
        return group_beside(*_places(document))
    except StructureFileError as error:
        raise BadRecord("contradiction", str(error)) from None


def _places(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return where a document and the entries in it state what they know of the crystal."""
    entries = [document, *_entries(document)]
    return [place for entry in entries for place in (entry, _dict(entry.get("data")))]


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries in a document, a table's row or a thermo document's."""
    inner = (
        *(document.get(key) for key in ENTRY_COLUMNS),
        *_dict(document.get("entries")).values(),
    )
    return [entry for entry in inner if isinstance(entry, dict)]


def _from_thermo(document: dict[str, Any]) -> CrystalRecord:
    """Return the crystal of a thermo document: the entry that its energies are of."""
    entries = {k: v for k, v in document["entries"].items() if isinstance(v, dict)}
    kind = _text(document.get("energy_type"))
    if kind not in entries and len(entries) != 1:
        raise BadRecord(
            "malformed",
            f"the thermo document has {len(entries)} entries, none of its energy type "
            f"{shown(kind)}.",
        )
    record = _from_entry(entries[kind] if kind in entries else next(iter(entries.values())))
    # the mixed hull's difference is of two makers, whom only the entry's own list tells apart
    mixed = "R2SCAN" in _text(document.get("thermo_type"))
    stated = _stated_correction(document)
    if np.isfinite(stated) and not mixed:
        record = replace(
            record, stated=(Stated(Maker.MP2020, stated * record.n_atoms, by_difference=True),)
        )
    if record.level_of_theory == UNKNOWN:
        record = replace(record, level_of_theory=_functional(kind))
    return record


def _from_summary(document: dict[str, Any]) -> CrystalRecord:
    """Return the crystal of a summary document."""
    per_atom = number_of(document.get(_UNCORRECTED), _UNCORRECTED)
    record = _from_structure(document.get("structure"))
    if np.isnan(per_atom) and len(record.elements) == 1:
        # corrections are of compounds: an element's energy is the same with and without
        per_atom = number_of(document.get(_CORRECTED), _CORRECTED)
    stated = _stated_correction(document) * record.n_atoms
    return replace(
        record,
        energy_eV=per_atom * record.n_atoms,
        stated=() if np.isnan(stated) else (Stated(Maker.MP2020, stated, by_difference=True),),
    )


def _from_frame(document: dict[str, Any]) -> CrystalRecord:
    """Return the crystal of a frame of MPtrj, whose two energies differ by MP2020's correction."""
    total = number_of(document[_TOTAL], _TOTAL)
    stated = number_of(document.get(_TOTAL_CORRECTED), _TOTAL_CORRECTED) - total
    return _from_structure(
        document.get("structure"),
        energy_eV=total,
        stated=() if np.isnan(stated) else (Stated(Maker.MP2020, stated, by_difference=True),),
    )


def _stated_correction(document: dict[str, Any]) -> float:
    """Return the difference of the two energies of a document, eV/atom; NaN unless it has both."""
    corrected = number_of(document.get(_CORRECTED), _CORRECTED)
    return corrected - number_of(document.get(_UNCORRECTED), _UNCORRECTED)


def _stated(entry: dict[str, Any]) -> tuple[Stated, ...]:
    """Return what an entry adds to its energy; an old total without a list names no maker."""
    adjustments = entry.get("energy_adjustments")
    if isinstance(adjustments, list) and adjustments:
        own = [_dict(adjustment) for adjustment in adjustments]
        return together([Stated(maker_of(one), _adjustment(one)) for one in own])
    correction = number_of(entry.get("correction"), "correction")
    return together([] if np.isnan(correction) else [Stated(Maker.UNNAMED, correction)])


def _hubbard(parameters: dict[str, Any]) -> dict[str, float] | None:
    """Return U by element, eV; None where it is not stated."""
    stated = parameters.get("hubbards")
    if not isinstance(stated, dict):
        return None
    return {str(element): number_of(value, "hubbards") for element, value in stated.items()}


def _adjustment(adjustment: dict[str, Any]) -> float:
    """Return the value of one of pymatgen's energy adjustments, eV."""
    if "value" in adjustment:
        names: tuple[str, ...] = ("value",)
    elif "adj_per_atom" in adjustment:
        names = ("adj_per_atom", "n_atoms")
    else:
        names = ("adj_per_deg", "temp", "n_atoms")
    value = float(np.prod([number_of(adjustment.get(name), name) for name in names]))
    if np.isnan(value):
        raise BadRecord("no energy", "an energy adjustment is no number.")
    return value


def _from_structure(structure: Any, **values: Any) -> CrystalRecord:
    cell, numbers, positions = structure_arrays(structure)
    return CrystalRecord("", numbers, cell, positions, **values)


def structure_arrays(structure: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the dictionary of a pymatgen ``Structure`` holds.

    Returns
    -------
    cell : ndarray
        Lattice vectors as rows, angstrom, shape (3, 3).
    numbers : ndarray
        Atomic numbers, shape (n_atoms,).
    positions : ndarray
        Fractional, shape (n_atoms, 3).

    Raises
    ------
    BadRecord
        If there is none, or it is disordered, not periodic, or has unknown elements.
    """
    if structure is None:
        raise BadRecord("no structure", "the record has no structure.")
    try:
        lattice, sites = structure["lattice"], structure["sites"]
        if not all(lattice.get("pbc", (True,))):
            raise BadRecord("not periodic", "the structure is not periodic in three directions.")
        cell = np.array(lattice["matrix"], dtype=float).reshape(3, 3)
        if said := two_crystals(structure):
            raise BadRecord("contradiction", f"{said}.")
        numbers = np.array([_atomic_number(site["species"]) for site in sites], dtype=int)
        if all("abc" in site for site in sites):
            positions = np.array([site["abc"] for site in sites], dtype=float).reshape(-1, 3)
        else:
            cartesian = np.array([site["xyz"] for site in sites], dtype=float).reshape(-1, 3)
            positions = np.linalg.solve(cell.T, cartesian.T).T
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise BadRecord("no structure", f"the structure is malformed: {missing}.") from None
    except np.linalg.LinAlgError:
        raise BadRecord("no volume", "the lattice vectors lie in a plane.") from None
    if len(positions) != len(numbers):
        raise BadRecord("no structure", "the structure is malformed: not three coordinates a site.")
    return cell, numbers, positions


def _atomic_number(species: Any) -> int:
    """Return the atomic number of a site's only species."""
    shares = [(kind["element"], float(kind.get("occu", 1.0))) for kind in species]
    if len(shares) != 1 or not abs(shares[0][1] - 1.0) <= 1e-3:
        text = ", ".join(f"{shown(element)} {share:g}" for element, share in shares)
        raise BadRecord("partial occupancy", f"a site is shared or partly empty: {text}.")
    symbol = shares[0][0]
    number = atomic_numbers().get(symbol) if isinstance(symbol, str) else None
    if number is None:
        raise BadRecord("unknown element", f"{shown(symbol)} is no element.")
    return number


def stated_level(*places: dict[str, Any]) -> str:
    """Return the functional that these state in the usual keys, `UNKNOWN` if none does.

    Raises
    ------
    BadRecord
        If two of them state different ones. ``functional`` alone may leave +U out.
    """
    known = [
        (key, place[key], level)
        for place in places
        for key in _LEVEL_KEYS
        if (level := _functional(place.get(key))) != UNKNOWN
    ]
    if not known:
        return UNKNOWN
    # the most precise of them: PBE+U where the functional is said to be PBE
    first_key, first, chosen = max(known, key=lambda one: "+" in one[2])
    for key, value, level in known:
        if level != chosen and not (key == "functional" and level == chosen.partition("+")[0]):
            raise BadRecord(
                "contradiction",
                f"{first_key} is {shown(first)}, but {key} is {shown(value)}, which is another "
                "level of theory.",
            )
    return chosen


def _functional(run_type: Any) -> str:
    if not isinstance(run_type, str) or not run_type:
        return UNKNOWN
    name, plus, rest = run_type.partition("+")
    return _FUNCTIONALS.get(name.upper(), name) + plus + rest


def _text(value: Any) -> str:
    """Return an identifier as text; empty for anything else."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _named(record: CrystalRecord, names: tuple[str, ...]) -> CrystalRecord:
    """Name a record by the first of its names; the others stay known."""
    known = tuple(dict.fromkeys(name for name in names if name))
    return replace(record, id=known[0] if known else "", aliases=known[1:])
