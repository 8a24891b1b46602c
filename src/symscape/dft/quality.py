"""Checks of a finished grid that need no engine: forces against energies, smoothness.

Both find a point whose self-consistent field ended in another electronic state, and tell it apart
from a landscape that is merely steep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symscape.crystal.slice import Slice
from symscape.crystal.tangents import tangents
from symscape.references.landscape_files import load_reference, stored_points
from symscape.references.point_records import FROM_VOIGT, PointRecord

#: deviations below this are numerical noise of the energies, eV/atom
NOISE_EV_ATOM = 1e-3
#: how many times the deviation of its neighbours a point's has to be to stand out
OUTSTANDING = 4.0


@dataclass(frozen=True, eq=False)
class GridData:
    """A grid's numbers, NaN where there are none.

    Parameters
    ----------
    slice
        The slice, of shape (n_u, n_v).
    energies
        Extrapolated to zero smearing, eV/atom, shape (n_u, n_v).
    free_energies
        Of which the forces are the derivative, eV/atom, shape (n_u, n_v).
    forces
        eV/angstrom, shape (n_u, n_v, n_atoms, 3).
    stresses
        eV/angstrom^3, positive under tension, shape (n_u, n_v, 3, 3).
    """

    slice: Slice
    energies: np.ndarray
    free_energies: np.ndarray
    forces: np.ndarray
    stresses: np.ndarray

    @classmethod
    def from_points(cls, the_slice: Slice, points: Collection[PointRecord]) -> GridData:
        """Collect the points of a reference; see `symscape.dft.grid_store.grid_points`."""
        shape, n_atoms = the_slice.shape, len(the_slice.atom_indices())
        energies, free_energies = np.full(shape, np.nan), np.full(shape, np.nan)
        forces = np.full((*shape, n_atoms, 3), np.nan)
        stresses = np.full((*shape, 3, 3), np.nan)
        for point in points:
            where = point.i, point.j
            if point.energy_eV is not None:
                free = point.energy_eV if point.free_energy_eV is None else point.free_energy_eV
                energies[where] = point.energy_eV / n_atoms
                free_energies[where] = free / n_atoms
            if point.forces_eV_A is not None:
                forces[where] = point.forces_eV_A
            if point.stress_eV_A3 is not None:
                stresses[where] = np.array(point.stress_eV_A3)[FROM_VOIGT]
        for point in points:
            if point.same_as is not None:
                energies[point.i, point.j] = energies[point.same_as]
                free_energies[point.i, point.j] = free_energies[point.same_as]
        return cls(the_slice, energies, free_energies, forces, stresses)

    @classmethod
    def from_reference(cls, path: str | Path) -> GridData:
        """Load a stored reference.

        Raises
        ------
        ReferenceFileError
            If the file is malformed or contradicts its slice.
        """
        the_slice = load_reference(path).slice
        return cls.from_points(the_slice, stored_points(path, the_slice))

    @property
    def relative(self) -> np.ndarray:
        """Energies above the lowest one, eV/atom, shape (n_u, n_v)."""
        return np.asarray(self.energies - np.nanmin(self.energies))


@dataclass(frozen=True)
class Deviation:
    """A place where a check failed.

    Parameters
    ----------
    point
        Grid indices.
    axis
        Name of the axis along which it was found; both names if along both.
    value_meV_atom
        By how much the energy is off.
    """

    point: tuple[int, int]
    axis: str
    value_meV_atom: float

    def __str__(self) -> str:
        return f"({self.point[0]}, {self.point[1]}) along {self.axis}: {self.value_meV_atom:+.1f}"


@dataclass(frozen=True)
class ForceCheck:
    """Energy differences along the axes against the integral of the forces.

    Parameters
    ----------
    compared
        How many steps could be compared.
    median_meV_atom, largest_meV_atom
        Of the absolute mismatch.
    deviations
        Steps whose mismatch exceeds what the quadrature explains.
    """

    compared: int
    median_meV_atom: float
    largest_meV_atom: float
    deviations: tuple[Deviation, ...]


def check_forces(grid: GridData, noise: float = NOISE_EV_ATOM) -> ForceCheck:
    """Compare energy differences over two grid steps with the integral of the forces.

    The integral over ``[k - 1, k + 1]`` is that of the quartic through five neighbouring slopes
    (weights -1, 34, 114, 34, -1 over 90), or Simpson's where there are only three; the difference
    between these two rules, and half a per cent of the energy difference, is what the quadrature
    is allowed to be off by.

    Parameters
    ----------
    grid
        The grid; along axes that strain the cell it needs stresses.
    noise
        Mismatch that is always allowed, eV/atom.
    """
    the_slice = grid.slice
    n_atoms = grid.forces.shape[2]
    moves = tangents(the_slice, the_slice.grid_values)
    slopes = -moves.generalized_forces(
        grid.forces.reshape(-1, n_atoms, 3), grid.stresses.reshape(-1, 3, 3)
    )
    slopes /= n_atoms
    mismatches: list[float] = []
    deviations = []
    for axis, definition in enumerate(the_slice.axes):
        step = (definition.stop - definition.start) / (definition.points - 1)
        slope = np.moveaxis(slopes[:, axis].reshape(the_slice.shape), axis, 0)
        energy = np.moveaxis(grid.free_energies, axis, 0)
        for k in range(1, definition.points - 1):
            integral, doubt = _integral(slope, k, step)
            difference = energy[k + 1] - energy[k - 1]
            mismatch = difference - integral
            allowed = noise + doubt + 5e-3 * np.abs(difference)
            for line in np.flatnonzero(np.isfinite(mismatch)):
                mismatches.append(abs(float(mismatch[line])))
                if mismatches[-1] > allowed[line]:
                    point = (k, int(line)) if axis == 0 else (int(line), k)
                    value = 1000 * float(mismatch[line])
                    deviations.append(Deviation(point, definition.name, value))
    if not mismatches:
        return ForceCheck(0, float("nan"), float("nan"), ())
    sizes = 1000 * np.array(mismatches)
    deviations.sort(key=lambda deviation: -abs(deviation.value_meV_atom))
    return ForceCheck(len(sizes), float(np.median(sizes)), float(sizes.max()), tuple(deviations))


def _integral(slope: np.ndarray, k: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the integral of lines of slopes over [k - 1, k + 1] and how far it may be off."""
    simpson = step / 3 * (slope[k - 1] + 4 * slope[k] + slope[k + 1])
    midpoint = 2 * step * slope[k]
    doubt = 0.2 * np.abs(simpson - midpoint)
    if 2 <= k < len(slope) - 2:
        near = 34 * (slope[k - 1] + slope[k + 1]) - slope[k - 2] - slope[k + 2]
        quartic = step / 90 * (near + 114 * slope[k])
        there = np.isfinite(quartic)
        return np.where(there, quartic, simpson), np.where(there, np.abs(simpson - quartic), doubt)
    return simpson, doubt


