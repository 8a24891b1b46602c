"""From files, or the Materials Project's API, to a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import chemical_symbols

from symscape.dataset.corrections import (
    Choice,
    Maker,
    Settled,
    Stated,
    computed_correction,
    is_nothing,
    settle,
)
from symscape.dataset.files import FORMATS, recognize
from symscape.dataset.folder import NOTICES, REJECTS
from symscape.dataset.mistakes import per_atom_energies, shifted_zeros
from symscape.dataset.options import ImportOptions, ImportSummary
from symscape.dataset.read import load_dataset
from symscape.dataset.record import UNKNOWN, CrystalRecord, Reject
from symscape.dataset.stresses import StressCheck
from symscape.dataset.tables import EnergyTable, completed
from symscape.dataset.write import DatasetWriter
from symscape.errors import DatasetError
from symscape.science.hull.conventions import mp2020_bounds

if TYPE_CHECKING:
    from symscape.dataset.materials_project import Client

#: called with bytes read, bytes in all, and records so far; bytes are 0 where not known
ImportProgress = Callable[[int, int, int], None]


def import_files(
    paths: Sequence[str | Path],
    output: str | Path,
    options: ImportOptions | None = None,
    progress: ImportProgress | None = None,
) -> ImportSummary:
    """Import lists of crystals with energies as a data set.

    Memory is bounded whatever the number of crystals: a record, a part of the data set, the
    identifiers, and the tables of energies.

    Parameters
    ----------
    paths
        JSON, extended XYZ and CIF files, folders of CIF files, and CSV tables of energies and
        corrections for them; compressed or not. A CSV table in a folder of CIF files is its own.
    output
        The folder to make.
    options
        How.
    progress
        Called as the files are read.

    Returns
    -------
    ImportSummary
        Records that can't be used are in ``rejects.jsonl``. If none could be used, that file is all
        there is.

    Raises
    ------
    DatasetError
        If a file is missing, damaged as a whole or not recognized, or the data set can't be made.
    """
    options = options or ImportOptions()
    files = [Path(path) for path in paths]
    kinds = [_format(path, options.format) for path in files]
    sources = [(p, kind) for p, kind in zip(files, kinds, strict=True) if kind != "table"]
    table_files = [p for p, kind in zip(files, kinds, strict=True) if kind == "table"]
    if not sources:
        given = ", ".join(str(path) for path in table_files) or "nothing"
        raise DatasetError(
            f"{given}: there are energies but no structures; give the file or folder of the "
            "structures too."
        )
    if not table_files:
        table_files = _own_tables([path for path, _ in sources if path.is_dir()])
    tables = [EnergyTable(path, options.columns) for path in table_files]
    settings = {
        "sources": [path.name for path in (*files, *(t for t in table_files if t not in files))],
        "formats": [kind for _, kind in sources],
        "level_of_theory": options.level_of_theory,
    }
    found = _read_all(sources, tables, options, progress)
    return write_dataset(found, output, settings, options)


def import_materials_project(
    systems: Sequence[str],
    output: str | Path,
    client: Client,
    thermo_type: str = "GGA_GGA+U",
    options: ImportOptions | None = None,
    progress: ImportProgress | None = None,
) -> ImportSummary:
    """Fetch chemical systems, with their subsystems and elements, from the Materials Project.

    Parameters
    ----------
    systems
        Such as ``Li-Fe-O``.
    output
        The folder to make.
    client
        `materials_project.open_client`'s, or anything with the same
        ``materials.thermo.search``.
    thermo_type
        The Materials Project's: ``GGA_GGA+U``, ``R2SCAN`` or ``GGA_GGA+U_R2SCAN``.
    options
        How; what concerns files is not used.
    progress
        Called as the records arrive.

    Raises
    ------
    DatasetError
        If a system is misspelt or has no entries, or the request fails.
    """
    from symscape.dataset.materials_project import fetch

    options = options or ImportOptions()
    records = fetch(client, systems, thermo_type)
    counted = _counted(records, progress)
    settings = {"sources": ["Materials Project"], "systems": list(systems), "thermo": thermo_type}
    found = (("Materials Project", options.applied(item, "Materials Project")) for item in counted)
    return write_dataset(found, output, settings, options)


def write_dataset(
    found: Iterable[tuple[str, CrystalRecord | Reject]],
    output: str | Path,
    settings: dict[str, Any],
    options: ImportOptions,
) -> ImportSummary:
    """Write crystals as a data set.

    Parameters
    ----------
    found
        Names of files, and what was found in them.
    output
        The folder to make.
    settings
        What the data set says of its making; JSON.
    options
        Whether to replace one that is there.
    """
    from importlib.metadata import version

    systems: set[tuple[str, ...]] = set()
    sizes: Counter[int] = Counter()
    records = 0
    levels: Counter[str] = Counter()
    stresses = StressCheck()
    complete = partial(_with_correction, choice=options.corrections)
    close = options.reading.close_atoms
    with DatasetWriter(
        output, replace=options.replace, complete=complete, close_atoms=close
    ) as writer:
        for file, item in found:
            records += 1
            if isinstance(item, Reject):
                writer.reject(item)
                continue
            stresses.add(item)
            if writer.add(item, file):
                systems.add(item.elements)
                sizes[item.n_atoms] += 1
                levels[item.level_of_theory] += 1
        if not records:
            given = ", ".join(settings["sources"])
            raise DatasetError(f"{given}: there are no records; give a file with crystals.")
        info = writer.finish({**settings, "symscape": version("symscape")})
    notices = [f"{name}: {notice}" for name, notice in writer.notices]
    if info.crystals:
        notices = [*_mistakes(info.path), *filter(None, [stresses.mistake()]), *notices]
    elements = sorted({element for system in systems for element in system})
    return ImportSummary(
        Path(output),
        records,
        info.crystals,
        dict(sorted(info.rejected.items())),
        info.atoms,
        _spread(sizes),
        tuple(elements),
        tuple(element for element in elements if (element,) not in systems),
        len(systems),
        tuple(notices),
        dict(levels.most_common()),
    )


def _mistakes(path: Path) -> list[str]:
    """Say what is wrong with the energies of a data set as a whole."""
    table = load_dataset(path, columns=["formula", "n_atoms", "energy_cell"], verify=False)
    formulas, sizes = list(table["formula"]), table["n_atoms"].to_numpy()
    energies = table["energy_cell"].to_numpy()
    if said := per_atom_energies(formulas, sizes, energies):
        # formation energies of a wrong unit would only be said to be wrong as well
        return [said]
    return list(filter(None, [shifted_zeros(formulas, energies / sizes)]))


def _with_correction(record: CrystalRecord, choice: Choice) -> CrystalRecord:
    """Return a crystal with MP2020's correction of its energy, as far as it is known."""
    record, doubt = _of_mp2020(record)
    computed = computed_correction(
        record.cell, record.numbers, record.positions, record.level_of_theory, record.hubbard_eV
    )
    if np.isnan(computed) and _never_corrected(record):
        settled = Settled(disagreement=_NEVER_CORRECTED)
    else:
        settled = settle(record.stated, computed, record.n_atoms, choice)
    said = settled.disagreement or doubt
    notices = (said,) if said else ()
    return replace(
        record,
        correction_eV=settled.value_eV,
        correction_origin=settled.origin,
        notices=(*record.notices, *notices),
    )


