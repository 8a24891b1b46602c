"""Read a crystal from any structure file that ASE or pymatgen knows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symscape.errors import StructureFileError

if TYPE_CHECKING:
    from ase import Atoms

#: Images of a CIF's atom nearer than this (fractional) are one atom: coordinates such as 0.333.
_CIF_SITE_TOLERANCE = 2e-3


@dataclass(frozen=True, eq=False)
class StructureFile:
    """What a structure file holds.

    Parameters
    ----------
    atoms
        The structure; the last one of a file with several.
    notices
        What the user should know, one sentence each: frames left out, the reader's warnings.
    """

    atoms: Atoms
    notices: tuple[str, ...]


def read_structure(path: str | Path) -> StructureFile:
    """Read the last structure of a file.

    CIF files go to pymatgen first, which respects occupancies; all others to ASE first.

    Parameters
    ----------
    path
        Any format that ASE or pymatgen reads.

    Raises
    ------
    StructureFileError
        If the file is missing, empty, unreadable, not periodic in three directions, or disordered.
    """
    path = Path(path)
    if not path.exists():
        raise StructureFileError(f"{path}: there is no such file; check the path.")
    if not path.is_file():
        raise StructureFileError(f"{path}: this is not a file; give a structure file.")
    try:
        empty = not path.read_bytes().strip()
    except OSError as error:
        raise StructureFileError(f"{path}: the file can't be read ({error.strerror}).") from error
    if empty:
        raise StructureFileError(f"{path}: the file is empty; give a structure file.")
    readers: list[tuple[str, Callable[[Path], list[Any]]]] = [
        ("ASE", _read_with_ase),
        ("pymatgen", _read_with_pymatgen),
    ]
    if path.suffix.lower() in (".cif", ".mcif"):
        readers.reverse()
    reasons = []
    for name, reader in readers:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                frames = reader(path)
            except StructureFileError as error:
                raise StructureFileError(f"{path}: {error}") from error
            except Exception as error:  # whatever a parser does with a file that is not its own
                reasons.append(f"{name}: {_first_line(error)}")
                continue
        if not frames:
            reasons.append(f"{name}: no structure in it")
            continue
        atoms = _checked(path, frames[-1])
        notices = [] if len(frames) == 1 else [f"took the last of {len(frames)} structures"]
        texts = (_first_line(w.message) for w in caught if issubclass(w.category, UserWarning))
        notices += [text for text in dict.fromkeys(texts) if text]
        return StructureFile(atoms, tuple(notices))
    raise StructureFileError(
        f"{path}: no structure could be read ({'; '.join(reasons)}); give a format that ASE or "
        "pymatgen reads, such as CIF or POSCAR."
    )


def _first_line(error: object) -> str:
    """Return an error's first line without its full stop, or its type."""
    text = str(error).strip().splitlines()
    return text[0].rstrip(". ")[:200] if text else type(error).__name__


def _read_with_ase(path: Path) -> list[Any]:
    """Return all frames of a file."""
    from ase.io import read

    frames = read(path, index=":")
    return frames if isinstance(frames, list) else [frames]


def _read_with_pymatgen(path: Path) -> list[Any]:
    """Return all structures of a file; only a CIF may hold several."""
    from pymatgen.core import Structure
    from pymatgen.io.cif import CifParser

    if path.suffix.lower() in (".cif", ".mcif"):
        parser = CifParser(path, site_tolerance=_CIF_SITE_TOLERANCE)
        structures = parser.parse_structures(primitive=False, check_occu=True)
    else:
        structures = [Structure.from_file(path)]
    return structures


def _checked(path: Path, frame: Any) -> Atoms:
    """Return a frame as ``ase.Atoms`` once it is known to be an ordered, periodic crystal."""
    from ase import Atoms

    from symscape.crystal.standardize import cell_arrays

    try:
        occupancies = getattr(frame, "info", {}).get("occupancy") or {}
        if any(share < 0.999 for site in occupancies.values() for share in site.values()):
            raise StructureFileError(
                "the structure has partially occupied sites; give an ordered crystal."
            )
        lattice, positions, numbers = cell_arrays(frame)
    except StructureFileError as error:
        raise StructureFileError(f"{path}: {error}") from error
    return Atoms(numbers=numbers, scaled_positions=positions, cell=lattice, pbc=True)
