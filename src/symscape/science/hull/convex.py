"""Formation energies and hulls of many crystals: arrays in, arrays out.

Compositions are one sparse array, and each chemical system that is there has one hull (qhull, as
pymatgen has it), so that a hundred thousand crystals take seconds. `symscape.science.hull.phases`
does the same for columns of tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
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
    members: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i in range(len(made)):
        members[tuple(made.codes[made.offsets[i] : made.offsets[i + 1]].tolist())].append(i)
    above = np.zeros(len(made))
    stable: dict[tuple[int, ...], list[int]] = {}
    for system in sorted(members, key=lambda codes: (len(codes), codes)):
        own = np.array(members[system])
        if len(system) == 1:
            above[own] = formation[own]
            continue
        points = _fractions(made, own, system)
        competing = [
            i
            for size in range(2, len(system))
            for part in combinations(system, size)
            for i in stable.get(part, ())
        ]
        below = own[formation[own] < -_ROUNDING]
        # of one composition, the lowest
        lowest = _lowest(_fractions(made, below, system), formation[below])
        phases = np.concatenate([np.array(competing, dtype=int), below[lowest]])
        floor = _hull(_fractions(made, phases, system), formation[phases], points)
        above[own] = formation[own] - floor
        stable[system] = [int(i) for i in own if above[i] <= _ROUNDING and formation[i] < 0]
    return np.maximum(above, 0.0)


def _fractions(made: Compositions, chosen: np.ndarray, system: tuple[int, ...]) -> np.ndarray:
    """Return the fractions of a system's elements, shape (n_chosen, n_elements)."""
    place = {code: k for k, code in enumerate(system)}
    table = np.zeros((len(chosen), len(system)))
    for row, i in enumerate(chosen):
        for entry in range(made.offsets[i], made.offsets[i + 1]):
            table[row, place[int(made.codes[entry])]] = made.fractions[entry]
    return table


def _lowest(points: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Return the place of the lowest of each composition."""
    order = np.argsort(energies, kind="stable")
    first: dict[bytes, int] = {}
    for place, point in zip(order.tolist(), np.round(points[order], 10), strict=True):
        first.setdefault(point.tobytes(), place)
    return np.sort(np.fromiter(first.values(), dtype=np.intp, count=len(first)))


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
    from scipy.sparse import csr_matrix

    shape = (len(made), len(made.elements))
    fractions = csr_matrix((made.fractions, made.codes, made.offsets), shape=shape)
    normal = (fractions.T @ fractions).toarray()
    constants = np.linalg.lstsq(normal, fractions.T @ errors, rcond=None)[0]
    return errors - made.weighted(constants)