#: what is further than this from all that MP2020 makes is not its, eV/atom: functionals are that
#: far apart, versions of the scheme are not
_CLEARLY_eV = 1.0


def _of_mp2020(record: CrystalRecord) -> tuple[CrystalRecord, str]:
    """Take two energies' difference for MP2020's only if it may be; else say that it can't.

    Documents of the Materials Project's mixed hull state none of their functionals, and differ by
    what moves a GGA energy onto the r2SCAN hull too.
    """
    total = sum(part.value_eV for part in record.stated if part.by_difference)
    n = record.n_atoms
    if abs(total) <= _CLEARLY_eV * n:
        return record, ""
    low, high = mp2020_bounds([str(chemical_symbols[z]) for z in record.numbers])
    if low - _CLEARLY_eV * n <= total <= high + _CLEARLY_eV * n:
        return record, ""
    stated = tuple(
        Stated(Maker.UNNAMED, part.value_eV) if part.by_difference else part
        for part in record.stated
    )
    return replace(record, stated=stated), (
        f"the two energies differ by {total / n:+.4f} eV/atom, and MP2020 adds {low / n:+.4f} to "
        f"{high / n:+.4f} to such a compound; its correction is unknown."
    )


_NEVER_CORRECTED = (
    "the energies with and without correction are the same, but MP2020 corrects such a compound; "
    "its correction is unknown."
)


