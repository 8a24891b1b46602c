"""Minima and saddles of a model against those of DFT."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from symscape.science.landscape.geometry import GridGeometry
from symscape.science.landscape.minima import (
    EQUAL_DIGITS,
    PERSISTENCE_THRESHOLD,
    Minimum,
    StationaryPoint,
    Topology,
    topology,
)
from symscape.science.landscape.paths import EnergyPath, Passes, along
from symscape.science.landscape.persistence import bottleneck_distance, wasserstein_distance

#: angstrom: minima further apart are different minima
MATCHING_RADIUS = 0.25
#: eV/atom above the DFT minimum: what lies higher is not asked for
TOPOLOGY_WINDOW = 1.0


@dataclass(frozen=True)
class MatchedMinimum:
    """A DFT minimum and the model's version of it.

    Parameters
    ----------
    reference, model
        The two minima.
    displacement
        Root-mean-square atomic displacement between them in angstrom.
    depth_error
        Model's energy at its minimum minus DFT's at its own, in meV/atom.
    curvatures_reference, curvatures_model
        Eigenvalues of the Hessians in meV/atom/angstrom^2, ascending, NaN where one could not be
        fitted.
    """

    reference: Minimum
    model: Minimum
    displacement: float
    depth_error: float
    curvatures_reference: tuple[float, float]
    curvatures_model: tuple[float, float]

    @property
    def softening(self) -> tuple[float, float]:
        """Model's curvatures divided by DFT's; below 1 the model is too soft."""
        a, b = zip(self.curvatures_model, self.curvatures_reference, strict=True)
        return a[0] / a[1], b[0] / b[1]


@dataclass(frozen=True)
class MatchedSaddle:
    """The lowest pass between two matched minima, on both surfaces.

    Parameters
    ----------
    minima
        Which pairs of `TopologyComparison.matched` it connects, the shallower in DFT first.
    reference, model
        The highest points of the two lowest passes; the model's is None where masked points part
        its minima.
    energy_error
        Model minus DFT, energies above the common zero, in meV/atom.
    barrier_error
        The same for the climb from the shallower of the two minima, in meV/atom.
    displacement
        Root-mean-square atomic displacement between the two saddles in angstrom.
    """

    minima: tuple[int, int]
    reference: StationaryPoint
    model: StationaryPoint
    energy_error: float
    barrier_error: float
    displacement: float


@dataclass(frozen=True, eq=False)
class TopologyComparison:
    """What the model's landscape has and DFT's has not, and the other way round.

    Parameters
    ----------
    reference, model
        The two surfaces.
    matched
        Pairs of minima of which at least one is deep enough to be asked for.
    missing
        DFT minima without a partner. One on the grid's edge is no minimum for sure and is left
        out.
    spurious
        Minima of the model without a partner, those on the grid's edge left out.
    edge_missing, edge_spurious
        Those left out because they lie on the grid's edge.
    saddles
        Lowest passes between matched minima: a minimum spanning tree of them in DFT.
    bottleneck_meV, wasserstein_meV
        Distances of the persistence diagrams in meV/atom.
    passes
        Lowest passes of both surfaces.
    """

    reference: Topology
    model: Topology
    matched: tuple[MatchedMinimum, ...]
    missing: tuple[Minimum, ...]
    spurious: tuple[Minimum, ...]
    edge_missing: tuple[Minimum, ...]
    edge_spurious: tuple[Minimum, ...]
    saddles: tuple[MatchedSaddle, ...]
    bottleneck_meV: float
    wasserstein_meV: float
    passes: tuple[Passes, Passes] = field(repr=False)

    @property
    def expected_saddles(self) -> int:
        """How many saddles DFT has between minima that are asked for."""
        lonely = [*self.missing, *self.edge_missing]
        asked = [m.reference for m in self.matched if self.reference.persistent(m.reference)]
        return sum(m.saddle is not None for m in [*asked, *lonely])

    @property
    def lost_saddles(self) -> int:
        """How many of them the model does not have between the same minima."""
        asked = [self.reference.persistent(m.reference) for m in self.matched]
        found = sum(asked[s.minima[0]] and asked[s.minima[1]] for s in self.saddles)
        return max(self.expected_saddles - found, 0)

    @property
    def softenings(self) -> np.ndarray:
        """Ratios of all principal curvatures, model's to DFT's, as far as known, shape (n,)."""
        ratios = np.array([m.softening for m in self.matched]).ravel()
        return ratios[np.isfinite(ratios)]

    def paths(self, saddle: MatchedSaddle) -> tuple[EnergyPath, EnergyPath]:
        """Return the lowest paths through a matched saddle, DFT's and the model's.

        Both carry the energies of both surfaces, so that DFT's path shows what the model makes of
        it and the other way round.
        """
        pairs = [self.matched[k] for k in saddle.minima]
        both = []
        for side, name in zip(self.passes, ("reference", "model"), strict=True):
            ends = [getattr(pair, name) for pair in pairs]
            points = side.lowest_path(*ends)
            if points is None:  # pragma: no cover - there is a saddle, so there is a path
                raise ValueError("masked points part the two minima")
            both.append(along(points, self.reference, self.model))
        return both[0], both[1]


def compare_topology(
    reference: np.ndarray,
    model: np.ndarray,
    geometry: GridGeometry | None = None,
    *,
    threshold: float = PERSISTENCE_THRESHOLD,
    radius: float = MATCHING_RADIUS,
    window: float = TOPOLOGY_WINDOW,
) -> TopologyComparison:
    """Compare the minima and saddles of two surfaces on one grid.

    Parameters
    ----------
    reference, model
        Energies in eV/atom above the common zero, shape (n_u, n_v), NaN where masked. Points that
        only one of them has are used for neither.
    geometry
        Distances and periods; default: one angstrom per step, open.
    threshold
        Persistence in eV/atom from which a well is asked for. A shallower one may still be the
        partner of one that is deeper, so that no well comes and goes by a hair's breadth.
    radius
        Largest displacement in angstrom of matched minima.
    window
        Minima higher than this many eV/atom are not asked for, and persistence diagrams are
        capped here.

    Raises
    ------
    ValueError
        If the shapes differ or there is no point that both have.
    """
    reference, model = np.asarray(reference, dtype=float), np.asarray(model, dtype=float)
    if reference.shape != model.shape:
        raise ValueError(f"grids differ in shape: {reference.shape} and {model.shape}")
    geometry = geometry or GridGeometry()
    both = np.isfinite(reference) & np.isfinite(model)
    a = topology(np.where(both, reference, np.nan), geometry, threshold=threshold)
    b = topology(np.where(both, model, np.nan), geometry, threshold=threshold)
    found = assign(a, b, radius, window)
    partners = {i for i, _ in found}, {j for _, j in found}
    lonely = [
        [m for k, m in enumerate(side.minima) if k not in taken and _asked(side, m, window)]
        for side, taken in zip((a, b), partners, strict=True)
    ]
    matched = tuple(_matched(a.minima[i], b.minima[j], geometry) for i, j in found)
    diagrams = a.diagram(window), b.diagram(window)
    passes = Passes(a), Passes(b)
    return TopologyComparison(
        a,
        b,
        matched,
        tuple(m for m in lonely[0] if not m.on_edge),
        tuple(m for m in lonely[1] if not m.on_edge),
        tuple(m for m in lonely[0] if m.on_edge),
        tuple(m for m in lonely[1] if m.on_edge),
        _match_saddles(passes, matched),
        bottleneck_distance(*diagrams),
        wasserstein_distance(*diagrams),
        passes,
    )


def assign(a: Topology, b: Topology, radius: float, window: float) -> list[tuple[int, int]]:
    """Pair the minima of two surfaces by optimal assignment.

    As many as possible of the minima that are asked for find a partner within ``radius``
    angstrom; among such assignments the one with the least sum of displacements is taken. Pairs
    of which neither is asked for are left out, and a faint well on the edge of the grid is no
    partner.

    Returns
    -------
    list of (int, int)
        Indices into ``a.minima`` and ``b.minima``, in the order of ``a``.
    """
    from scipy.optimize import linear_sum_assignment

    if not a.minima or not b.minima:
        return []
    positions = [np.array([m.position for m in side.minima]) for side in (a, b)]
    distance = a.geometry.distance(positions[0][:, None], positions[1][None])
    asked = [np.array([_asked(side, m, window) for m in side.minima], float) for side in (a, b)]
    edge = [np.array([m.on_edge for m in side.minima]) for side in (a, b)]
    fit = [(k > 0) | ~e for k, e in zip(asked, edge, strict=True)]
    close = (distance <= radius) & fit[0][:, None] & fit[1][None]
    # one more minimum served outweighs any sum of displacements
    worth = (asked[0][:, None] + asked[1][None]) * (1 + min(distance.shape))
    cost = np.where(close, distance / radius - 1e-3 - worth, 1e-6)
    rows, columns = linear_sum_assignment(cost)
    return [
        (int(i), int(j))
        for i, j in zip(rows, columns, strict=True)
        if close[i, j] and (asked[0][i] or asked[1][j])
    ]


def curvatures(minimum: Minimum, geometry: GridGeometry) -> tuple[float, float]:
    """Eigenvalues of the Hessian in meV/atom/angstrom^2, ascending.

    Second derivatives of the energy per atom with respect to the root-mean-square atomic
    displacement in the plane of the slice: the generalized eigenvalues of the Hessian and the
    metric. NaN where the minimum could not be fitted.
    """
    from scipy.linalg import eigh

    if minimum.hessian is None:
        return float("nan"), float("nan")
    low, high = 1000 * eigh(np.array(minimum.hessian), geometry.metric, eigvals_only=True)
    return float(low), float(high)


def _asked(side: Topology, minimum: Minimum, window: float) -> bool:
    return side.persistent(minimum) and minimum.energy <= window


def _matched(reference: Minimum, model: Minimum, geometry: GridGeometry) -> MatchedMinimum:
    return MatchedMinimum(
        reference,
        model,
        float(geometry.distance(np.array(reference.position), np.array(model.position))),
        1000 * (model.energy - reference.energy),
        curvatures(reference, geometry),
        curvatures(model, geometry),
    )


def _match_saddles(
    passes: tuple[Passes, Passes], matched: tuple[MatchedMinimum, ...]
) -> tuple[MatchedSaddle, ...]:
    """Join the matched minima by DFT's lowest passes and look up the model's passes between them.

    Passes between pairs of minima, and not the merging of one well with whichever is deeper: with
    two wells of nearly equal depth, which of them is the deeper is an accident.
    """
    from itertools import combinations

    candidates = []
    for i, j in combinations(range(len(matched)), 2):
        saddle = passes[0].saddle(matched[i].reference, matched[j].reference)
        if saddle is not None:
            candidates.append((round(saddle.energy, EQUAL_DIGITS), i, j, saddle))
    candidates.sort(key=lambda c: c[:3])
    joined = list(range(len(matched)))
    result = []
    for _, i, j, saddle in candidates:
        if joined[i] == joined[j]:
            continue
        joined = [joined[i] if group == joined[j] else group for group in joined]
        other = passes[1].saddle(matched[i].model, matched[j].model)
        if other is not None:
            result.append(
                _matched_saddle(matched, (i, j), saddle, other, passes[0].topology.geometry)
            )
    return tuple(result)


def _matched_saddle(
    matched: tuple[MatchedMinimum, ...],
    pair: tuple[int, int],
    reference: StationaryPoint,
    model: StationaryPoint,
    geometry: GridGeometry,
) -> MatchedSaddle:
    error = 1000 * (model.energy - reference.energy)

    def order(k: int) -> tuple[float, float, int]:
        """Put the shallower well first; of wells that DFT has equally deep the worse one."""
        barrier_error = error - matched[k].depth_error
        depth = round(matched[k].reference.energy, EQUAL_DIGITS)
        return -depth, -round(abs(barrier_error), EQUAL_DIGITS - 3), k

    shallow, deep = sorted(pair, key=order)
    return MatchedSaddle(
        (shallow, deep),
        reference,
        model,
        error,
        error - matched[shallow].depth_error,
        float(geometry.distance(np.array(reference.position), np.array(model.position))),
    )
