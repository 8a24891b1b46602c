"""Slices worth looking at, proposed from the free coordinates of a crystal."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.lattice import ANGLES, lattice_axis_names, lattice_values
from symscape.crystal.orbits import FreeCoordinate
from symscape.crystal.slice import Slice
from symscape.errors import SymscapeError

#: Half width of a local axis as displacement of the representative atom, in angstrom.
HALF_WIDTH = 0.35
#: Half width of a lattice axis: a share of the parameter, or degrees for an angle.
_LATTICE_SHARE = {"b/a": 0.06, "c/a": 0.06, "volume": 0.10}
_ANGLE = 3.0
#: Least share of unmasked points of a local and of a global slice.
_UNMASKED = {"local": 0.5, "global": 0.2}


@dataclass(frozen=True, eq=False)
class Proposal:
    """A proposed slice.

    Parameters
    ----------
    slice
        The slice, centred on the crystal if it is local.
    kind
        ``local`` surrounds the crystal, ``global`` spans a full period of both coordinates.
    """

    slice: Slice
    kind: Literal["local", "global"]

    @property
    def masked_fraction(self) -> float:
        """Share of grid points at which two atoms are too close."""
        return float(self.slice.mask.mean())


def propose_slices(
    crystal: Crystal,
    *,
    points: int = 15,
    half_width: float = HALF_WIDTH,
    max_local: int = 6,
    max_global: int = 2,
) -> tuple[Proposal, ...]:
    """Propose slices of a crystal.

    Pairs of single free coordinates, neighbours in the list first so that each coordinate is seen
    early; a crystal with one free coordinate gets a lattice axis as partner, a crystal with none
    two lattice axes if its system has them. A local window that is mostly masked is narrowed once
    and otherwise left out, and so is a global slice that is nearly all masked.

    Parameters
    ----------
    crystal
        The crystal, at or near its equilibrium.
    points
        Grid values along each axis.
    half_width
        Half width of the local windows in angstrom of the representative atom's displacement.
    max_local, max_global
        How many slices of each kind at most.

    Returns
    -------
    tuple of Proposal
        Empty for a crystal whose only freedom is its volume.

    Raises
    ------
    SymscapeError
        If ``points`` is below 3 or the width is not positive.
    """
    if points < 3:
        raise SymscapeError(f"{points} points are too few for a slice; take at least 3.")
    if not half_width > 0:
        raise SymscapeError(f"a half width of {half_width} angstrom makes no window; take 0.35.")
    free = crystal.free_coordinates
    pairs = sorted(combinations(range(len(free)), 2), key=lambda pair: (pair[1] - pair[0], pair[0]))
    proposals: list[Proposal] = []
    if len(free) >= 2:
        for i, j in pairs:
            if len(proposals) == max_local:
                break
            for width in (half_width, half_width / 2):
                axes = (
                    _local_axis(crystal, i, width, points),
                    _local_axis(crystal, j, width, points),
                )
                if _accept(proposals, Proposal(Slice(crystal, axes), "local")):
                    break
    else:
        for names in _lattice_partners(crystal, len(free)):
            lattice = tuple(_lattice_axis(crystal, name, points) for name in names)
            coordinate = tuple(
                _local_axis(crystal, k, half_width, points) for k in range(len(free))
            )
            first, second = coordinate + lattice
            _accept(proposals, Proposal(Slice(crystal, (first, second)), "local"))
    n_local = len(proposals)
    for i, j in pairs:
        if len(proposals) - n_local == max_global:
            break
        first, second = _global_axis(free[i], points), _global_axis(free[j], points)
        _accept(proposals, Proposal(Slice(crystal, (first, second)), "global"))
    return tuple(proposals)


def _accept(proposals: list[Proposal], proposal: Proposal) -> bool:
    """Add a proposal to the list unless too much of it is masked."""
    enough = 1 - proposal.masked_fraction >= _UNMASKED[proposal.kind]
    if enough:
        proposals.append(proposal)
    return enough


def _local_axis(crystal: Crystal, index: int, half_width: float, points: int) -> Axis:
    """Return a window around the crystal's own value of a free coordinate."""
    coordinate = crystal.free_coordinates[index]
    speeds = np.linalg.norm(crystal.B[:, :, index] @ crystal.lattice, axis=1)
    # Beyond a quarter of the period a local window would see the next equivalent place.
    reach = round(min(half_width / speeds.max(), coordinate.period / 4), 4)
    return Axis(
        coordinate.name,
        {coordinate.name: 1.0},
        coordinate.value - reach,
        coordinate.value + reach,
        points,
        coordinate.value,
    )


def _global_axis(coordinate: FreeCoordinate, points: int) -> Axis:
    """Return an axis with one full period, its end left out because it equals the start."""
    return Axis(
        coordinate.name,
        {coordinate.name: 1.0},
        0.0,
        coordinate.period * (points - 1) / points,
        points,
        coordinate.value,
        coordinate.period,
    )


def _lattice_axis(crystal: Crystal, name: str, points: int) -> Axis:
    """Return a window around the crystal's own value of a lattice parameter."""
    value = lattice_values(crystal.group, crystal.lattice, len(crystal))[name]
    reach = _ANGLE if name in ANGLES else round(_LATTICE_SHARE[name] * value, 4)
    return Axis(name, {name: 1.0}, value - reach, value + reach, points, value)


def _lattice_partners(crystal: Crystal, n_free: int) -> list[tuple[str, ...]]:
    """Return the lattice axes that complete ``n_free`` (0 or 1) coordinates to two."""
    known = lattice_axis_names(crystal.group)
    shapes = [name for name in ("c/a", "b/a", *ANGLES) if name in known]
    if n_free == 1:
        return [(name,) for name in (*shapes[:1], "volume")]
    return [(shapes[0], other) for other in (*shapes[1:2], "volume")] if shapes else []
