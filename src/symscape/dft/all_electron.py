"""Lines of stored slices, computed again with an all-electron code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symscape.decode import Finite, encode
from symscape.dft.elk import Basis, compute_energy, read_energy, version_of
from symscape.dft.kinds import LINES, read_file
from symscape.dft.plan import DEFAULT_LICENCE
from symscape.dft.plan_tables import complaints_about, read_table
from symscape.errors import PlanError, shown
from symscape.progress import Progress, quiet
from symscape.references.all_electron import LineRecord
from symscape.references.landscape_files import load_reference
from symscape.references.method import Method
from symscape.references.reference import LandscapeReference


@dataclass(frozen=True, kw_only=True)
class LineTable:
    """A ``[[line]]`` of a list: a slice, grid points of it, and how they are computed.

    The first point is begun from atoms, the others from the first one's density.
    """

    reference: str
    points: tuple[tuple[int, int], ...]
    basis: Basis


@dataclass(frozen=True)
class LinesTable:
    """A list as its file states it."""

    line: tuple[LineTable, ...] = ()
    licence: str = DEFAULT_LICENCE
    notes: str = ""


@dataclass(frozen=True, eq=False)
class LineList:
    """Lines to be computed, in this order; runs lie in a folder next to the file."""

    path: Path
    lines: tuple[LineTable, ...]
    references: tuple[LandscapeReference, ...]
    licence: str
    notes: str

    def folder(self, line: LineTable, point: tuple[int, int]) -> Path:
        """Return where a point is computed."""
        name = line.reference.replace("/", "-")
        return self.path.with_suffix(".out") / name / f"{point[0]}-{point[1]}"


def load_line_list(path: str | Path, library: str | Path) -> LineList:
    """Read a list of lines of a library's slices.

    Raises
    ------
    PlanError
        If the file can't be read, holds an unknown key, names a slice that the library does not
        hold, or a point that has no energy in it.
    """
    path = Path(path)
    document = read_file(path, LINES)
    with complaints_about(path):
        stated = read_table(LinesTable, document, str(path))
        if not stated.line:
            raise PlanError("there is nothing to compute; add [[line]] tables.")
        references = tuple(_reference(line, Path(library)) for line in stated.line)
    return LineList(path, stated.line, references, stated.licence, stated.notes)


def _reference(line: LineTable, library: Path) -> LandscapeReference:
    reference = load_reference(library / f"{line.reference}.json")
    rows, columns = reference.slice.shape
    for i, j in line.points:
        if not (0 <= i < rows and 0 <= j < columns) or not np.isfinite(reference.energies[i, j]):
            raise PlanError(f"the point ({i}, {j}) of {shown(line.reference)} has no energy.")
    return reference


def run_lines(the_list: LineList, progress: Progress | None = None) -> None:
    """Compute all points; what is finished is not computed again.

    Raises
    ------
    EngineError
        If the code is not there or a point does not converge.
    """
    progress = progress or quiet()
    for line, reference in zip(the_list.lines, the_list.references, strict=True):
        structures = reference.structures()
        with progress.task(line.reference, len(line.points), 1):
            for i, j in line.points:
                atoms = structures.atoms(i * reference.slice.shape[1] + j)
                first = (i, j) == line.points[0]
                compute_energy(
                    the_list.folder(line, (i, j)),
                    atoms.get_chemical_symbols(),
                    atoms.positions,
                    atoms.cell.array,
                    line.basis,
                    None if first else the_list.folder(line, line.points[0]),
                )
                progress.advance(0.0)


def finished_lines(the_list: LineList) -> tuple[list[LineRecord], Method]:
    """Return the lines of which every point is computed, and the code's settings.

    Raises
    ------
    PlanError
        If no line is finished, or runs are of several versions.
    """
    records, versions = [], set()
    for line, reference in zip(the_list.lines, the_list.references, strict=True):
        texts = list(_outputs(the_list, line))
        if len(texts) < len(line.points):
            continue
        n_atoms = int(reference.structures().n_atoms[0])
        energies = [Finite(read_energy(text, where) / n_atoms) for where, text in texts]
        versions |= {version_of(text) for _, text in texts}
        records.append(
            LineRecord(
                reference=line.reference,
                points=line.points,
                energies_eV_atom=tuple(Finite(round(energy, 6)) for energy in energies),
                settings=encode(line.basis),
            )
        )
    if not records or len(versions) > 1:
        raise PlanError(
            f"{the_list.path}: no line is finished, or parts are of several versions of the code; "
            "run the list."
        )
    method = Method(
        code="Elk",
        version=versions.pop(),
        functional="PBE",
        magnetic_moments="non-polarized",
        smearing="Fermi-Dirac",
        energy="extrapolated to zero smearing",
    )
    return records, method


def _outputs(the_list: LineList, line: LineTable) -> Iterator[tuple[str, str]]:
    for point in line.points:
        output = the_list.folder(line, point) / "INFO.OUT"
        if output.is_file():
            yield str(output.parent), output.read_text(encoding="utf-8", errors="replace")