def _never_corrected(record: CrystalRecord) -> bool:
    """Tell whether a source says 0 where MP2020 corrects by what it doesn't state, if at all.

    Corrections for Hubbard's U are negative, as nearly all for anions are, so that the one of plain
    PBE isn't 0 (nor refused for want of a U) if the whole isn't.
    """
    known_scheme = record.level_of_theory in ("PBE", "PBE+U", UNKNOWN)
    if not known_scheme or not is_nothing(record.stated, record.n_atoms):
        return False
    return computed_correction(record.cell, record.numbers, record.positions, "PBE", None) != 0


def rejects_file(path: str | Path) -> Path:
    """Return the list of rejects of a data set."""
    return Path(path) / REJECTS


def notices_file(path: str | Path) -> Path:
    """Return the list of what there is to say of a data set's crystals."""
    return Path(path) / NOTICES


def _format(path: Path, wanted: str) -> str:
    if wanted and wanted not in FORMATS:
        raise DatasetError(f"the format {wanted!r} is unknown; take one of {', '.join(FORMATS)}.")
    if not wanted or path.is_dir() or not path.exists():
        return recognize(path)
    try:
        # a table of energies beside structures of the named format stays one
        return "table" if recognize(path) == "table" else wanted
    except DatasetError:
        return wanted


def _own_tables(folders: list[Path]) -> list[Path]:
    """Return the tables that lie in folders of CIF files."""
    from symscape.dataset.readers.cif import tables_beside

    tables = []
    for folder in folders:
        beside = tables_beside(folder)
        if len(beside) > 1:
            names = ", ".join(path.name for path in beside)
            raise DatasetError(f"{folder}: there are several tables ({names}); name the one meant.")
        tables += beside
    return tables


def _read_all(
    sources: list[tuple[Path, str]],
    tables: list[EnergyTable],
    options: ImportOptions,
    progress: ImportProgress | None,
) -> Iterator[tuple[str, CrystalRecord | Reject]]:
    """Yield what all files hold, completed from the tables."""
    weights = [_size(path) for path, _ in sources]
    total, before, records = sum(weights), 0, 0

    def report(done: int) -> None:
        if progress:
            progress(before + done, total, records)

    for (path, kind), weight in zip(sources, weights, strict=True):
        for number, item in enumerate(_reader(path, kind, options, report), start=1):
            records += 1
            if isinstance(item, CrystalRecord):
                item = completed(item, tables, path.name, rename=kind == "cif")
            if isinstance(item, CrystalRecord) and not item.id:
                item = replace(item, id=f"{_stem(path)}-{number}")
            yield path.name, options.applied(item, path.name)
        before += weight
    for table in tables:
        for reject in table.left():
            yield table.path.name, reject


def _reader(
    path: Path, kind: str, options: ImportOptions, progress: Callable[[int], None]
) -> Iterator[CrystalRecord | Reject]:
    if kind == "json":
        from symscape.dataset.readers.json_records import read_json_records

        return read_json_records(path, progress)
    if kind == "extxyz":
        from symscape.dataset.readers.extxyz import read_extxyz

        return read_extxyz(path, progress, options.energy_key)
    from symscape.dataset.readers.cif import read_cif_records

    return read_cif_records(path, progress, options.reading)


def _counted(
    items: Iterable[CrystalRecord | Reject], progress: ImportProgress | None
) -> Iterator[CrystalRecord | Reject]:
    for number, item in enumerate(items, start=1):
        if progress:
            progress(0, 0, number)
        yield item


def _size(path: Path) -> int:
    """Return the bytes that reading a file or a folder of CIF files will take."""
    if not path.is_dir():
        return path.stat().st_size
    from symscape.dataset.readers.cif import cif_files

    return sum(file.stat().st_size for file in cif_files(path))


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _spread(sizes: Counter[int]) -> tuple[int, int, int]:
    """Return the smallest, the median and the largest of counted numbers."""
    if not sizes:
        return 0, 0, 0
    middle, seen = (sum(sizes.values()) + 1) // 2, 0
    for size in sorted(sizes):
        seen += sizes[size]
        if seen >= middle:
            break
    return min(sizes), size, max(sizes)
