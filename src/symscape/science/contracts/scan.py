"""Steps, kinks and ripples of the energy along a line, found without any reference.

A line is walked in steps of 0.005 angstrom, far less than any length on which the energy of a
crystal varies. What then changes from one step to the next, and is not explained by the steps
around it, is the potential's own doing: a neighbour list that cuts off sharply, a graph that is
rewired, a table that is not smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symscape.crystal.crystal import Crystal
from symscape.crystal.slice import Slice
from symscape.crystal.structures import Structures
from symscape.crystal.tangents import displacement_metric
from symscape.science.contracts.details import Roughness
from symscape.science.contracts.potential import Potential
from symscape.science.contracts.result import (
    DEFAULT_SETTINGS,
    ContractResult,
    ContractSettings,
)

#: angstrom
SCAN_STEP = 0.005
#: eV/atom above the lowest point of a line: steeper ground is not looked at
SCAN_WINDOW = 1.0
#: angstrom over which a ripple is told apart from the landscape by a polynomial of fourth order
_RIPPLE_WIDTH = 0.2
#: angstrom and strain by which the contract moves a crystal to either side
_REACH, _STRAIN = 0.15, 0.05


@dataclass(frozen=True, eq=False)
class LineScan:
    """Energies along a line, and the worst things about them.

    Parameters
    ----------
    name
        Which line: an axis's name, or ``diagonal``.
    distance
        Root-mean-square atomic displacement along the line in angstrom, shape (n,).
    energies
        eV/atom, shape (n,), NaN where unknown.
    values
        What the line runs over, axis values of shape (n, 2) or strain and amplitudes (n,).
    jump
        Largest change of energy in one step that the steps before and after it don't lead to
        expect, meV/atom.
    jump_at
        Number of the point before that step, -1 if the line is too short to tell.
    kink
        Largest change of slope at one point that the points around it don't explain,
        meV/atom/angstrom. A step of height J also shows here, as J over the step length.
    ripple
        Largest distance of the energy from a polynomial of fourth order fitted to the 0.2 angstrom
        around it, meV/atom.
    """

    name: str
    distance: np.ndarray
    energies: np.ndarray
    values: np.ndarray
    jump: float
    jump_at: int
    kink: float
    ripple: float


def measure_line(
    name: str,
    distance: np.ndarray,
    energies: np.ndarray,
    values: np.ndarray,
    window: float = SCAN_WINDOW,
) -> LineScan:
    """Look for steps, kinks and ripples in energies at evenly spaced points.

    Parameters
    ----------
    name, distance, energies, values
        As of `LineScan`.
    window
        Points higher than this many eV/atom above the lowest are left out.
    """
    energies = np.asarray(energies, dtype=float)
    low = np.isfinite(energies)
    if low.any():
        low &= energies <= np.where(low, energies, np.inf).min() + window
    jump, jump_at, kink, ripple = 0.0, -1, 0.0, 0.0
    for part in _runs(low):
        piece = energies[part]
        h = float(distance[part][1] - distance[part][0]) if len(piece) > 1 else 1.0
        step = np.diff(piece)
        odd = _unexpected(step)
        if odd.size and (jump_at < 0 or 1000 * odd.max() > jump):
            jump, jump_at = float(1000 * odd.max()), part.start + 3 + int(odd.argmax())
        bends = _outside(np.diff(step), (2, 3))
        kink = max(kink, float(1000 * bends.max(initial=0.0) / h))
        ripple = max(ripple, _ripple(piece, h))
    return LineScan(name, distance, energies, values, jump, jump_at, kink, ripple)


def scan_slice(
    energy: Callable[[np.ndarray], np.ndarray],
    slice: Slice,
    start: tuple[float, float],
    *,
    step: float = SCAN_STEP,
    mask: np.ndarray | None = None,
) -> tuple[LineScan, LineScan, LineScan]:
    """Scan a slice along both axes and along a diagonal, through one point.

    Parameters
    ----------
    energy
        Returns eV/atom, shape (n,), at axis values of shape (n, 2). Called once.
    slice
        Sets the range and what a step means in angstrom.
    start
        Axis values of the point that all three lines go through: a minimum.
    step
        Root-mean-square atomic displacement from point to point in angstrom.
    mask
        Grid points to keep away from, shape (n_u, n_v), default those of the slice. A line ends
        before the first grid cell that has a masked corner.

    Returns
    -------
    tuple of LineScan
        Along the first axis, the second, and the diagonal of the grid's rectangle.
    """
    mask = slice.mask if mask is None else mask
    metric = displacement_metric(slice)
    low = np.array([axis.start for axis in slice.axes])
    spans = np.array([axis.stop - axis.start for axis in slice.axes])
    origin = np.array(start, dtype=float)
    names = (slice.axes[0].name, slice.axes[1].name, "diagonal")
    lines = []
    for direction in (spans * [1, 0], spans * [0, 1], spans):
        unit = direction * step / np.sqrt(direction @ metric @ direction)
        count = int(np.ceil(np.abs(spans / np.where(unit == 0, np.inf, unit)).max())) + 1
        places = np.arange(-count, count + 1)
        values = origin + places[:, None] * unit
        lines.append(values[_reachable(places, (values - low) / spans, mask)])
    energies = energy(np.concatenate(lines))
    result = []
    for name, values, part in zip(
        names, lines, np.split(energies, np.cumsum([len(v) for v in lines])[:-1]), strict=True
    ):
        result.append(measure_line(name, step * np.arange(len(values)), part, values))
    return result[0], result[1], result[2]


def smoothness(
    model: Potential, crystal: Crystal, settings: ContractSettings = DEFAULT_SETTINGS
) -> ContractResult:
    """Find the largest jump of the energy, meV/atom, as a crystal is expanded and distorted.

    A uniform strain of up to 5 % to either side, which carries neighbours across any cut-off, and
    every free Wyckoff coordinate by up to 0.15 angstrom, in steps of 0.005 angstrom. ``detail`` has
    the largest ``kink`` (meV/atom/angstrom) and ``ripple`` (meV/atom) as well.
    """
    base = Structures.from_atoms([crystal.to_atoms(primitive=True)])
    numbers, positions, cell = base.arrays(0)
    spacing = float(np.cbrt(abs(np.linalg.det(cell)) / len(numbers)))
    strains = np.arange(-_STRAIN, _STRAIN, SCAN_STEP / spacing)
    scales = 1 + strains[:, None, None]
    names = ["volume"]
    lines = [spacing * strains]
    parts = [(positions * scales, cell * scales)]
    for k, free in enumerate(crystal.free_coordinates):
        move = crystal.B[crystal.primitive_atoms, :, k] @ crystal.lattice
        move = move - move.mean(axis=0)
        length = np.sqrt((move**2).sum(axis=1).mean())
        amounts = np.arange(-_REACH, _REACH + SCAN_STEP / 2, SCAN_STEP)
        names.append(free.name)
        lines.append(amounts)
        parts.append(
            (
                positions + amounts[:, None, None] * move / length,
                np.tile(cell, (len(amounts), 1, 1)),
            )
        )
    structures = Structures.stack(
        numbers, np.concatenate([p for p, _ in parts]), np.concatenate([c for _, c in parts])
    )
    energies = model.energies(structures) / len(numbers)
    ends = np.cumsum([len(line) for line in lines])[:-1]
    scans = [
        measure_line(name, line, part, line)
        for name, line, part in zip(names, lines, np.split(energies, ends), strict=True)
    ]
    worst = max(scans, key=lambda scan: scan.jump)
    return ContractResult(
        worst.jump,
        "meV/atom",
        Roughness(
            worst.name,
            float(worst.distance[max(worst.jump_at, 0)]),
            max(scan.kink for scan in scans),
            max(scan.ripple for scan in scans),
            len(structures),
        ),
    )


def _unexpected(steps: np.ndarray) -> np.ndarray:
    """Distance of each value from what three values on either side of it lead to expect.

    Each side extrapolates linearly and quadratically. Anything between the four answers is
    expected: they differ little on a smooth line, and beside a kink the two sides disagree.
    """
    inner = len(steps) - 6
    if inner < 1:
        return np.zeros(0)
    answers = []
    for sign in (-1, 1):
        near, mid, far = (steps[3 + sign * k : 3 + sign * k + inner] for k in (1, 2, 3))
        answers += [2 * near - mid, 3 * near - 3 * mid + far]
    return _beyond(steps[3 : 3 + inner], answers)


def _outside(values: np.ndarray, reach: tuple[int, ...]) -> np.ndarray:
    """Distance of each value from the range of those ``reach`` to either side of it."""
    most = max(reach)
    inner = len(values) - 2 * most
    if inner < 1:
        return np.zeros(0)
    around = [values[most + k : most + k + inner] for r in reach for k in (-r, r)]
    return _beyond(values[most : most + inner], around)


def _beyond(values: np.ndarray, around: list[np.ndarray]) -> np.ndarray:
    above, below = values - np.max(around, axis=0), np.min(around, axis=0) - values
    return np.maximum(np.maximum(above, below), 0.0)


def _ripple(energies: np.ndarray, step: float) -> float:
    from scipy.signal import savgol_filter

    width = 2 * round(_RIPPLE_WIDTH / step / 2) + 1
    if width < 7 or len(energies) < width:
        return 0.0
    return float(1000 * np.abs(energies - savgol_filter(energies, width, 4)).max())


def _runs(chosen: np.ndarray) -> list[slice]:
    """Return stretches of consecutive true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _reachable(places: np.ndarray, fractions: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tell which points of a line can be reached from its origin inside the grid and unmasked.

    Parameters
    ----------
    places
        Numbers of the points, 0 at the origin, shape (n,).
    fractions
        Positions as fractions of the grid's rectangle, shape (n, 2).
    mask
        Shape (n_u, n_v).
    """
    inside = ((fractions >= -1e-9) & (fractions <= 1 + 1e-9)).all(axis=1)
    last = np.array(mask.shape) - 1
    index = np.clip(fractions, 0, 1) * last
    below = np.minimum(np.floor(index + 1e-9).astype(int), last)
    above = np.minimum(np.ceil(index - 1e-9).astype(int), last)
    for i in (below[:, 0], above[:, 0]):
        for j in (below[:, 1], above[:, 1]):
            inside &= ~mask[i, j]
    blocked_up = places[(places >= 0) & ~inside].min(initial=places.max() + 1)
    blocked_down = places[(places <= 0) & ~inside].max(initial=places.min() - 1)
    return (places > blocked_down) & (places < blocked_up)
