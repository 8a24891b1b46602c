"""Extended XYZ files, as ASE writes them, frame by frame."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.dataset.files import Progress, open_binary
from symscape.dataset.record import UNKNOWN, BadRecord, CrystalRecord, Reject

if TYPE_CHECKING:
    from ase import Atoms

ID_KEYS = ("material_id", "mat_id", "id", "entry_id", "mp_id", "name")
ENERGY_KEYS = ("energy", "uncorrected_energy", "dft_energy", "REF_energy", "total_energy")
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
    if not atoms.pbc.all() or atoms.cell.rank < 3:
        raise BadRecord("not periodic", "the structure is not periodic in three directions.")
    level = atoms.info.get("level_of_theory", UNKNOWN)
    return CrystalRecord(
        name,
        np.asarray(atoms.numbers, dtype=int),
        np.asarray(atoms.cell.array, dtype=float),
        np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T,
        energy_eV=_energy(atoms, energy_key),
        level_of_theory=str(level),
        where=where,
    )


def _energy(atoms: Atoms, energy_key: str) -> float:
    """Return the energy of a frame, eV; NaN if it states none."""
    results = atoms.calc.results if atoms.calc is not None else {}
    stated = {**atoms.info, **results}
    keys = (energy_key,) if energy_key else (*ENERGY_KEYS, "free_energy")
    value = next((stated[key] for key in keys if key in stated), np.nan)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadRecord("no energy", f"the energy {value!r} is no number.") from None
