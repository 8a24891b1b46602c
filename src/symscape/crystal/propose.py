"""Slices worth looking at, proposed from the free coordinates of a crystal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from symscape.crystal.contacts import closest_contact
from symscape.crystal.crystal import Crystal
from symscape.crystal.grid import Axis
from symscape.crystal.lattice import ANGLES, lattice_axis_names, lattice_values
from symscape.crystal.orbits import FreeCoordinate
from symscape.crystal.slice import MASK_RATIO, Slice
from symscape.crystal.stiffness import coordinate_stiffness
from symscape.errors import SymscapeError, did_you_mean

Kind = Literal["local", "global"]
#: Half width of a local axis as displacement of the representative atom, in angstrom.
HALF_WIDTH = 0.35
#: Half width of a lattice axis: a share of the parameter, or degrees for an angle.
_LATTICE_SHARE = {"b/a": 0.06, "c/a": 0.06, "volume": 0.10}
_LENGTH_SHARE = 0.06
_ANGLE = 3.0
#: Least share of unmasked points of a local and of a global slice.
_UNMASKED = {"local": 0.5, "global": 0.2}
#: Of more free coordinates than this the softest are paired.
MOST_COORDINATES = 12
#: Pairs of axes that are tried for slices of one kind.
MOST_TRIES = 12
#: Free coordinates that a complaint lists.
_MOST_NAMED = 9


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
    kind: Kind

    @property
    def masked_fraction(self) -> float:
        """Share of grid points at which two atoms are too close."""
        return float(self.slice.mask.mean())


@dataclass(frozen=True)
class Survey:
    """The slices proposed for a crystal, and what was not looked at.

    Parameters
    ----------
    proposals
        Local slices, then global ones. Empty for a crystal whose only freedom is its volume.
    notices
        What the user should know, one sentence each: a crystal that is masked itself, coordinates
        and pairs that were not tried.
    """

    proposals: tuple[Proposal, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class _Window:
    """How proposed slices are to look."""

    points: int
    half_width: float


def propose_slices(
    crystal: Crystal,
    *,
    points: int = 15,
    half_width: float = HALF_WIDTH,
    max_local: int = 6,
    max_global: int = 2,
) -> tuple[Proposal, ...]:
    """Propose slices of a crystal; the proposals of `survey_slices`, which takes the same.

    Raises
    ------
    SymscapeError
        If ``points`` is below 3 or the width is not positive.
    """
    return survey_slices(
        crystal,
        points=points,
        half_width=half_width,
        max_local=max_local,
        max_global=max_global,
    ).proposals


def survey_slices(
    crystal: Crystal,
    *,
    axes: tuple[str, ...] = (),
    points: int = 15,
    half_width: float = HALF_WIDTH,
    max_local: int = 6,
    max_global: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Propose slices of a crystal, in bounded time whatever its size.

    Pairs of single free coordinates, neighbours in the list first so that each coordinate is seen
    early; a crystal with one free coordinate gets a lattice axis as partner, a crystal with none
    two lattice axes if its system has them. Of more than `MOST_COORDINATES` the softest are paired,
    by `coordinate_stiffness`. A local window that is mostly masked is narrowed once and otherwise
    left out, and so is a global slice that is nearly all masked; after `MOST_TRIES` of a kind no
    more are tried.

    Parameters
    ----------
    crystal
        The crystal, at or near its equilibrium.
    axes
        Free coordinates or lattice parameters to pair, in place of a choice; two at least.
    points
        Grid values along each axis.
    half_width
        Half width of the local windows in angstrom of the representative atom's displacement.
    max_local, max_global
        How many slices of each kind at most.
    progress
        Called with the number of pairs tried so far and the most that will be.

    Raises
    ------
    SymscapeError
        If ``points`` is below 3, the width is not positive, or an axis is unknown.
    """
    if points < 3:
        raise SymscapeError(f"{points} points are too few for a slice; take at least 3.")
    if not half_width > 0:
        raise SymscapeError(f"a half width of {half_width} angstrom makes no window; take 0.35.")
    window = _Window(points, half_width)
    names, left_out = _chosen_axes(crystal, axes)
    notices = [*_masked_itself(crystal), *left_out]
    order = sorted(combinations(range(len(names)), 2), key=lambda p: (p[1] - p[0], p[0]))
    pairs = [(names[i], names[j]) for i, j in order]
    if not axes and len(crystal.free_coordinates) < 2:
        pairs = _pairs_with_lattice(crystal)
    known = {free.name for free in crystal.free_coordinates}
    spans = [pair for pair in pairs if set(pair) <= known]
    most = min(len(pairs), MOST_TRIES) + min(len(spans), MOST_TRIES)
    proposals: list[Proposal] = []
    done = 0
    searches: tuple[tuple[Kind, list[tuple[str, str]], int], ...] = (
        ("local", pairs, max_local),
        ("global", spans, max_global),
    )
    for kind, tried, wanted in searches:
        found: list[Proposal] = []
        for pair in tried[:MOST_TRIES]:
            if len(found) < wanted:
                found += _accepted(crystal, pair, kind, window)
            done += 1
            if progress:
                progress(done, most)
        if len(found) < wanted and len(tried) > MOST_TRIES:
            left = len(tried) - MOST_TRIES
            notices.append(f"{left} more pairs of axes were not tried for {kind} slices")
        proposals += found
    return Survey(tuple(proposals), tuple(notices))


