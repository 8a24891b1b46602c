"""A slice of the potential energy surface at fixed space group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.labels import axis_label, crystal_label
from symscape.crystal.lattice import (
    check_lattice_names,
    lattice_axis_names,
    lattice_values,
    strained_cells,
)
from symscape.crystal.structures import Structures
from symscape.errors import SymscapeError
from symscape.notebook import map_html, table_html

if TYPE_CHECKING:
    from symscape.crystal.equivalence import GridSymmetry


#: beyond this a grid is a mistake in a file, not a wish
MOST_POINTS = 1_000_000
#: beyond this a notebook waits too long for a map
MOST_SHOWN = 5_000
#: default of ``mask_ratio``
MASK_RATIO = 0.7


@dataclass(frozen=True, eq=False)
class Slice:
    """Two directions in the free parameters of a crystal, and a rectangular grid over them.

    Parameters
    ----------
    crystal
        Where the axes' origins are; its space group is the one that is kept.
    axes
        Two axes.
    mask_ratio
        Points whose closest pair is nearer than this times the sum of the covalent radii are
        masked.

    Raises
    ------
    SymscapeError
        If an axis names an unknown coordinate or lattice parameter, has a malformed range, if the
        axes are not linearly independent, or if values of a lattice axis make no cell.
    """

    crystal: Crystal
    axes: tuple[Axis, Axis]
    mask_ratio: float = MASK_RATIO

    def __post_init__(self) -> None:
        if len(self.axes) != 2:
            raise SymscapeError(f"a slice needs two axes, but {len(self.axes)} are given.")
        if not self.mask_ratio >= 0:
            raise SymscapeError(
                f"mask ratio {self.mask_ratio} is not a number of at least 0; the default is 0.7."
            )
        object.__setattr__(self, "axes", tuple(self.axes))
        for axis in self.axes:
            _check_axis(axis)
            _check_terms(self.crystal, axis)
        if self.axes[0].points * self.axes[1].points > MOST_POINTS:
            raise SymscapeError(
                f"the slice '{self.name}' has {self.axes[0].points:.3g} x "
                f"{self.axes[1].points:.3g} points, but a grid has at most {MOST_POINTS}; give its "
                "axes fewer."
            )
        check_lattice_names(self.crystal.group, tuple(filter(None, self._lattice_names)))
        self._check_independent()
        self._check_cells()

    def __repr__(self) -> str:
        n_u, n_v = self.shape
        return f"Slice({self.crystal.formula} {self.crystal.symbol}, {self.name}, {n_u} x {n_v})"

    def _repr_html_(self) -> str:
        """Return crystal, axes and a map of how near atoms come, for notebooks.

        Masked points are grey. Of a grid of more than `MOST_SHOWN` points there is no map.
        """
        head = ("axis", "moves", "from", "to", "points")
        rows = [
            (axis_label(a.name), ", ".join(map(axis_label, a.terms)), a.start, a.stop, a.points)
            for a in self.axes
        ]
        about = [("crystal", crystal_label(self.crystal.formula, self.crystal.symbol))]
        tables = table_html(about) + table_html(rows, head)
        if self.shape[0] * self.shape[1] > MOST_SHOWN:
            return tables
        ratios = np.where(self.mask, np.nan, self.contact_ratios)
        title = "closest distance over the sum of covalent radii; grey: masked"
        return tables + map_html(ratios, title)

    # -- names and shape --------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The axes' names joined: ``Ti_z-O_z``; a slash is left out (``c/a`` gives ``ca``)."""
        return "-".join(axis.name.replace("/", "") for axis in self.axes)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of grid values along each axis."""
        return self.axes[0].points, self.axes[1].points

    @cached_property
    def grid_values(self) -> np.ndarray:
        """Axis values of all grid points, row-major, shape (n_u * n_v, 2)."""
        u, v = np.meshgrid(*(axis.values for axis in self.axes), indexing="ij")
        return np.stack([u.ravel(), v.ravel()], axis=1)

    # -- what the axes move -----------------------------------------------------------------------

    @cached_property
    def _lattice_names(self) -> tuple[str | None, str | None]:
        """The lattice parameter that each axis sets, or None."""
        known = {free.name for free in self.crystal.free_coordinates}
        first, second = (
            None if set(axis.terms) <= known else next(iter(axis.terms)) for axis in self.axes
        )
        return first, second

    @cached_property
    def weights(self) -> np.ndarray:
        """Change of each free coordinate with each axis value, shape (2, n_free)."""
        names = [free.name for free in self.crystal.free_coordinates]
        weights = np.zeros((2, len(names)))
        for k, axis in enumerate(self.axes):
            if self._lattice_names[k] is None:
                for name, weight in axis.terms.items():
                    weights[k, names.index(name)] = weight
        return weights

    @cached_property
    def origins(self) -> np.ndarray:
        """Axis values of the crystal itself, shape (2,)."""
        return np.array([axis.origin for axis in self.axes], dtype=float)

    @cached_property
    def displacements(self) -> np.ndarray:
        """Fractional displacement of each atom with each axis value, shape (2, n_atoms, 3)."""
        return np.einsum("akf,sf->sak", self.crystal.B, self.weights)

    def cell_transformation(self, primitive: bool = True) -> np.ndarray:
        """Return the rows of the cell in units of the conventional cell, shape (3, 3)."""
        return self.crystal.group.primitive_cell if primitive else np.eye(3)

    def atom_indices(self, primitive: bool = True) -> np.ndarray:
        """Return which atoms of the crystal the structures hold, in their order."""
        return self.crystal.primitive_atoms if primitive else np.arange(len(self.crystal))

    # -- structures -------------------------------------------------------------------------------

    def structures(self, *, primitive: bool = True) -> Structures:
        """Build all grid points at once, row-major, in the primitive or conventional cell."""
        return self.structures_at(self.grid_values, primitive=primitive)

    def structures_at(self, values: np.ndarray, *, primitive: bool = True) -> Structures:
        """Build the structures at axis values of shape (n, 2).

        Atoms move continuously with the values (they are not wrapped into the cell), and the cell
        keeps the crystal's orientation.
        """
        values = np.asarray(values, dtype=float).reshape(-1, 2)
        own = self.atom_indices(primitive)
        moves = self.displacements[:, own].reshape(2, -1)
        fractional = self.crystal.positions[own].ravel() + (values - self.origins) @ moves
        fractional = fractional.reshape(len(values), len(own), 3)
        conventional = self.cells_at(values)
        return Structures.stack(
            self.crystal.numbers[own],
            fractional @ conventional,
            self.cell_transformation(primitive) @ conventional,
        )

    def cells_at(self, values: np.ndarray) -> np.ndarray:
        """Return the conventional cells at axis values of shape (n, 2), shape (n, 3, 3)."""
        moving = {
            name: values[:, k] for k, name in enumerate(self._lattice_names) if name is not None
        }
        crystal = self.crystal
        if not moving:
            return np.broadcast_to(crystal.lattice, (len(values), 3, 3))
        return strained_cells(crystal.group, crystal.lattice, len(crystal), moving)

    @cached_property
    def contact_ratios(self) -> np.ndarray:
        """Closest distance over sum of covalent radii at each point, shape (n_u, n_v)."""
        from symscape.crystal.contacts import closest_ratios

        return closest_ratios(self.structures()).reshape(self.shape)

    @cached_property
    def mask(self) -> np.ndarray:
        """True where two atoms are too close, shape (n_u, n_v)."""
        return self.contact_ratios < self.mask_ratio

    # -- residual symmetry ------------------------------------------------------------------------

    @cached_property
    def grid_symmetries(self) -> tuple[GridSymmetry, ...]:
        """Maps of the grid onto itself under which the structures are congruent."""
        from symscape.crystal.equivalence import grid_symmetries

        return grid_symmetries(self.axes, self.structures_at)

    @cached_property
    def representatives(self) -> np.ndarray:
        """For each grid point the flat index of the first symmetry-equivalent one, (n_u, n_v)."""
        from symscape.crystal.equivalence import first_equivalents

        return first_equivalents(self.grid_symmetries, self.shape)

    # -- checks -----------------------------------------------------------------------------------

    def _check_independent(self) -> None:
        """Raise a SymscapeError if moving along one axis can be undone along the other."""
        names = self._lattice_names
        repeated = names[0] is not None and names[0] == names[1]
        coordinates = np.array(
            [row for row, name in zip(self.weights, names, strict=True) if not name]
        )
        dependent = len(coordinates) and np.linalg.matrix_rank(coordinates) < len(coordinates)
        if repeated or dependent or self._lattice_axes_tied():
            raise SymscapeError(
                f"the axes '{self.axes[0].name}' and '{self.axes[1].name}' are not linearly "
                "independent; choose two that move the crystal in different ways."
            )

    def _lattice_axes_tied(self) -> bool:
        """Whether two lattice axes deform the cell in one way only."""
        first, second = self._lattice_names
        if first is None or second is None or first == second:
            return False
        crystal = self.crystal
        own = lattice_values(crystal.group, crystal.lattice, len(crystal))
        nudges = 1 + 1e-4 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        cells = strained_cells(
            crystal.group,
            crystal.lattice,
            len(crystal),
            {first: own[first] * nudges[:, 0], second: own[second] * nudges[:, 1]},
        )
        metrics = (cells @ np.swapaxes(cells, 1, 2)).reshape(3, 9)
        changes = (metrics[1:] - metrics[0]) / np.abs(metrics[0]).max() / 1e-4
        return bool(np.linalg.matrix_rank(changes, tol=1e-3) < 2)

    def _check_cells(self) -> None:
        """Raise a SymscapeError if the crystal is off a lattice axis, or values make no cell."""
        crystal = self.crystal
        own = lattice_values(crystal.group, crystal.lattice, len(crystal))
        for axis, name in zip(self.axes, self._lattice_names, strict=True):
            if name is not None and abs(axis.origin - own[name]) > 1e-3 * abs(own[name]):
                raise SymscapeError(
                    f"axis '{axis.name}' has its origin at {axis.origin:g}, but the crystal has "
                    f"{name} = {own[name]:.6g}; set the origin to the crystal's own value."
                )
        if any(self._lattice_names):
            volumes = np.linalg.det(self.cells_at(self.grid_values))
            if not (np.isfinite(volumes) & (volumes > 1e-3 * volumes.max())).all():
                names = " and ".join(filter(None, self._lattice_names))
                raise SymscapeError(
                    f"some values of {names} in the slice '{self.name}' make no cell; narrow the "
                    "axis."
                )


def _check_axis(axis: Axis) -> None:
    """Raise a SymscapeError if the axis's numbers make no grid."""
    numbers = [axis.start, axis.stop, axis.origin, *axis.terms.values()]
    if axis.period is not None:
        numbers.append(axis.period)
    if not np.isfinite(numbers).all():
        raise SymscapeError(f"axis '{axis.name}' has a number that is not finite; mend it.")
    if axis.points < 2 or not axis.start < axis.stop:
        raise SymscapeError(
            f"axis '{axis.name}' must have start < stop and at least 2 points, but has start "
            f"{axis.start:g}, stop {axis.stop:g} and {axis.points} points."
        )
    if not axis.terms or not all(axis.terms.values()):
        raise SymscapeError(
            f"axis '{axis.name}' moves nothing; give it terms with weights other than zero."
        )
    if axis.period is not None and axis.period <= 0:
        raise SymscapeError(f"axis '{axis.name}' must have a period above zero, or none.")


