"""The points of a reference file: read by the codec, and held against the slice's geometries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from symscape.crystal.slice import Slice
from symscape.decode import DecodeError, Finite, OpenRecord, decode
from symscape.errors import ReferenceFileError
from symscape.references.values import finite_array

#: stored positions may differ from rebuilt ones by this much (files hold eight decimals)
GEOMETRY_TOLERANCE_A = 1e-4
#: where the components of a symmetric tensor stand in Voigt's order: xx, yy, zz, yz, xz, xy
FROM_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


@dataclass(frozen=True, kw_only=True)
class PointRecord(OpenRecord):
    """One grid point as a file states it, beside the values of its axes.

    Parameters
    ----------
    i, j
        Its grid index.
    masked
        Whether the slice's rule leaves it out.
    same_as
        Grid index of the point whose energy it has by symmetry.
    failed
        Why there is no energy.
    energy_eV, free_energy_eV
        Of the primitive cell: extrapolated to zero smearing, and the one whose derivative the
        forces are, where that is another.
    scf_steps
        How many the code took.
    cell_A, positions, forces_eV_A, stress_eV_A3
        Geometry (positions fractional), forces and Voigt's six components of the stress; each is
        read as a whole (`finite_array`).
    """

    i: int
    j: int
    masked: bool = False
    same_as: tuple[int, int] | None = None
    failed: str | None = None
    energy_eV: Finite | None = None
    free_energy_eV: Finite | None = None
    scf_steps: int | None = None
    cell_A: object = None
    positions: object = None
    forces_eV_A: object = None
    stress_eV_A3: object = None

    @property
    def computed(self) -> bool:
        """Whether the point must have an energy of its own."""
        return not self.masked and self.same_as is None and self.failed is None


class PointGrids(NamedTuple):
    """Grids of what the points of a file state; as in `LandscapeReference`, and the stored mask.

    ``complete`` says whether all points of the grid are listed.
    """

    energies: np.ndarray
    forces: np.ndarray
    stresses: np.ndarray
    masked: np.ndarray
    computed: np.ndarray
    complete: bool


def read_points(path: Path, listed: Sequence[Any], the_slice: Slice) -> PointGrids:
    """Read the points of a file and check their geometries.

    Raises
    ------
    ReferenceFileError
        If a point is malformed, listed twice, outside the grid, equal to one without energy, or
        its geometry is not the slice's.
    """
    shape, n_atoms = the_slice.shape, len(the_slice.atom_indices())
    points = point_records(path, listed, shape)
    energies = np.full(shape, np.nan)
    forces = np.full((*shape, n_atoms, 3), np.nan)
    stresses = np.full((*shape, 3, 3), np.nan)
    masked = np.zeros(shape, dtype=bool)
    for where, point in points.items():
        masked[where] = point.masked
    own = {number: p for number, p in enumerate(points.values()) if p.computed}
    for number, point in own.items():
        if point.energy_eV is None:
            raise _malformed(path, number, "energy_eV is not a finite number")
        energies[point.i, point.j] = point.energy_eV / n_atoms
    cells = _stacked(path, own, "cell_A", (3, 3))
    positions = _stacked(path, own, "positions", (n_atoms, 3))
    _check_geometries(path, the_slice, _places(own), cells, positions)
    pushed = {number: p for number, p in own.items() if p.forces_eV_A is not None}
    forces[_places(pushed)] = _stacked(path, pushed, "forces_eV_A", (n_atoms, 3))
    strained = {number: p for number, p in own.items() if p.stress_eV_A3 is not None}
    stresses[_places(strained)] = _stacked(path, strained, "stress_eV_A3", (6,))[:, FROM_VOIGT]
    computed = np.isfinite(energies)
    for target, point in points.items():
        if point.same_as is None or point.masked:
            continue
        if not computed[point.same_as]:
            raise ReferenceFileError(
                f"{path}: point {target} is said to equal {point.same_as}, which has no energy."
            )
        energies[target] = energies[point.same_as]
    return PointGrids(energies, forces, stresses, masked, computed, len(points) == masked.size)


def _stacked(
    path: Path, points: Mapping[int, PointRecord], key: str, shape: tuple[int, ...]
) -> np.ndarray:
    """Return an array of each point, by numbers in the file, shape (len(points), *shape)."""
    arrays = [getattr(point, key) for point in points.values()]
    try:
        return finite_array({key: arrays}, key, (len(points), *shape))
    except ValueError:  # one of them is wrong: it is named
        for number, array in zip(points, arrays, strict=True):
            try:
                finite_array({key: array}, key, shape)
            except ValueError as error:
                raise _malformed(path, number, str(error)) from None
    return np.array(arrays, dtype=float).reshape(len(points), *shape)


def _places(points: Mapping[int, PointRecord]) -> tuple[np.ndarray, np.ndarray]:
    """Return the grid indices of points, as an array is indexed."""
    index = np.array([(point.i, point.j) for point in points.values()], dtype=int).reshape(-1, 2)
    return index[:, 0], index[:, 1]


def _malformed(path: Path, number: int, why: str) -> ReferenceFileError:
    return ReferenceFileError(f"{path}: point {number} is malformed ({why}); correct or remove it.")


def point_records(
    path: Path, listed: Sequence[Any], shape: tuple[int, int]
) -> dict[tuple[int, int], PointRecord]:
    """Return the points of a file by their grid indices, in its order.

    Raises
    ------
    ReferenceFileError
        If a point is malformed, listed twice or outside the grid.
    """
    found: dict[tuple[int, int], PointRecord] = {}
    for number, entry in enumerate(listed):
        try:
            point: PointRecord = decode(PointRecord, entry, f"points[{number}]")
        except DecodeError as error:
            raise _malformed(path, number, str(error)) from None
        where = point.i, point.j
        for i, j in (where, point.same_as or where):
            if not (0 <= i < shape[0] and 0 <= j < shape[1]):
                raise ReferenceFileError(
                    f"{path}: point {number} names grid index ({i}, {j}), which is outside the "
                    "grid."
                )
        if where in found:
            raise ReferenceFileError(f"{path}: grid point {where} is listed twice.")
        found[where] = point
    return found


def _check_geometries(
    path: Path,
    the_slice: Slice,
    places: tuple[np.ndarray, np.ndarray],
    cells: np.ndarray,
    fractional: np.ndarray,
) -> None:
    """Compare all stored geometries with those that the slice builds, in one array operation."""
    if not len(cells):
        return
    structures = the_slice.structures()
    n_atoms = int(structures.n_atoms[0])
    index = np.ravel_multi_index(places, the_slice.shape)
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