def _chosen_axes(crystal: Crystal, axes: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the names to pair, and what to say of those left out.

    Raises
    ------
    SymscapeError
        If an axis that is asked for is unknown or double, or there is only one.
    """
    free = [coordinate.name for coordinate in crystal.free_coordinates]
    lattice = lattice_axis_names(crystal.group)
    written = {name.replace("/", ""): name for name in (*free, *lattice)}
    for name in axes:
        if name.replace("/", "") not in written:
            known = ", ".join([*free[:_MOST_NAMED], *lattice])
            raise SymscapeError(
                f"axes: {crystal.formula} in {crystal.symbol} has no free coordinate or lattice "
                f"parameter {name!r}; take two of {known}{did_you_mean(name, [*free, *lattice])}"
            )
    axes = tuple(written[name.replace("/", "")] for name in axes)
    if axes and len(set(axes)) < 2:
        raise SymscapeError("axes: a slice needs two different ones; name two, such as O_x,O_z.")
    if axes:
        return list(dict.fromkeys(axes)), []
    if len(free) <= MOST_COORDINATES:
        return free, []
    order = np.argsort(coordinate_stiffness(crystal), kind="stable")[:MOST_COORDINATES]
    names = [free[k] for k in order]
    left_out = (
        f"of {len(free)} free coordinates the {MOST_COORDINATES} softest by their contacts were "
        f"paired ({', '.join(names)}); name others as axes"
    )
    return names, [left_out]


def _masked_itself(crystal: Crystal) -> list[str]:
    """Say so if the crystal as it is would be masked: probably something is wrong with it."""
    contact = closest_contact(crystal.numbers, crystal.positions @ crystal.lattice, crystal.lattice)
    if contact.ratio >= MASK_RATIO:
        return []
    warning = (
        f"the crystal itself is in the masked region: {contact} is only {contact.ratio:.2f} of the "
        "sum of covalent radii; check the structure"
    )
    return [warning]


def _accepted(
    crystal: Crystal, pair: tuple[str, ...], kind: Kind, window: _Window
) -> list[Proposal]:
    """Return a pair's slice, in a narrower window if need be; none if too much is masked."""
    free = {coordinate.name: k for k, coordinate in enumerate(crystal.free_coordinates)}
    moved = any(name in free for name in pair)
    widths = (window.half_width, window.half_width / 2) if kind == "local" and moved else (0.0,)
    for width in widths:
        first, second = (
            _lattice_axis(crystal, name, window.points)
            if name not in free
            else _local_axis(crystal, free[name], width, window.points)
            if kind == "local"
            else _global_axis(crystal.free_coordinates[free[name]], window.points)
            for name in pair
        )
        proposal = Proposal(Slice(crystal, (first, second)), kind)
        if 1 - proposal.masked_fraction >= _UNMASKED[kind]:
            return [proposal]
    return []


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
    reach = _ANGLE if name in ANGLES else round(_LATTICE_SHARE.get(name, _LENGTH_SHARE) * value, 4)
    return Axis(name, {name: 1.0}, value - reach, value + reach, points, value)


def _pairs_with_lattice(crystal: Crystal) -> list[tuple[str, str]]:
    """Return the pairs that complete one free coordinate, or none, by lattice parameters."""
    known = lattice_axis_names(crystal.group)
    shapes = [name for name in ("c/a", "b/a", *ANGLES) if name in known]
    if crystal.free_coordinates:
        own = crystal.free_coordinates[0].name
        return [(own, name) for name in (*shapes[:1], "volume")]
    return [(shapes[0], other) for other in (*shapes[1:2], "volume")] if shapes else []
