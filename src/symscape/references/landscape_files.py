"""Reading and writing reference files; whatever contradicts its own slice is refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.decode import Finite, decode, encode, is_finite
from symscape.errors import ReferenceFileError, SymscapeError, shown
from symscape.files import checksum
from symscape.references.convergence import ConvergenceCheck
from symscape.references.manifest import vouched
from symscape.references.method import Method
from symscape.references.point_records import PointRecord, point_records, read_points
from symscape.references.provenance import GridProvenance
from symscape.references.reference import LandscapeReference
from symscape.references.schema import (
    SCHEMA,
    AxisRecord,
    CellRecord,
    LandscapeRecord,
    SliceRecord,
    read_document,
    write_document,
)

KINDS = ("local", "global")


def load_reference(path: str | Path, *, closely: bool = False) -> LandscapeReference:
    """Load a reference file and check it against its own slice.

    Every stored geometry is rebuilt from the slice and compared with what is stored.

    Parameters
    ----------
    path
        ``<library>/<material>/<slice>.json``.
    closely
        Whether it is computed which points are masked also where the file is as its library's
        manifest says; it was before that was written.

    Raises
    ------
    ReferenceFileError
        If the file can't be read, a field is missing, or something does not fit the slice: a
        geometry, a mask, grid indices, the name.
    """
    path = Path(path)
    record = read_document(path)
    the_slice = build_slice(path, record)
    for field, expected, where in (
        ("material", path.parent.name, "its folder"),
        ("slice", path.stem, "its file name"),
    ):
        stated = getattr(record, field)
        if stated != expected:
            raise ReferenceFileError(
                f"{path}: {field} is {stated!r} but {where} says {expected!r}; rename one of them."
            )
    if record.slice != the_slice.name:
        raise ReferenceFileError(
            f"{path}: slice is called {record.slice!r} but its axes give {the_slice.name!r}."
        )
    points = read_points(path, record.points, the_slice)
    mask = points.masked
    if closely or not points.complete or path not in vouched([path]):
        mask = the_slice.mask
        _check_mask(path, the_slice, points.masked, np.isfinite(points.energies))
    reference = LandscapeReference(
        material=record.material,
        slice=the_slice,
        energies=points.energies,
        forces=points.forces,
        mask=mask,
        computed=points.computed,
        method=record.method,
        provenance=record.provenance,
        convergence=_checked_convergence(path, record.provenance.convergence),
        stresses=points.stresses if np.isfinite(points.stresses).any() else None,
        kind=record.kind,
        formula=record.crystal.formula,
        digest=checksum(path),
        path=path,
    )
    if not reference.valid.any():
        raise ReferenceFileError(f"{path}: holds no energy at all; compute some points first.")
    return reference


def stored_points(path: str | Path, the_slice: Slice) -> list[PointRecord]:
    """Return the points of a reference file as they are stored.

    Raises
    ------
    ReferenceFileError
        If the file can't be read or a point is malformed.
    """
    path = Path(path)
    return [*point_records(path, read_document(path).points, the_slice.shape).values()]


def build_slice(path: Path, record: SliceRecord) -> Slice:
    """Make the slice that a file's header describes.

    Raises
    ------
    ReferenceFileError
        If it describes none, or contradicts itself.
    """
    stated = record.crystal
    if record.kind not in KINDS:
        raise ReferenceFileError(
            f"{path}: kind is {shown(record.kind)}, but must be {' or '.join(KINDS)}."
        )
    try:
        numbers, positions = _read_atoms(path, stated.atoms)
        first, second = (
            Axis(a.name, dict(a.terms), a.start, a.stop, a.points, a.origin, a.period)
            for a in record.axes
        )
        crystal = Crystal(np.array(stated.lattice_A), positions, numbers, stated.hall_number)
        the_slice = Slice(crystal, (first, second), record.mask_ratio)
    except ReferenceFileError:
        raise
    except SymscapeError as error:
        raise ReferenceFileError(f"{path}: {error}") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise ReferenceFileError(
            f"{path}: crystal or axes can't be built ({error}); correct the file."
        ) from None
    for field, said, own in (
        ("space_group_number", stated.space_group_number, crystal.space_group_number),
        ("formula", stated.formula, crystal.formula),
    ):
        if said != own:
            raise ReferenceFileError(
                f"{path}: crystal.{field} is {shown(said)}, but the atoms and the Hall "
                f"number give {own!r}; correct one of them."
            )
    return the_slice


def _checked_convergence(path: Path, check: ConvergenceCheck | None) -> ConvergenceCheck | None:
    if check is not None and len(check.points) < 2:
        raise ReferenceFileError(
            f"{path}: provenance.convergence needs two points or more; run 'symscape reference "
            "check' again."
        )
    return check


def _read_atoms(path: Path, atoms: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return atomic numbers and fractional positions."""
    from ase.data import atomic_numbers

    for k, atom in enumerate(atoms):
        if (
            not isinstance(atom, list)
            or len(atom) != 4
            or not isinstance(atom[0], str)
            or atomic_numbers.get(atom[0], 0) < 1
            or not all(map(is_finite, atom[1:]))
        ):
            raise ReferenceFileError(
                f"{path}: crystal.atoms[{k}] is {shown(atom)}, but must be an element's symbol and "
                "three fractional coordinates."
            )
    numbers = np.array([atomic_numbers[atom[0]] for atom in atoms], dtype=int)
    return numbers, np.array([atom[1:] for atom in atoms], dtype=float)