def slice_titles(slices: Sequence[Slice]) -> tuple[str, ...]:
    """Return titles that tell slices of one page apart: ``Na_z-ca in I4mm``.

    Subgroups give their free coordinates the same names. Where the space group is the same as well
    the number of atoms is added, and where that doesn't help a count.
    """
    plain = [f"{one.name} in {one.crystal.symbol}" for one in slices]
    sized = [
        f"{title}, {len(one.crystal.primitive_atoms)} atoms" if plain.count(title) > 1 else title
        for one, title in zip(slices, plain, strict=True)
    ]
    return tuple(
        f"{title} ({sized[:k].count(title) + 1})" if sized.count(title) > 1 else title
        for k, title in enumerate(sized)
    )


def _check_terms(crystal: Crystal, axis: Axis) -> None:
    """Raise a SymscapeError if the axis names something that the crystal hasn't got."""
    coordinates = [free.name for free in crystal.free_coordinates]
    lattice = lattice_axis_names(crystal.group)
    unknown = [name for name in axis.terms if name not in coordinates and name not in lattice]
    if unknown:
        pinned = "".join(
            f" ('{name}' is held because a polar crystal may shift as a whole)"
            for name in unknown
            if name in crystal.pinned
        )
        known = ", ".join(coordinates) or "none"
        raise SymscapeError(
            f"axis '{axis.name}' names '{unknown[0]}', which {crystal.formula} in {crystal.symbol} "
            f"does not have{pinned}; its free coordinates are {known} and its lattice parameters "
            f"{', '.join(lattice)}."
        )
    moves_lattice = [name for name in axis.terms if name in lattice]
    if moves_lattice and (len(axis.terms) > 1 or axis.terms[moves_lattice[0]] != 1):
        raise SymscapeError(
            f"axis '{axis.name}' ties lattice parameter '{moves_lattice[0]}' to something else; a "
            "lattice axis has that one term with weight 1."
        )
