"""Reading and writing reference files; whatever contradicts its own slice is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.decode import is_finite
from symscape.errors import ReferenceFileError, SymscapeError, shown
from symscape.files import checksum
from symscape.references.convergence import ConvergenceCheck, read_convergence
from symscape.references.reference import LandscapeReference
from symscape.references.schema import SCHEMA, SliceRecord, read_document, write_document
from symscape.references.values import finite_array

KINDS = ("local", "global")
#: stored positions may differ from rebuilt ones by this much (files hold eight decimals)
GEOMETRY_TOLERANCE_A = 1e-4


def load_reference(path: str | Path) -> LandscapeReference:
    """Load a reference file and check it against its own slice.

    Every stored geometry is rebuilt from the slice and compared with what is stored.

    Raises
    ------
    ReferenceFileError
        If the file can't be read, a field is missing, or something does not fit the slice: a
        geometry, a mask, grid indices, the name.
    """
    path = Path(path)
    record, document = read_document(path)
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
    points = _read_points(path, record.points, the_slice)
    _check_mask(path, the_slice, points.masked, np.isfinite(points.energies))
    reference = LandscapeReference(
        material=record.material,
        slice=the_slice,
        energies=points.energies,
        forces=points.forces,
        mask=the_slice.mask,
        computed=points.computed,
        method=document["method"],
        provenance=document["provenance"],
        convergence=_read_convergence(path, document["provenance"]),
        stresses=points.stresses if np.isfinite(points.stresses).any() else None,
        kind=record.kind,
        formula=record.crystal.formula,
        digest=checksum(path),
        path=path,
    )
    if not reference.valid.any():
        raise ReferenceFileError(f"{path}: holds no energy at all; compute some points first.")
    return reference


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


def _read_convergence(path: Path, provenance: dict[str, Any]) -> ConvergenceCheck | None:
    try:
        return read_convergence(provenance.get("convergence"))
    except ValueError as error:
        raise ReferenceFileError(
            f"{path}: provenance.convergence {error}; run 'symscape reference check' again."
        ) from None


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


class _Points(NamedTuple):
    """Grids of what the points of a file state; as in `LandscapeReference`, and the stored mask."""

    energies: np.ndarray
    forces: np.ndarray
    stresses: np.ndarray
    masked: np.ndarray
    computed: np.ndarray


def _read_points(path: Path, listed: list[Any], the_slice: Slice) -> _Points:
    """Read the points of a file and check their geometries."""
    shape = the_slice.shape
    n_atoms = len(the_slice.atom_indices())
    energies = np.full(shape, np.nan)
    forces = np.full((*shape, n_atoms, 3), np.nan)
    stresses = np.full((*shape, 3, 3), np.nan)
    masked = np.zeros(shape, dtype=bool)
    seen: set[tuple[int, int]] = set()
    same: dict[tuple[int, int], tuple[int, int]] = {}
    stored: list[tuple[int, np.ndarray, np.ndarray]] = []
    for number, point in enumerate(listed):
        try:
            if not isinstance(point, dict):
                raise ValueError(f"it is {shown(point)} instead of an object")
            where = _grid_index(path, number, [point.get("i"), point.get("j")], shape)
            if where in seen:
                raise ReferenceFileError(f"{path}: grid point {where} is listed twice.")
            seen.add(where)
            if point.get("masked", False) not in (True, False):
                raise ValueError(f"masked is {shown(point['masked'])} instead of true or false")
            if point.get("masked"):
                masked[where] = True
            elif "same_as" in point:
                same[where] = _grid_index(path, number, point["same_as"], shape)
            elif "failed" not in point:
                if not is_finite(point.get("energy_eV")):
                    found = shown(point.get("energy_eV"))
                    raise ValueError(f"energy_eV is {found} instead of a finite number")
                energies[where] = point["energy_eV"] / n_atoms
                cell = finite_array(point, "cell_A", (3, 3))
                atoms = finite_array(point, "positions", (n_atoms, 3))
                stored.append((where[0] * shape[1] + where[1], cell, atoms))
                if "forces_eV_A" in point:
                    forces[where] = finite_array(point, "forces_eV_A", (n_atoms, 3))
                if "stress_eV_A3" in point:
                    xx, yy, zz, yz, xz, xy = finite_array(point, "stress_eV_A3", (6,))
                    stresses[where] = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
        except ValueError as error:
            raise ReferenceFileError(
                f"{path}: point {number} is malformed ({error}); correct or remove it."
            ) from None
    computed = np.isfinite(energies)
    for target, source in same.items():
        if not computed[source]:
            raise ReferenceFileError(
                f"{path}: point {target} is said to equal {source}, which has no energy."
            )
        energies[target] = energies[source]
    _check_geometries(path, the_slice, stored)
    return _Points(energies, forces, stresses, masked, computed)


def _grid_index(path: Path, number: int, index: Any, shape: tuple[int, int]) -> tuple[int, int]:
    """Read a grid index that a point states."""
    if not isinstance(index, list) or len(index) != 2 or any(type(k) is not int for k in index):
        raise ValueError(f"its grid index is {shown(index)} instead of two whole numbers")
    i, j = index
    if not (0 <= i < shape[0] and 0 <= j < shape[1]):
        raise ReferenceFileError(
            f"{path}: point {number} names grid index ({i}, {j}), which is outside the grid."
        )
    return i, j


def _check_geometries(
    path: Path, the_slice: Slice, stored: list[tuple[int, np.ndarray, np.ndarray]]
) -> None:
    """Compare all stored geometries with those that the slice builds, in one array operation."""
    if not stored:
        return
    structures = the_slice.structures()
    n_atoms = int(structures.n_atoms[0])
    index = np.array([k for k, _, _ in stored])
    cells = np.array([cell for _, cell, _ in stored])
    fractional = np.array([atoms for _, _, atoms in stored])
    built_cells = structures.cells[index]
    built = structures.positions.reshape(-1, n_atoms, 3)[index]
    apart = fractional - np.linalg.solve(
        built_cells.transpose(0, 2, 1), built.transpose(0, 2, 1)
    ).transpose(0, 2, 1)
    apart -= np.rint(apart)
    deviation = np.linalg.norm(apart @ built_cells, axis=2).max(axis=1)
    deviation = np.maximum(deviation, np.abs(cells - built_cells).max(axis=(1, 2)))
    worst = int(deviation.argmax())
    if deviation[worst] > GEOMETRY_TOLERANCE_A:
        i, j = divmod(int(index[worst]), the_slice.shape[1])
        raise ReferenceFileError(
            f"{path}: the geometry stored for point ({i}, {j}) is {deviation[worst]:.4f} angstrom "
            "away from the one that the slice gives; correct the axes or the point."
        )


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


def build_document(
    *,
    material: str,
    the_slice: Slice,
    points: list[dict[str, Any]],
    method: dict[str, Any],
    provenance: dict[str, Any],
    kind: str = "local",
) -> dict[str, Any]:
    """Put together the document of a reference file.

    Parameters
    ----------
    points
        One dictionary a grid point: ``i``, ``j`` and either ``energy_eV`` (of the primitive cell),
        ``forces_eV_A``, ``scf_steps``, ``cell_A`` and ``positions`` (fractional), atoms in the
        slice's order; or ``masked: true``; or ``failed: reason``; or ``same_as: [i, j]``.
    """
    from ase.data import chemical_symbols

    crystal = the_slice.crystal
    return {
        "schema": SCHEMA,
        "material": material,
        "slice": the_slice.name,
        "kind": kind,
        "crystal": {
            "formula": crystal.formula,
            "space_group_number": crystal.space_group_number,
            "space_group_symbol": crystal.symbol,
            "hall_number": crystal.hall_number,
            "lattice_A": np.round(crystal.lattice, 8).tolist(),
            "atoms": [
                [chemical_symbols[z], *np.round(x, 8).tolist()]
                for z, x in zip(crystal.numbers, crystal.positions, strict=True)
            ],
        },
        "axes": [
            {
                "name": axis.name,
                "terms": axis.terms,
                "start": axis.start,
                "stop": axis.stop,
                "points": axis.points,
                "origin": axis.origin,
                "period": axis.period,
            }
            for axis in the_slice.axes
        ],
        "mask_ratio": the_slice.mask_ratio,
        "method": method,
        "provenance": provenance,
        "points": sorted(points, key=lambda p: (p["i"], p["j"])),
    }


def write_reference(folder: str | Path, document: dict[str, Any]) -> Path:
    """Write ``<folder>/<material>/<slice>.json`` with `write_document` and return its path.

    Raises
    ------
    ReferenceFileError
        As `write_document` and `load_reference`.
    """
    target = Path(folder) / document["material"] / f"{document['slice']}.json"
    return write_document(target, document, "points", load_reference)
