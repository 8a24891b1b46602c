"""Formation energies and hulls of many crystals: arrays in, arrays out.

Compositions are one sparse array, and each chemical system that is there has one hull (qhull, as
pymatgen has it), so that a hundred thousand crystals take seconds. `symscape.science.hull.phases`
does the same for columns of tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from symscape.errors import HullError
from symscape.science.hull.compositions import Compositions

#: energies above hull that are rounding, and planes that stand upright but for rounding
_ROUNDING = 1e-10
#: facets of a hull multiply with its dimension: from so many elements on, linear programs instead
_MANY_ELEMENTS = 6


def element_energies(
    made: Compositions, energies: np.ndarray, names: Iterable[str], method: str = ""
) -> np.ndarray:
    """Return the lowest energy of each element's crystals, eV/atom, shape (n_elements,).

    Parameters
    ----------
    made
        Compositions of the crystals.
    energies
        Total energies, eV/atom, shape (n,), NaN where there is none.
    names
        Of the crystals.
    method
        Whose energies they are, for the message: ``DFT``; may be left open.

    Raises
    ------
    HullError
        If there is no energy of any crystal of an element.
    """
    references = np.full(len(made.elements), np.inf)
    pure = (made.counts == 1) & np.isfinite(energies)
    np.minimum.at(references, made.codes[made.offsets[:-1][pure]], energies[pure])
    lacking = np.flatnonzero(np.isinf(references))
    if len(lacking):
        element = made.elements[lacking[0]]
        owner = np.repeat(np.arange(len(made)), made.counts)
        name = list(names)[int(owner[np.argmax(made.codes == lacking[0])])]
        raise HullError(
            f"the element {element} has no reference energy{method and f' of {method}'}, which "
            f"{name!r} needs; add a crystal of {element} or leave its compounds out."
        )
    return references


def above_elements(made: Compositions, energies: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Return energies of formation from given elements, eV/atom, shape (n,)."""
    return energies - made.weighted(references)


def above_hull(made: Compositions, formation: np.ndarray) -> np.ndarray:
    """Return energies above the hull, eV/atom, shape (n,).

    A crystal's hull is that of its chemical system, for other elements can't take part in its
    decay. Systems are done from small to large, and a larger one needs from its subsystems only
    what is stable there.

    Parameters
    ----------
    made
        Compositions of the crystals.
    formation
        Energies of formation, eV/atom, shape (n,), finite.
    """
    above = np.where(made.counts == 1, formation, 0.0)
    fractions = _in_rows(made)
    stable: dict[tuple[int, ...], _Phases] = {}
    for system, own in _systems(made):
        size = len(system)
        points, energies = fractions[own, :size], formation[own]
        found = [(places, stable[part]) for places, part in _subsystems(system) if part in stable]
        below = np.flatnonzero(energies < -_ROUNDING)
        # of one composition, the lowest
        below = below[_lowest(points[below], energies[below])]
        phases = np.zeros((sum(len(known.energies) for _, known in found) + len(below), size))
        start = 0
        for places, known in found:
            end = start + len(known.energies)
            phases[start:end, places] = known.fractions
            start = end
        phases[start:] = points[below]
        known_energies = [known.energies for _, known in found]
        floor = _hull(phases, np.concatenate([*known_energies, energies[below]]), points)
        above[own] = energies - floor
        kept = (above[own] <= _ROUNDING) & (energies < 0)
        if kept.any():
            stable[system] = _Phases(points[kept], energies[kept])
    return np.maximum(above, 0.0)


@dataclass(frozen=True, eq=False)
class _Phases:
    """What is stable in a chemical system and holds all of its elements.

    Parameters
    ----------
    fractions
        Of the system's elements, shape (n, n_elements).
    energies
        Of formation, eV/atom, shape (n,).
    """

    fractions: np.ndarray
    energies: np.ndarray


def _in_rows(made: Compositions) -> np.ndarray:
    """Return the fractions of each crystal's own elements, zeros behind, shape (n, n_most)."""
    rows = np.zeros((len(made), int(made.counts.max(initial=1))))
    rows[np.arange(rows.shape[1]) < made.counts[:, None]] = made.fractions
    return rows


def _systems(made: Compositions) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Yield the chemical systems of two elements and more, smaller ones first, and their crystals.

    Crystals are given by their places, in ascending order.
    """
    for size in range(2, int(made.counts.max(initial=1)) + 1):
        own = np.flatnonzero(made.counts == size)
        if not len(own):
            continue
        codes = made.codes[made.offsets[own][:, None] + np.arange(size)]
        order = np.lexsort(codes.T[::-1])
        codes, own = codes[order], own[order]
        starts = np.flatnonzero(np.r_[True, (codes[1:] != codes[:-1]).any(axis=1)])
        for system, crystals in zip(codes[starts].tolist(), np.split(own, starts[1:]), strict=True):
            yield tuple(system), crystals


def _subsystems(system: tuple[int, ...]) -> Iterator[tuple[list[int], tuple[int, ...]]]:
    """Yield the smaller systems of two elements and more: places in this one, and the system."""
    for size in range(2, len(system)):
        for places in combinations(range(len(system)), size):
            yield list(places), tuple(system[k] for k in places)


def _lowest(points: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Return the place of the lowest of each composition."""
    if len(energies) < 2:
        return np.arange(len(energies))
    known = points.round(10)
    order = np.lexsort((energies, *known.T))
    known = known[order]
    first = np.concatenate([[True], (known[1:] != known[:-1]).any(axis=1)])
    return np.sort(order[first])


def _hull(phases: np.ndarray, energies: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the hull at compositions, eV/atom, shape (n_points,).

    Parameters
    ----------
    phases
        Fractions of the phases below the line of the elements, shape (n_phases, n_elements); the
        elements, of energy 0, take part without being listed.
    energies
        Of the phases, shape (n_phases,).
    points
        Compositions, shape (n_points, n_elements).
    """
    if not len(phases):
        return np.zeros(len(points))
    if len(phases) == 1:
        # as much of it as its scarcest element allows, and elements
        there = phases[0] > 0
        share: np.ndarray = (points[:, there] / phases[0, there]).min(axis=1)
        return energies[0] * share
    size = points.shape[1]
    phases = np.concatenate([np.eye(size), phases])
    energies = np.concatenate([np.zeros(size), energies])
    if size >= _MANY_ELEMENTS:
        return np.array([_decomposition(phases, energies, point) for point in points])
    from scipy.spatial import ConvexHull

    # the last fraction follows from the others
    equations = ConvexHull(np.column_stack([phases[:, :-1], energies])).equations
    lower = equations[equations[:, -2] < -1e-9]
    # a convex function is the largest of its planes
    planes = -(points[:, :-1] @ lower[:, :-2].T + lower[:, -1]) / lower[:, -2]
    found: np.ndarray = planes.max(axis=1)
    return found


def _decomposition(phases: np.ndarray, energies: np.ndarray, point: np.ndarray) -> float:
    """Return the energy of the best mixture of a composition: a linear program."""
    from scipy.optimize import linprog

    found = linprog(energies, A_eq=phases.T, b_eq=point, bounds=(0, None), method="highs")
    assert found.fun is not None, "the elements alone make every composition"
    return float(found.fun)


def aligned_errors(made: Compositions, errors: np.ndarray) -> np.ndarray:
    """Return errors with the best constant of each element taken out (least squares), shape (n,).

    Parameters
    ----------
    errors
        Of total energies, per atom, shape (n,).
    """
    return errors - made.weighted(made.best_constants(errors))
