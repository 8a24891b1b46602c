"""All other formats that ASE or pymatgen reads."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.orbits import reduced_formula
from symscape.crystal.reading.arrays import CellArrays
from symscape.crystal.reading.beside import group_beside, other_formula, other_volume
from symscape.crystal.reading.extxyz_text import hydrogen
from symscape.crystal.reading.source import Source
from symscape.crystal.standardize import cell_arrays
from symscape.errors import DisorderedStructureError, StructureFileError

#: pymatgen decodes these by importing what the file names
_DECODED = re.compile(r"\.(json|mson|ya?ml)", re.IGNORECASE)
#: warnings of readers that say nothing about the structure
_COSMETIC = re.compile(
    r"deprecat|POTCAR|unit cell|default|scaled|guess|no .*provided|CASTEP", re.IGNORECASE
)


def read_other(source: Source) -> CellArrays:
    """Read the last structure of a file with ASE, or with pymatgen if ASE can't.

    Raises
    ------
    StructureFileError
        If neither can, or the structure is no ordered periodic crystal.
    """
    _refuse_asymmetric_unit(source)
    _refuse_types(source)
    readers: dict[str, Callable[[Path], list[Any]]] = {"ASE": _ase, "pymatgen": _pymatgen}
    reasons = []
    with _on_disk(source) as path:
        for name, reader in readers.items():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                try:
                    frames = reader(path)
                except StructureFileError:
                    raise
                except Exception as error:  # whatever a parser does with a file not its own
                    reasons.append(f"{name}: {_first_line(error)}")
                    continue
            if not frames:
                reasons.append(f"{name}: no structure in it")
                continue
            notices = [] if len(frames) == 1 else [f"took the last of {len(frames)} structures"]
            texts = [_first_line(w.message) for w in caught if issubclass(w.category, UserWarning)]
            notices += [text for text in dict.fromkeys(texts) if not _COSMETIC.search(text)]
            return _arrays(frames[-1], tuple(notices))
    raise StructureFileError(
        f"no structure could be read ({'; '.join(reasons)}); give a format that ASE or pymatgen "
        "reads, such as CIF or POSCAR."
    )


def _refuse_asymmetric_unit(source: Source) -> None:
    """Refuse formats of which ASE reads the atoms listed but not their symmetry operations.

    Raises
    ------
    StructureFileError
        If a PDB, SHELX, CSSR or Materials Studio file has a space group other than P1.
    """
    found = None
    if source.ending in (".pdb", ".ent"):
        found = re.search(r"^CRYST1.{49}(?! *P 1 |   )(.{11})", source.text, re.MULTILINE)
    elif source.ending in (".res", ".ins"):
        found = re.search(r"^(SYMM.*|LATT +(?!-1\b).*)", source.text, re.MULTILINE)
    elif source.ending in (".car", ".cor", ".arc"):
        found = re.search(r"^PBC .*\((?! *P *1 *\))(.+)\)", source.text, re.MULTILINE)
    elif source.ending == ".cssr":
        found = re.search(r"SPGR *= *(?!1\b)(\d.*?) *(?:OPT|$)", source.text, re.MULTILINE)
    elif source.ending in (".xsd", ".xtd"):
        found = re.search(r'<SpaceGroup\b[^>]*\bGroupName="(?!P *1")([^"]*)"', source.text)
    if found:
        raise StructureFileError(
            f"the file lists the atoms of an asymmetric unit only ({found.group(1).strip()}), "
            "which is not expanded in this format; give a CIF."
        )


def _refuse_types(source: Source) -> None:
    """Refuse LAMMPS files whose atoms are types: ASE takes the first for H, the second for He.

    Raises
    ------
    StructureFileError
        If a dump has no column of elements, or a data file no masses to tell them from.
    """
    columns = re.search(r"^ITEM: ATOMS(.*)$", source.text, re.MULTILINE)
    listed = re.search(r"^\s*\d+\s+atom types\s*$", source.text, re.MULTILINE)
    dump = columns is not None and "element" not in columns[1].split()
    if dump or (listed and not re.search(r"^\s*Masses\b", source.text, re.MULTILINE)):
        raise StructureFileError(
            "the file names no elements but types of LAMMPS; write a dump with a column 'element', "
            "a data file with its masses, or another format."
        )


@contextmanager
def _on_disk(source: Source) -> Iterator[Path]:
    """Yield a path of the decompressed file, text in UTF-8, under its name without compression."""
    data = source.data if _is_binary(source.data) else hydrogen(source.text).encode("utf-8")
    if data == source.data and not source.compressed:
        yield source.path
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / source.name
        path.write_bytes(data)
        yield path


def _is_binary(data: bytes) -> bool:
    """Whether a file is no text: its bytes are left as they are."""
    return b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff"))


def _first_line(error: object) -> str:
    """Return an error's first line without its full stop, or its type."""
    text = str(error).strip().splitlines()
    return text[0].rstrip(". ")[:200] if text else type(error).__name__


def _ase(path: Path) -> list[Any]:
    from ase.io import read

    frames = read(path, index=":", do_not_split_by_at_sign=True)
    return frames if isinstance(frames, list) else [frames]


def _pymatgen(path: Path) -> list[Any]:
    from pymatgen.core import Structure

    if _DECODED.search(path.name):
        raise ValueError("it is no JSON that can be read without running what it names")
    return [Structure.from_file(path)]


def _arrays(frame: Any, notices: tuple[str, ...]) -> CellArrays:
    """Return a frame of ASE or pymatgen once it is known to be fully occupied."""
    by_site = getattr(frame, "info", {}).get("occupancy") or {}
    shares = [float(x) for site in by_site.values() for x in dict(site).values()]
    for column in ("occupancy", "occupancies"):
        shares += list(np.ravel(getattr(frame, "arrays", {}).get(column, [])))
    if any(share < 0.999 for share in shares):
        raise DisorderedStructureError(
            "the structure has partially occupied sites; give an ordered crystal."
        )
    lattice, positions, numbers = cell_arrays(frame)
    beside = getattr(frame, "info", {})
    if said := other_formula(beside, reduced_formula(numbers)):
        raise StructureFileError(f"{said}; correct one of them.")
    if said := other_volume(beside, lattice, len(numbers)):
        raise StructureFileError(f"{said}; correct one of them.")
    group = group_beside(beside)
    return CellArrays(lattice, positions, numbers, notices, _moments(frame), space_group=group)


def _moments(frame: Any) -> np.ndarray | None:
    """Return the moments that a frame carries, shape (n, 1) or (n, 3), or None."""
    if not hasattr(frame, "get_initial_magnetic_moments"):
        return None
    moments = np.asarray(frame.get_initial_magnetic_moments(), dtype=float)
    results = getattr(frame.calc, "results", {}) if frame.calc is not None else {}
    if not moments.any() and results.get("magmoms") is not None:
        moments = np.asarray(results["magmoms"], dtype=float)
    return moments.reshape(len(frame), -1) if moments.any() else None
