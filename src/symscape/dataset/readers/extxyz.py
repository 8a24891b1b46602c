"""Extended XYZ files, as ASE writes them, frame by frame."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.crystal.reading.beside import group_beside
from symscape.crystal.reading.extxyz_text import hydrogen
from symscape.dataset.declared import check_cell, check_formula
from symscape.dataset.documents import stated_level
from symscape.dataset.files import Progress, open_binary
from symscape.dataset.record import BadRecord, CrystalRecord, Reject
from symscape.dataset.stress_units import ASE, stated_stress
from symscape.errors import StructureFileError

if TYPE_CHECKING:
    from ase import Atoms

ID_KEYS = ("material_id", "mat_id", "id", "entry_id", "mp_id", "name")
#: looked for in this order, whatever their case
ENERGY_KEYS = (
    "energy", "uncorrected_energy", "dft_energy", "energy_dft", "ref_energy", "total_energy",
    "free_energy",
)  # fmt: skip
#: columns of occupancies
_SHARES = ("occupancy", "occupancies")
#: a config_type, its letters alone
_ISOLATED = "isolatedatom"
#: a frame that claims more is damaged
MOST_ATOMS = 1_000_000


def read_extxyz(
    path: Path, progress: Progress | None = None, energy_key: str = ""
) -> Iterator[CrystalRecord | Reject]:
    """Yield the crystals of an extended XYZ file.

    Parameters
    ----------
    energy_key
        The key of a frame's comment line that holds the energy of the cell, eV; if empty, the usual
        ones are looked for, ASE's own ``energy`` first.
    """
    with open_binary(path, progress) as file:
        for number, (line, frame) in enumerate(_frames(file), start=1):
            where = f"frame {number} at line {line}"
            name = ""
            try:
                if isinstance(frame, BadRecord):
                    raise frame
                frame = hydrogen(frame)
                atoms = _parse(frame)
                name = next((str(atoms.info[k]) for k in ID_KEYS if k in atoms.info), "")
                yield _record(atoms, name, where, energy_key)
            except BadRecord as error:
                yield Reject(name, path.name, where, error.kind, error.reason)


def _frames(file: Any) -> Iterator[tuple[int, str | BadRecord]]:
    """Yield the text of each frame and the number of its first line.

    Behind lines that are no frame, the search goes on with the next line that is a number.
    """
    number = 0
    lines = ((k, text.decode("utf-8", errors="replace")) for k, text in enumerate(file, start=1))
    lost = 0
    for number, text in lines:
        text = text.removeprefix("\ufeff") if number == 1 else text  # a byte order mark
        if not text.strip().isdigit():
            if text.strip() and not lost:
                lost = number
            continue
        if lost:
            yield lost, BadRecord("malformed", "the lines begin with no number of atoms.")
            lost = 0
        count = int(text) + 1
        if count > MOST_ATOMS:
            yield number, BadRecord("malformed", f"{text.strip()[:20]} atoms are no frame.")
            continue
        rest = [line for _, (_, line) in zip(range(count), lines, strict=False)]
        if len(rest) < count:
            yield number, BadRecord("malformed", "the file ends in the middle of the frame.")
            return
        yield number, "".join([text, *rest])
    if lost:
        yield lost, BadRecord("malformed", "the lines begin with no number of atoms.")


def _parse(frame: str) -> Atoms:
    from ase.io.extxyz import read_xyz

    try:
        return next(iter(read_xyz(io.StringIO(frame), slice(0, 1))))
    except KeyError as error:
        raise BadRecord("unknown element", f"the frame has no element or key {error}.") from None
    except Exception as error:  # whatever ASE's parser does with a damaged frame
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BadRecord("malformed", f"ASE can't read the frame: {lines[0].rstrip('.')}.") from None


def _record(atoms: Atoms, name: str, where: str, energy_key: str) -> CrystalRecord:
    kind = re.sub(r"[^a-z]", "", str(atoms.info.get("config_type", "")).lower())
    if kind.rstrip("s") == _ISOLATED:
        raise BadRecord("isolated atoms", "the frame calls itself an isolated atom.")
    if not atoms.pbc.all() or atoms.cell.rank < 3:
        raise BadRecord("not periodic", "the structure is not periodic in three directions.")
    shares = [atoms.arrays[key] for key in _SHARES if key in atoms.arrays]
    if any((np.asarray(share, dtype=float) < 0.999).any() for share in shares):
        raise BadRecord("partial occupancy", "a site is shared or partly empty.")
    energy, notices = _energy(atoms, energy_key)
    results = atoms.calc.results if atoms.calc is not None else {}
    record = CrystalRecord(
        name,
        np.asarray(atoms.numbers, dtype=int),
        np.asarray(atoms.cell.array, dtype=float),
        np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T,
        energy_eV=energy,
        level_of_theory=stated_level(atoms.info),
        space_group=_group(atoms),
        where=where,
        notices=notices,
        stress=stated_stress({**atoms.info, **results}, atoms.get_volume(), ASE),
    )
    check_formula(atoms.info, record)
    check_cell(atoms.info, record)
    return record


def _group(atoms: Atoms) -> int:
    """Return the number of the space group that a frame states, 0 if it states none."""
    try:
        return group_beside(atoms.info)
    except StructureFileError as error:
        raise BadRecord("contradiction", str(error)) from None


def _energy(atoms: Atoms, energy_key: str) -> tuple[float, tuple[str, ...]]:
    """Return the energy of a frame, eV, and what to say if it states several.

    NaN if it states none and nothing that may be one, so that a table can.
    """
    results = atoms.calc.results if atoms.calc is not None else {}
    stated = {**atoms.info, **results}
    keys = [energy_key] if energy_key in stated else []
    if not energy_key:
        keys = [key for usual in ENERGY_KEYS for key in stated if key.lower() == usual]
    if not keys:
        others = [key for key in stated if "energy" in key.lower()]
        if energy_key or others:
            there = f"there are {', '.join(others)}" if others else "no key speaks of energy"
            raise BadRecord(
                "no energy",
                f"no known key holds the energy, {there}; name it with --energy-key."
                if not energy_key
                else f"the frame has no key {energy_key!r}, {there}.",
            )
        return np.nan, ()
    try:
        value = float(stated[keys[0]])
    except (TypeError, ValueError):
        raise BadRecord("no energy", f"the energy {stated[keys[0]]!r} is no number.") from None
    rivals = [key for key in keys[1:] if key != "free_energy"]
    if not rivals:
        return value, ()
    said = f"the energy is that of {keys[0]}; {', '.join(rivals)} was there too (--energy-key)."
    return value, (said,)
