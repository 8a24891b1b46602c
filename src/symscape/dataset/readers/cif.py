"""CIF files; their energies come from a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from symscape.crystal.read import ReadOptions, read_structure
from symscape.crystal.reading.packing import PACKINGS
from symscape.dataset.files import Progress
from symscape.dataset.record import BadRecord, CrystalRecord, Reject
from symscape.errors import DatasetError, DisorderedStructureError, StructureFileError

_SUFFIXES = tuple(
    kind + packing for kind in (".cif", ".mcif") for packing in ("", *PACKINGS.values())
)


def cif_files(folder: Path) -> list[Path]:
    """Return the CIF files of a folder and those in it, sorted.

    Raises
    ------
    DatasetError
        If there are none.
    """
    found = sorted(p for p in folder.rglob("*") if p.name.lower().endswith(_SUFFIXES))
    if not found:
        raise DatasetError(f"{folder}: the folder holds no CIF files; give another one.")
    return found


def tables_beside(folder: Path) -> list[Path]:
    """Return the CSV files that lie directly in a folder of CIF files, sorted."""
    return sorted(p for p in folder.iterdir() if p.name.lower().endswith((".csv", ".csv.gz")))


def read_cif_records(
    path: Path, progress: Progress | None = None, options: ReadOptions | None = None
) -> Iterator[CrystalRecord | Reject]:
    """Yield the crystals of a CIF file or of a folder of them, without energies.

    Each is named by its path inside the folder, without the suffix.

    Parameters
    ----------
    progress
        Called with the number of bytes of the files that are done.
    options
        Which data block of each, and how large a file may be.
    """
    files, root = (cif_files(path), path) if path.is_dir() else ([path], path.parent)
    done = 0
    for file in files:
        relative = file.relative_to(root).as_posix()
        name = _stem(relative)
        try:
            yield _record(file, name, relative, options)
        except BadRecord as error:
            yield Reject(name, relative, "the whole file", error.kind, error.reason)
        done += file.stat().st_size
        if progress:
            progress(done)


def _stem(name: str) -> str:
    suffix = next((s for s in reversed(_SUFFIXES) if name.lower().endswith(s)), "")
    return name.removesuffix(name[len(name) - len(suffix) :]) if suffix else name


def _record(file: Path, name: str, relative: str, options: ReadOptions | None) -> CrystalRecord:
    try:
        content = read_structure(file, options)
    except StructureFileError as error:
        reason = str(error).removeprefix(f"{file}: ")
        disordered = isinstance(error, DisorderedStructureError)
        kind = "partial occupancy" if disordered else "malformed"
        raise BadRecord(kind, reason) from None
    atoms, notices = content.atoms, content.notices
    if content.moments is not None:
        notices = (*notices, "magnetic moments are ignored; with them the symmetry is lower")
    names = (relative, Path(relative).name, _stem(Path(relative).name))
    aliases = tuple(alias for alias in dict.fromkeys(names) if alias != name)
    return CrystalRecord(
        name,
        atoms.numbers,
        atoms.cell.array,
        atoms.get_scaled_positions(),
        aliases=aliases,
        where="the whole file",
        notices=notices,
    )
