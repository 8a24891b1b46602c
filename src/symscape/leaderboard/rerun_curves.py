"""Equations of state of a submission, computed again for some of the crystals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from symscape.leaderboard.curves import CurveAnswers
    from symscape.models.evaluate import Evaluator
    from symscape.references.birch_murnaghan import BirchMurnaghan
    from symscape.references.equations import EquationsOfState

#: meV/atom by which two curves of one model may be apart, each from its own minimum: an energy is
#: off by the same at every volume, so that curves agree better than energies do
CURVE_AGREEMENT = 0.1
#: eV/angstrom^3, 0.16 GPa: whether a curve as flat as that has a minimum at all, rounding decides
FLAT = 1e-3


def curve_differences(
    answers: CurveAnswers,
    equations: EquationsOfState | None,
    potential: Evaluator,
    chosen: np.ndarray,
    agreement: float,
) -> Iterator[str]:
    """Hold the curves of some crystals, and their energies, against the stated ones.

    Parameters
    ----------
    chosen
        Indices of crystals. The lowest prototypes of their elements are asked as well: differences
        are stated from there.
    agreement
        Of energy differences between prototypes, meV/atom.
    """
    from symscape.leaderboard.curves import curve_answers, stated_curves
    from symscape.science.equation_of_state.model_curves import sample_curves

    if not len(chosen) or equations is None:
        return
    asked = np.union1d(chosen, _zeros(equations, chosen))
    fitted = sample_curves(potential, equations[asked]).fitted
    again = fitted.each(lambda values: _spread(values, asked, len(equations)))
    stated = stated_curves(answers, equations)
    flat = _flat(again, stated)
    sure = chosen[~flat[chosen]]
    yield from _other_shapes(again[sure], stated[sure], [equations.ids[k] for k in sure])
    flat_elements = equations.elements[np.intersect1d(_zeros(equations, chosen), flat.nonzero()[0])]
    found = curve_answers(again, equations).differences
    for k in sure[~np.isin(equations.elements[sure], flat_elements)]:
        element, name = int(equations.elements[k]), equations.names[k]
        said = answers.differences.get(name, {}).get(element)
        if said is not None and not _agree(found[name][element], said, agreement):
            yield (
                f"{equations.ids[k]}: the model gives {found[name][element]:.1f} meV/atom above "
                f"the element's lowest prototype, the file says {said:.1f}"
            )


def _zeros(equations: EquationsOfState, chosen: np.ndarray) -> np.ndarray:
    """Return the indices of the prototypes that differences of chosen crystals are taken from."""
    from symscape.leaderboard.curves import lowest_prototypes

    lowest = lowest_prototypes(equations)
    return np.array(
        [
            k
            for k, element in enumerate(equations.elements)
            if element in equations.elements[chosen]
            and equations.names[k] == lowest.get(int(element))
        ],
        dtype=int,
    )


def _flat(again: BirchMurnaghan, stated: BirchMurnaghan) -> np.ndarray:
    """Return where one side has no minimum and the other's is none to speak of, shape (n,)."""
    one_sided = np.isnan(again.volume) != np.isnan(stated.volume)
    return one_sided & (np.fmax(again.bulk_modulus, stated.bulk_modulus) < FLAT)


def _spread(values: np.ndarray, indices: np.ndarray, count: int) -> np.ndarray:
    found = np.full(count, np.nan)
    found[indices] = values
    return found


def _other_shapes(
    again: BirchMurnaghan, stated: BirchMurnaghan, ids: Sequence[str]
) -> Iterator[str]:
    from symscape.science.equation_of_state.compare import delta

    off = delta(again, stated)
    for k, name in enumerate(ids):
        neither = np.isnan(again.volume[k]) and np.isnan(stated.volume[k])
        if not neither and not off[k] <= CURVE_AGREEMENT:
            yield (
                f"the equation of state of {name}: the model gives V0 {again.volume[k]:.3f} "
                f"angstrom^3/atom and B0 {again.bulk_modulus[k]:.3f} eV/angstrom^3, the file says "
                f"{stated.volume[k]:.3f} and {stated.bulk_modulus[k]:.3f}"
            )


def _agree(one: float, other: float, agreement: float) -> bool:
    """Whether two numbers agree; where the model has no minimum, both must be NaN."""
    return bool(abs(one - other) <= agreement or (np.isnan(one) and np.isnan(other)))
