"""CIF files; their energies come from a table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

from symscape.dataset.documents import structure_arrays
from symscape.dataset.files import Progress, open_binary
from symscape.dataset.record import BadRecord, CrystalRecord, Reject
from symscape.errors import DatasetError

_SUFFIXES = (".cif", ".cif.gz")
#: images of a CIF's atom nearer than this (fractional) are one atom: coordinates such as 0.333
_SITE_TOLERANCE = 2e-3


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


def read_cif(path: Path, progress: Progress | None = None) -> Iterator[CrystalRecord | Reject]:
    """Yield the crystals of a CIF file or of a folder of them, without energies.

    Each is named by its path inside the folder, without the suffix.

    Parameters
    ----------
    progress
        Called with the number of bytes of the files that are done.
    """
    files, root = (cif_files(path), path) if path.is_dir() else ([path], path.parent)
    done = 0
    for file in files:
        relative = file.relative_to(root).as_posix()
        name = _stem(relative)
        try:
            yield _record(file, name, relative)
        except BadRecord as error:
            yield Reject(name, relative, "the whole file", error.kind, error.reason)
        done += file.stat().st_size
        if progress:
            progress(done)


def _stem(name: str) -> str:
    suffix = next((s for s in reversed(_SUFFIXES) if name.lower().endswith(s)), "")
    return name.removesuffix(name[len(name) - len(suffix) :]) if suffix else name


def _record(file: Path, name: str, relative: str) -> CrystalRecord:
    from pymatgen.io.cif import CifParser

    with open_binary(file) as content:
        text = content.read().decode("utf-8", errors="replace")
    with warnings.catch_warnings():
        # pymatgen warns of roundings and of what it leaves out, none of which is used here
        warnings.simplefilter("ignore")
        try:
            parser = CifParser.from_str(text, site_tolerance=_SITE_TOLERANCE)
            structures = parser.parse_structures(primitive=False, check_occu=True)
        except Exception as error:  # whatever pymatgen's parser does with a damaged file
            lines = str(error).strip().splitlines() or [type(error).__name__]
            reason = f"pymatgen can't read the file: {lines[0].rstrip('.')}."
            raise BadRecord("malformed", reason) from None
    if len(structures) != 1:
        raise BadRecord("malformed", f"the file holds {len(structures)} structures, not one.")
    cell, numbers, positions = structure_arrays(structures[0].as_dict())
    names = (relative, Path(relative).name, _stem(Path(relative).name))
    aliases = tuple(alias for alias in dict.fromkeys(names) if alias != name)
    return CrystalRecord(name, numbers, cell, positions, aliases=aliases, where="the whole file")
