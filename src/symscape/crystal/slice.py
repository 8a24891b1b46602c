"""A slice of the potential energy surface at fixed space group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.structures import Structures


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
    """

    crystal: Crystal
    axes: tuple[Axis, Axis]
    mask_ratio: float = 0.7

    @property
    def name(self) -> str:
        """The axes' names joined: ``Ti_z-O_z``; a slash is left out (``c/a`` gives ``ca``)."""
        return "-".join(axis.name.replace("/", "") for axis in self.axes)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of grid values along each axis."""
        return self.axes[0].points, self.axes[1].points

    def structures(self, *, primitive: bool = True) -> Structures:
        """Build all grid points at once, row-major, in the primitive or conventional cell."""
        raise NotImplementedError

    def structures_at(self, values: np.ndarray, *, primitive: bool = True) -> Structures:
        """Build the structures at axis values of shape (n, 2)."""
        raise NotImplementedError

    @cached_property
    def mask(self) -> np.ndarray:
        """True where two atoms are too close, shape (n_u, n_v)."""
        raise NotImplementedError

    @cached_property
    def representatives(self) -> np.ndarray:
        """For each grid point the flat index of the first symmetry-equivalent one, (n_u, n_v)."""
        raise NotImplementedError
