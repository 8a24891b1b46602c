"""Reading and writing reference files; whatever contradicts its own slice is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.slice import Slice
from symscape.errors import ReferenceFileError, SymscapeError
from symscape.references.reference import LandscapeReference
from symscape.references.schema import SCHEMA, dump_document, read_document

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
    document = read_document(path)
    the_slice = _build_slice(path, document)
    for field, expected, where in (
        ("material", path.parent.name, "its folder"),
        ("slice", path.stem, "its file name"),
    ):
        if document[field] != expected:
            raise ReferenceFileError(
                f"{path}: {field} is {document[field]!r} but {where} says {expected!r}; "
                "rename one of them."
            )
    if document["slice"] != the_slice.name:
        raise ReferenceFileError(
            f"{path}: slice is called {document['slice']!r} but its axes give {the_slice.name!r}."
        )
    energies, forces, masked, computed = _read_points(path, document, the_slice)
    _check_mask(path, the_slice, masked, np.isfinite(energies))
    reference = LandscapeReference(
        material=document["material"],
        slice=the_slice,
        energies=energies,
        forces=forces,
        mask=the_slice.mask,
        computed=computed,
        method=document["method"],
        provenance=document["provenance"],
        kind=document["kind"],
        formula=document["crystal"]["formula"],
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        path=path,
    )
    if not reference.valid.any():
        raise ReferenceFileError(f"{path}: holds no energy at all; compute some points first.")
    return reference


def _build_slice(path: Path, document: dict[str, Any]) -> Slice:
    """Make the slice that the header describes."""
    from ase.data import atomic_numbers

    crystal = document["crystal"]
    try:
        numbers = np.array([atomic_numbers[atom[0]] for atom in crystal["atoms"]])
        positions = np.array([atom[1:4] for atom in crystal["atoms"]], dtype=float)
        lattice = np.array(crystal["lattice_A"], dtype=float)
        axes = [
            Axis(
                axis["name"],
                {name: float(weight) for name, weight in axis["terms"].items()},
                float(axis["start"]),
                float(axis["stop"]),
                axis["points"],
                float(axis["origin"]),
                None if axis.get("period") is None else float(axis["period"]),
            )
            for axis in document["axes"]
        ]
        return Slice(
            Crystal(lattice, positions, numbers, crystal["hall_number"]),
            (axes[0], axes[1]),
            float(document["mask_ratio"]),
        )
    except SymscapeError as error:
        raise ReferenceFileError(f"{path}: {error}") from None
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ReferenceFileError(f"{path}: the crystal can't be built ({error!r}).") from None


def _read_points(
    path: Path, document: dict[str, Any], the_slice: Slice
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return energies (eV/atom), forces, stored mask and which points were computed."""
    shape = the_slice.shape
    n_atoms = len(the_slice.atom_indices())
    energies = np.full(shape, np.nan)
    forces = np.full((*shape, n_atoms, 3), np.nan)
    masked = np.zeros(shape, dtype=bool)
    seen: set[tuple[int, int]] = set()
    same: dict[tuple[int, int], tuple[int, int]] = {}
    stored: list[tuple[int, Any, Any]] = []
    for number, point in enumerate(document["points"]):
        try:
            where = _grid_index(path, number, (point["i"], point["j"]), shape)
            if where in seen:
                raise ReferenceFileError(f"{path}: grid point {where} is listed twice.")
            seen.add(where)
            if point.get("masked"):
                masked[where] = True
            elif "same_as" in point:
                same[where] = _grid_index(path, number, point["same_as"], shape)
            elif "failed" not in point:
                energies[where] = float(point["energy_eV"]) / n_atoms
                stored.append((where[0] * shape[1] + where[1], point["cell_A"], point["positions"]))
                if "forces_eV_A" in point:
                    forces[where] = np.array(point["forces_eV_A"], dtype=float)
        except (KeyError, ValueError, TypeError) as error:
            raise ReferenceFileError(f"{path}: point {number} is malformed ({error!r}).") from None
    computed = np.isfinite(energies)
    for target, source in same.items():
        if not computed[source]:
            raise ReferenceFileError(
                f"{path}: point {target} is said to equal {source}, which has no energy."
            )
        energies[target] = energies[source]
    _check_geometries(path, the_slice, stored)
    return energies, forces, masked, computed


def _grid_index(path: Path, number: int, index: Any, shape: tuple[int, int]) -> tuple[int, int]:
    """Read a grid index that a point states."""
    i, j = (int(k) for k in index)
    if not (0 <= i < shape[0] and 0 <= j < shape[1]):
        raise ReferenceFileError(
            f"{path}: point {number} names grid index ({i}, {j}), which is outside the grid."
        )
    return i, j


def _check_geometries(path: Path, the_slice: Slice, stored: list[tuple[int, Any, Any]]) -> None:
    """Compare all stored geometries with those that the slice builds, in one array operation."""
    if not stored:
        return
    structures = the_slice.structures()
    n_atoms = int(structures.n_atoms[0])
    index = np.array([k for k, _, _ in stored])
    try:
        cells = np.array([c for _, c, _ in stored], dtype=float).reshape(-1, 3, 3)
        fractional = np.array([p for _, _, p in stored], dtype=float).reshape(-1, n_atoms, 3)
    except ValueError:
        raise ReferenceFileError(
            f"{path}: a stored geometry has not the {n_atoms} atoms of the slice's primitive cell."
        ) from None
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
    """Write ``<folder>/<material>/<slice>.json`` atomically, load it back, and return its path.

    Raises
    ------
    ReferenceFileError
        If what was written does not pass ``load_reference``; then no file is left behind.
    """
    target = Path(folder) / document["material"] / f"{document['slice']}.json"
    # checked under its own name in a folder beside the target, then moved into place
    trial = target.parent / ".incoming" / document["material"] / target.name
    trial.parent.mkdir(parents=True, exist_ok=True)
    try:
        trial.write_text(dump_document(document), encoding="utf-8")
        load_reference(trial)
        os.replace(trial, target)
    finally:
        trial.unlink(missing_ok=True)
        trial.parent.rmdir()
        trial.parent.parent.rmdir()
    return target
