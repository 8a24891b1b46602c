"""Points of stored slices computed again with an all-electron code, beside the library.

``<folder>/all-electron/lines.json``: a line of a slice a row, with the energies that the code gave
and its settings. Energies of two codes have no common zero; they are compared relative to the point
of the line at which ours is lowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symscape.decode import Finite, OpenRecord
from symscape.errors import ReferenceFileError, shown
from symscape.references.landscape_files import load_reference
from symscape.references.method import Method
from symscape.references.provenance import CurvesProvenance
from symscape.references.schema import read_json, read_record, write_document

FOLDER = "all-electron"
FILE = "lines.json"
SCHEMA = "symscape-all-electron/1"


@dataclass(frozen=True, kw_only=True)
class LineRecord(OpenRecord):
    """A line of a slice: ``reference`` is material and slice, ``points`` are grid indices."""

    reference: str
    points: tuple[tuple[int, int], ...]
    energies_eV_atom: tuple[Finite, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LinesRecord(OpenRecord):
    """What the file says."""

    schema: str
    method: Method
    provenance: CurvesProvenance
    lines: tuple[LineRecord, ...]


@dataclass(frozen=True, eq=False)
class ComparedLine:
    """A line's energies, ours and the other code's, meV/atom above the point that is our lowest.

    Parameters
    ----------
    name
        Of the slice.
    values
        Along both axes, shape (n, 2).
    axes
        Their names.
    own, all_electron
        Shape (n,).
    error_budget
        Of the slice, meV/atom.
    """

    name: str
    values: np.ndarray
    axes: tuple[str, str]
    own: np.ndarray
    all_electron: np.ndarray
    error_budget: float


def write_lines(
    library: str | Path,
    lines: Iterable[LineRecord],
    method: Method,
    provenance: CurvesProvenance,
) -> Path:
    """Write the lines with `write_document` and return the file's path.

    Raises
    ------
    ReferenceFileError
        As `write_document` and `load_lines`.
    """
    record = LinesRecord(schema=SCHEMA, method=method, provenance=provenance, lines=tuple(lines))
    return write_document(
        Path(library) / FOLDER / FILE, record, "lines", lambda trial: _compared(trial, library)
    )


def load_lines(library: str | Path) -> list[ComparedLine]:
    """Read the lines of a library and put our energies beside them.

    Raises
    ------
    ReferenceFileError
        If a field is missing, there are other than one energy a point, or a point has none in
        its slice.
    """
    return _compared(Path(library) / FOLDER / FILE, library)


def _compared(path: Path, library: str | Path) -> list[ComparedLine]:
    stored = read_record(path, LinesRecord, read_json(path, SCHEMA))
    return [_line(path, Path(library), line) for line in stored.lines]


def _line(path: Path, library: Path, line: LineRecord) -> ComparedLine:
    reference = load_reference(library / f"{line.reference}.json")
    shape = reference.slice.shape
    inside = all(0 <= i < shape[0] and 0 <= j < shape[1] for i, j in line.points)
    if not line.points or len(line.points) != len(line.energies_eV_atom) or not inside:
        raise ReferenceFileError(
            f"{path}: {shown(line.reference)}: it needs one energy for each of its points, which "
            "lie on the grid; restore the file."
        )
    where = tuple(np.array(line.points).T)
    own = 1000 * reference.energies[where]
    if not np.isfinite(own).all():
        raise ReferenceFileError(
            f"{path}: {shown(line.reference)}: the slice has no energy at one of its points; "
            "restore the file."
        )
    other = 1000 * np.array(line.energies_eV_atom)
    lowest = int(own.argmin())
    index = where[0] * shape[1] + where[1]
    axes = reference.slice.axes
    return ComparedLine(
        reference.id,
        reference.slice.grid_values[index],
        (axes[0].name, axes[1].name),
        own - own[lowest],
        other - other[lowest],
        reference.error_budget,
    )


def as_markdown(lines: list[ComparedLine]) -> str:
    """Return the table of docs/references.md."""
    rows = [
        "| slice | at | here, meV/atom | all-electron | difference | error budget |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for line in lines:
        budget = f"{line.error_budget:.1f}"
        for (u, v), own, other in zip(line.values, line.own, line.all_electron, strict=True):
            rows.append(
                f"| {line.name} | {line.axes[0]} {u:.4g}, {line.axes[1]} {v:.4g} | {own:.1f} | "
                f"{other:.1f} | {other - own:+.1f} | {budget} |"
            )
    return "\n".join(rows)