def check_smoothness(
    energies: np.ndarray,
    names: tuple[str, str] = ("u", "v"),
    *,
    noise: float = NOISE_EV_ATOM,
) -> tuple[Deviation, ...]:
    """Find single points that do not lie on the surface that their neighbours make.

    Every five neighbours in a line have a fourth difference, which vanishes for a cubic; from it
    follows how far each of them is off the cubic through the other four. A point stands out if it
    is off by the same amount along both axes and by several times what the same windows of the two
    neighbouring lines are off, which measure how steep the surface is there. Where only one axis
    has five points in a row, that one decides.

    Parameters
    ----------
    energies
        eV/atom, shape (n_u, n_v), NaN where there is none.
    names
        Of the axes.
    noise
        What a point may always be off, eV/atom.

    Returns
    -------
    tuple of Deviation
        Largest first.
    """
    found = []
    off = [_off_the_line(energies), tuple(part.T for part in _off_the_line(energies.T))]
    for where in zip(*np.nonzero(np.isfinite(energies)), strict=True):
        scores = [
            (off[axis][0][where], off[axis][1][where])
            for axis in (0, 1)
            if np.isfinite(off[axis][0][where])
        ]
        if not scores or not all(abs(r) > noise + OUTSTANDING * usual for r, usual in scores):
            continue
        residuals = [r for r, _ in scores]
        if len({np.sign(r) for r in residuals}) > 1:
            continue
        axis_name = " and ".join(names[axis] for axis in (0, 1) if np.isfinite(off[axis][0][where]))
        smallest = min(residuals, key=abs)
        found.append(Deviation((int(where[0]), int(where[1])), axis_name, 1000 * float(smallest)))
    return tuple(sorted(found, key=lambda deviation: -abs(deviation.value_meV_atom)))


_DIFFERENCE = np.array([1.0, -4.0, 6.0, -4.0, 1.0])


def _off_the_line(energies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each point is off its neighbours along the first axis, and what is usual.

    Both NaN where no five points in a row hold it.
    """
    n = len(energies)
    residual = np.full_like(energies, np.nan)
    usual = np.full_like(energies, np.nan)
    if n < 5:
        return residual, usual
    fourth = np.stack([_DIFFERENCE @ energies[k : k + 5] for k in range(n - 4)])
    for k in range(n):
        for start in _windows(k, n):
            fits = np.isfinite(fourth[start]) & np.isnan(residual[k])
            weight = _DIFFERENCE[k - start]
            beside = np.abs(_beside(fourth[start])) / abs(weight)
            fits &= np.isfinite(beside)
            residual[k] = np.where(fits, fourth[start] / weight, residual[k])
            usual[k] = np.where(fits, beside, usual[k])
    return residual, usual


def _windows(k: int, n: int) -> Iterator[int]:
    """Yield the starts of the windows of five that hold ``k``, the most central one first."""
    starts = [start for start in range(k - 4, k + 1) if 0 <= start <= n - 5]
    yield from sorted(starts, key=lambda start: abs(start + 2 - k))


def _beside(line: np.ndarray) -> np.ndarray:
    """Return the larger magnitude of the left and right neighbour, NaN where there is neither."""
    padded = np.concatenate([[np.nan], np.abs(line), [np.nan]])
    return np.fmax(padded[:-2], padded[2:])
