"""Steps, kinks and ripples of a model's grid that DFT's grid does not have.

A grid is too coarse to see most of them; `symscape.science.contracts.scan` walks in fine steps
where the model can be asked for more points. This is for what a grid does show, against DFT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from symscape.science.landscape.geometry import GridGeometry

Kind = Literal["step", "kink", "ripple"]

#: how many times the usual scatter a second difference must depart from its neighbours
ROUGHNESS_LIMIT = 6.0
#: eV/atom: less is numerical noise of DFT
ROUGHNESS_FLOOR = 0.005
#: eV/atom: what DFT's own energies scatter by, the least that can be usual
_NOISE = 2e-4
#: share of a neighbour's departure that a point needs to be more than its echo
_ECHO = 0.7
#: along the axes and both diagonals
_DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1))
#: median absolute deviation to standard deviation of a normal distribution
_MAD = 1.4826


@dataclass(frozen=True)
class RoughPoint:
    """A grid point at which the model is not as smooth as DFT.

    Parameters
    ----------
    index
        The grid point.
    direction
        Grid steps along which it shows most.
    excess
        By how much the model's second difference, less DFT's, departs from its neighbours', in
        meV/atom: one and a half times the height of a step, the bend of a kink.
    score
        ``excess`` over the scatter that is usual on this grid.
    kind
        ``step`` where two neighbouring second differences are off in opposite directions, as a
        jump between two points makes them; ``ripple`` where three alternate; ``kink`` otherwise.
    """

    index: tuple[int, int]
    direction: tuple[int, int]
    excess: float
    score: float
    kind: Kind


@dataclass(frozen=True, eq=False)
class GridSmoothness:
    """How rough a model's grid is where DFT's is smooth.

    Parameters
    ----------
    score
        Largest score over all directions, shape (n_u, n_v), NaN where no second difference could
        be taken.
    excess
        The departure that it belongs to in meV/atom, shape (n_u, n_v).
    points
        What is off by more than the limits, the worst first.
    """

    score: np.ndarray
    excess: np.ndarray
    points: tuple[RoughPoint, ...]

    @property
    def largest_score(self) -> float:
        """The largest score; 0 where there is none."""
        known = np.isfinite(self.score)
        return float(self.score[known].max()) if known.any() else 0.0

    @property
    def largest_excess(self) -> float:
        """The largest departure of a rough point, meV/atom; 0 where there is none."""
        return max((abs(p.excess) for p in self.points), default=0.0)


def compare_smoothness(
    reference: np.ndarray,
    model: np.ndarray,
    geometry: GridGeometry | None = None,
    *,
    window: float = 1.0,
    limit: float = ROUGHNESS_LIMIT,
    floor: float = ROUGHNESS_FLOOR,
) -> GridSmoothness:
    r"""Compare second differences of model and reference along the axes and both diagonals.

    .. math::

        x_p = D^2 E^{ML}_p - D^2 E^{DFT}_p, \qquad y_p = x_p - (x_{p-1} + x_{p+1}) / 2, \qquad
        r_p = |y_p| / (\sigma + \max_{q \sim p} |z_q|)

    A model that is smooth but wrong has second differences that are off in whole regions; a point
    is rough where they are off against both neighbours along a line, by ``y``. The scale is 1.4826
    times the median of :math:`|y|` along that direction, 0.2 meV/atom at least, plus the same
    departure ``z`` of DFT's own second differences at the point and its neighbours. A point with a
    neighbour that is off by far more is only its echo and does not count.

    Parameters
    ----------
    reference, model
        Energies in eV/atom above the common zero, shape (n_u, n_v), NaN where masked.
    geometry
        Periods; default open.
    window
        Points higher than this many eV/atom in DFT are left out.
    limit
        Score from which a point counts as rough.
    floor
        Points at which ``y`` is less than this many eV/atom never count.
    """
    geometry = geometry or GridGeometry()
    reference = geometry.fold(np.asarray(reference, dtype=float))
    model = geometry.fold(np.asarray(model, dtype=float))
    with np.errstate(invalid="ignore"):
        reference = np.where(reference <= window, reference, np.nan)
    periodic = geometry.periodic()
    lines = [_roughness(reference, model, d, periodic) for d in _DIRECTIONS]
    scores = np.array([np.where(np.isfinite(line.score), line.score, -1.0) for line in lines])
    best = scores.argmax(axis=0)
    score = np.take_along_axis(scores, best[None], axis=0)[0]
    excess = np.take_along_axis(np.array([line.excess for line in lines]), best[None], axis=0)[0]
    unknown = score < 0
    with np.errstate(invalid="ignore"):
        rough = (score > limit) & (np.abs(excess) > floor) & ~_echo(lines, periodic)
    points = [
        RoughPoint(
            (i, j),
            _DIRECTIONS[best[i, j]],
            float(1000 * excess[i, j]),
            float(score[i, j]),
            _kind(lines[best[i, j]].pattern[:, i, j]),
        )
        for i, j in np.argwhere(rough).tolist()
    ]
    points.sort(key=lambda p: -p.score)
    return GridSmoothness(
        np.where(unknown, np.nan, score), np.where(unknown, np.nan, 1000 * excess), tuple(points)
    )


@dataclass(frozen=True, eq=False)
class _Roughness:
    """One direction: y in eV/atom and scores, (n_u, n_v); x of five points in a row, (5, ...)."""

    excess: np.ndarray
    score: np.ndarray
    pattern: np.ndarray


def _roughness(
    reference: np.ndarray,
    model: np.ndarray,
    direction: tuple[int, int],
    periodic: tuple[bool, bool],
) -> _Roughness:
    bend = second_difference(reference, direction, periodic)
    off = second_difference(model, direction, periodic) - bend
    pattern = np.array(
        [_shifted(off, (k * direction[0], k * direction[1]), periodic) for k in range(-2, 3)]
    )
    excess = -second_difference(off, direction, periodic) / 2
    own = np.abs(second_difference(bend, direction, periodic)) / 2
    own = np.where(np.isfinite(own), own, 0.0)
    for sign in (-1, 1):
        step = (sign * direction[0], sign * direction[1])
        own = np.fmax(own, _shifted(own, step, periodic))
    known = np.isfinite(excess)
    if not known.any():
        return _Roughness(excess, np.full(excess.shape, np.nan), pattern)
    scatter = max(_MAD * float(np.median(np.abs(excess[known]))), _NOISE)
    return _Roughness(excess, np.abs(excess) / (scatter + own), pattern)


def _echo(lines: list[_Roughness], periodic: tuple[bool, bool]) -> np.ndarray:
    """Tell which points are off only because a neighbour is off by far more, shape (n_u, n_v).

    Beside a step, a kink or a spike, second differences depart by a third to two thirds as much.
    """
    from scipy.ndimage import maximum_filter1d

    size = np.max([np.nan_to_num(np.abs(line.excess)) for line in lines], axis=0)
    nearby = size
    for axis, wraps in enumerate(periodic):
        nearby = maximum_filter1d(nearby, 3, axis=axis, mode="wrap" if wraps else "nearest")
    return size < _ECHO * nearby


def second_difference(
    energies: np.ndarray, direction: tuple[int, int], periodic: tuple[bool, bool] = (False, False)
) -> np.ndarray:
    """Return E(p + d) - 2 E(p) + E(p - d) in eV/atom, shape (n_u, n_v), NaN at holes and edges.

    Parameters
    ----------
    energies
        eV/atom, shape (n_u, n_v).
    direction
        Grid steps d.
    periodic
        Whether each axis wraps around.
    """
    back = (-direction[0], -direction[1])
    return (
        _shifted(energies, direction, periodic) - 2 * energies + _shifted(energies, back, periodic)
    )


def _shifted(grid: np.ndarray, step: tuple[int, ...], periodic: tuple[bool, bool]) -> np.ndarray:
    """Return the grid's values one step further, NaN beyond an open edge."""
    result = grid
    for axis, (k, wraps) in enumerate(zip(step, periodic, strict=True)):
        result = np.roll(result, -k, axis)
        if k and not wraps:
            border: list[slice] = [slice(None), slice(None)]
            border[axis] = slice(-k, None) if k > 0 else slice(0, -k)
            result[tuple(border)] = np.nan
    return result


def _kind(pattern: np.ndarray) -> Kind:
    """Name the pattern of five second differences in a row, the middle one being off."""
    known = pattern[np.isfinite(pattern)]
    before, here, after = np.nan_to_num(pattern[1:4] - np.median(known))
    opposite = [-side * np.sign(here) > 0.4 * abs(here) for side in (before, after)]
    if all(opposite):
        return "ripple"
    return "step" if any(opposite) else "kink"
