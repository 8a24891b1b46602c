"""DFT points of a user's own on a slice: where they lie, and how wrong models are at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.slice import Axis, Slice
from symscape.dft.matching import GridMatcher, Match, near_distances
from symscape.science.landscape.metrics import rank_correlation, slope_through_zero

if TYPE_CHECKING:
    from ase import Atoms

    from symscape.dft.importer import Image

#: a geometry that is off the slice by more than this is another crystal, angstrom
ON_SLICE_A = 0.01
#: from how many grid points the search for a geometry between them starts
_STARTS = 4
#: how far atoms may be from a grid point that a search starts from, angstrom
_BETWEEN_A = 0.3


@dataclass(frozen=True, eq=False)
class DftPoints:
    """Energies from elsewhere at points of a slice.

    Parameters
    ----------
    values
        Axis values, shape (n, 2); between grid points too.
    energies
        eV/atom, as computed, shape (n,).
    names
        Where each is from.
    """

    values: np.ndarray
    energies: np.ndarray
    names: tuple[str, ...]

    @property
    def lowest(self) -> int:
        """Number of the lowest point, the zero of all that is compared."""
        return int(self.energies.argmin())

    @property
    def relative(self) -> np.ndarray:
        """Energies above the lowest point, eV/atom, shape (n,)."""
        return np.asarray(self.energies - self.energies[self.lowest])


@dataclass(frozen=True, eq=False)
class PointErrors:
    """A model at the DFT points.

    Parameters
    ----------
    model
        Its name.
    relative
        Its energies above that of DFT's lowest point, eV/atom, shape (n,), NaN where it has none.
    errors
        Model minus DFT in meV/atom, zero at DFT's lowest point, shape (n,).
    mean, mean_absolute
        Over the other points, meV/atom; NaN if there is none.
    softening
        Slope of the model on DFT: below 1 the model is too soft.
    rank_correlation
        Rank correlation.
    """

    model: str
    relative: np.ndarray
    errors: np.ndarray
    mean: float
    mean_absolute: float
    softening: float
    rank_correlation: float


def place_points(the_slice: Slice, images: Sequence[Image]) -> tuple[DftPoints, tuple[str, ...]]:
    """Find where geometries with energies lie on a slice.

    Origin, order of atoms, cell, supercells and orientation don't matter.

    Parameters
    ----------
    the_slice
        The slice.
    images
        Geometries with energies, as `symscape.dft.importer.read_images` reads them.

    Returns
    -------
    points : DftPoints
        In the images' order.
    others : tuple of str
        Names of the images that are no points of the slice.

    Raises
    ------
    PlanError
        If a geometry has no energy.
    """
    from symscape.dft.importer import image_energy

    matcher = GridMatcher(the_slice, ON_SLICE_A)
    values, energies, names, others = [], [], [], []
    for image in images:
        energy = image_energy(image) / len(image.atoms)
        place = _place(matcher, image.atoms)
        if place is None:
            others.append(image.name)
            continue
        values.append(place)
        energies.append(energy)
        names.append(image.name)
    points = DftPoints(np.array(values).reshape(-1, 2), np.array(energies), tuple(names))
    return points, tuple(others)


def point_errors(points: DftPoints, energies: Mapping[str, np.ndarray]) -> tuple[PointErrors, ...]:
    """Hold models against DFT points, both above DFT's lowest one.

    Parameters
    ----------
    points
        One at least.
    energies
        By the model's name, eV/atom at the points, shape (n,), NaN where it has none.

    Raises
    ------
    ValueError
        If there is no point.
    """
    if not len(points.energies):
        raise ValueError("there is no DFT point to compare with.")
    return tuple(_errors(points, name, own) for name, own in energies.items())


def _errors(points: DftPoints, name: str, energies: np.ndarray) -> PointErrors:
    dft = points.relative
    own = np.asarray(energies, dtype=float) - energies[points.lowest]
    others = np.isfinite(own) & (np.arange(len(dft)) != points.lowest)
    errors = 1000 * (own - dft)
    known = others.any()
    return PointErrors(
        name,
        own,
        errors,
        float(errors[others].mean()) if known else np.nan,
        float(np.abs(errors[others]).mean()) if known else np.nan,
        slope_through_zero(dft[others], own[others]) if known else np.nan,
        rank_correlation(dft[np.isfinite(own)], own[np.isfinite(own)]),
    )


def _place(matcher: GridMatcher, atoms: Atoms) -> tuple[float, float] | None:
    """Return axis values of a geometry, None if it is none of the slice's."""
    if not matcher.composition_fits(atoms):
        return None
    at_points = matcher.matches(atoms)
    near = [match for match in at_points if match.deviation_A < 1e-3]
    if near:
        u, v = matcher.slice.grid_values[near[0].index]
        return float(u), float(v)
    return _between(matcher, atoms)


def _between(matcher: GridMatcher, atoms: Atoms) -> tuple[float, float] | None:
    """Look between the grid points: laid on a near one, the geometry tells how far it is off."""
    the_slice = matcher.slice
    times = len(atoms) // len(matcher.numbers)
    own = near_distances(atoms.cell.array, atoms.positions)
    worth = [
        np.abs(np.repeat(near_distances(cell, positions), times) - own).max()
        for _, positions, cell in map(matcher.structures.arrays, range(len(matcher.structures)))
    ]
    loose = GridMatcher(the_slice, _BETWEEN_A)
    for start in np.argsort(worth, kind="stable")[:_STARTS]:
        match = loose.match_at(atoms, int(start), times)
        if match is None:
            continue
        values = _nearest_values(the_slice, match)
        if _is_there(the_slice, values, atoms):
            return float(values[0]), float(values[1])
    return None


def _nearest_values(the_slice: Slice, match: Match) -> np.ndarray:
    """Return the axis values whose structure is nearest to a geometry laid on a grid point."""
    from scipy.optimize import least_squares

    low = np.array([axis.start for axis in the_slice.axes])
    spans = np.array([axis.stop - axis.start for axis in the_slice.axes])

    def gaps(shares: np.ndarray) -> np.ndarray:
        _, positions, cell = the_slice.structures_at(low + shares * spans).arrays(0)
        apart = match.positions - np.linalg.solve(cell.T, positions.T).T
        apart -= np.rint(apart)
        apart -= apart.mean(axis=0)
        return np.concatenate([(apart @ cell).ravel(), (match.cell - cell).ravel()])

    start = (the_slice.grid_values[match.index] - low) / spans
    found = least_squares(gaps, np.clip(start, 1e-9, 1 - 1e-9), bounds=(0.0, 1.0), xtol=1e-12)
    return np.asarray(low + found.x * spans)


def _is_there(the_slice: Slice, values: np.ndarray, atoms: Atoms) -> bool:
    """Whether a geometry is that of a point, by the matcher of a tiny grid around it."""
    axes = [
        _around(axis, float(value))
        for axis, value in zip(the_slice.axes, values, strict=True)
    ]  # fmt: skip
    tiny = replace(the_slice, axes=(axes[0], axes[1]))
    return bool(GridMatcher(tiny, ON_SLICE_A).matches(atoms))


def _around(axis: Axis, value: float) -> Axis:
    reach = 1e-5 * (axis.stop - axis.start)
    return replace(axis, start=value - reach, stop=value + reach, points=3, period=None)