def _check_mask(path: Path, the_slice: Slice, masked: np.ndarray, known: np.ndarray) -> None:
    """Refuse points that are masked in the file but not by the slice's rule, or the reverse."""
    wrong = (masked & ~the_slice.mask) | (known & the_slice.mask)
    if wrong.any():
        i, j = (int(k) for k in np.argwhere(wrong)[0])
        says = "masked" if masked[i, j] else "not masked"
        raise ReferenceFileError(
            f"{path}: point ({i}, {j}) is {says} in the file, but the rule mask_ratio = "
            f"{the_slice.mask_ratio} says otherwise."
        )


def landscape_record(
    *,
    material: str,
    the_slice: Slice,
    points: Iterable[PointRecord],
    method: Method,
    provenance: GridProvenance,
    kind: str = "local",
) -> LandscapeRecord:
    """Put together what a reference file says."""
    return LandscapeRecord(
        **vars(slice_record(the_slice, kind, SCHEMA, material)),
        method=method,
        provenance=provenance,
        points=sorted(points, key=lambda point: (point.i, point.j)),
    )


def slice_record(the_slice: Slice, kind: str, schema: str, material: str = "") -> SliceRecord:
    """Put together what a file of this schema says of a slice; the material has its own name."""
    from ase.data import chemical_symbols

    crystal = the_slice.crystal
    return SliceRecord(
        schema=schema,
        material=material or f"{crystal.formula}-{crystal.symbol.replace('/', '')}",
        slice=the_slice.name,
        kind=kind,
        crystal=CellRecord(
            formula=crystal.formula,
            space_group_number=crystal.space_group_number,
            space_group_symbol=crystal.symbol,
            hall_number=crystal.hall_number,
            lattice_A=np.round(crystal.lattice, 8).tolist(),
            atoms=[
                [chemical_symbols[z], *np.round(x, 8).tolist()]
                for z, x in zip(crystal.numbers, crystal.positions, strict=True)
            ],
        ),
        axes=[decode(AxisRecord, encode(axis), "axes") for axis in the_slice.axes],
        mask_ratio=Finite(the_slice.mask_ratio),
    )


def write_reference(folder: str | Path, record: LandscapeRecord) -> Path:
    """Write ``<folder>/<material>/<slice>.json`` with `write_document` and return its path.

    Raises
    ------
    ReferenceFileError
        As `write_document` and `load_reference`.
    """
    target = Path(folder) / record.material / f"{record.slice}.json"
    return write_document(target, record, "points", load_reference)
