"""The questions about equations of state: volumes and stiffness, differences between prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symscape.decode import encode
from symscape.equation_of_state.compare import CurveErrors
from symscape.equation_of_state.prototypes import (
    asked_differences,
    compare_prototypes,
    prototype_summary,
)
from symscape.questions.case import CaseResult
from symscape.questions.equation_of_state import Curve, CurvesDetail, JudgedCurve, NotJudged
from symscape.questions.prototype_differences import (
    PROTOTYPE_DIFFERENCES,
    DifferencesDetail,
    JudgedDifference,
)
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import ELEMENTAL, EquationsOfState
from symscape.verdict.behind import largest, named
from symscape.verdict.hull import judge_crystals

if TYPE_CHECKING:
    from symscape.verdict.tolerances import Tolerances

#: what stands for the slice of a case about a prototype
PROTOTYPE = "prototype"
#: what is kept of an energy, an angstrom^3 or a per cent
_DIGITS = 6


def judge_equation_of_state(
    equations: EquationsOfState,
    model_curves: BirchMurnaghan,
    group: str,
    symbols: str,
    tolerances: Tolerances,
    *,
    model: str,
    not_judged: Sequence[NotJudged] = (),
    **known: Any,
) -> CaseResult:
    """Judge a model's curves of the crystals of a group of the periodic table.

    Parameters
    ----------
    equations
        DFT's, of those crystals of the group that the model is judged on and gave energies of.
    model_curves
        The model's of the same crystals, NaN where it has no minimum.
    group, symbols
        ``group-4`` and ``Ti-Zr-Hf``.
    not_judged
        The other crystals of the group.
    known
        ``fingerprint``, ``digest`` of the reference, and ``missing``, the ids of crystals of the
        case that the model has no energy of: any of them fails it.
    """
    errors = CurveErrors.of(model_curves, equations.average)
    metrics = errors.summary()
    detail = CurvesDetail(_judged_curves(equations, model_curves, errors), tuple(not_judged))
    behind = _behind_curves(equations, errors)
    return judge_crystals(
        "equation_of_state", group, symbols, metrics, {**encode(detail), "behind": behind},
        tolerances, model, known,
    )  # fmt: skip


def judge_prototype_differences(
    equations: EquationsOfState,
    model_energies: np.ndarray,
    prototype: str,
    tolerances: Tolerances,
    *,
    model: str,
    not_judged: Sequence[NotJudged] = (),
    **known: Any,
) -> CaseResult:
    """Judge how far one prototype of each element lies above the lowest one.

    Parameters
    ----------
    equations
        DFT's, of the elemental crystals of those elements that the model is judged on.
    model_energies
        The model's energies at its own minima, eV/atom, shape (n_crystals,), NaN where it has none.
    prototype
        One of `symscape.references.equations.ELEMENTAL`.
    not_judged, known
        As those of `judge_equation_of_state`.
    """
    names = {"material": prototype, "slice": PROTOTYPE, "model": model}
    settings = tolerances.case("prototype_differences", **names).settings
    window = PROTOTYPE_DIFFERENCES.setting("window", settings)
    elements, found = compare_prototypes(equations, model_energies)
    column = ELEMENTAL.index(prototype)
    asked = asked_differences(found, column, window)
    judged = tuple(
        JudgedDifference(
            int(elements[row]),
            ELEMENTAL[found.lowest[row]],
            *(round(float(x[row, column]), 3) for x in (found.dft, found.spread, found.model)),
        )
        for row in np.flatnonzero(asked)
    )
    detail = DifferencesDetail(judged, tuple(not_judged))
    return judge_crystals(
        "prototype_differences", prototype, PROTOTYPE, prototype_summary(found, column, window),
        {**encode(detail), "behind": _behind_differences(prototype, judged)},
        tolerances, model, known,
    )  # fmt: skip


def _judged_curves(
    equations: EquationsOfState, model_curves: BirchMurnaghan, errors: CurveErrors
) -> tuple[JudgedCurve, ...]:
    def number(values: np.ndarray, k: int) -> float:
        return round(float(values[k]), _DIGITS)

    def curve(curves: BirchMurnaghan, k: int) -> Curve:
        shape = (curves.volume, curves.bulk_modulus, curves.derivative)
        return Curve(*(number(values, k) for values in shape))

    measures = (errors.epsilon, errors.delta, errors.volume, errors.bulk_modulus)
    return tuple(
        JudgedCurve(
            name,
            int(equations.elements[k]),
            curve(equations.average, k),
            curve(model_curves, k),
            *(number(values, k) for values in measures),
        )
        for k, name in enumerate(equations.ids)
    )


def _behind_curves(equations: EquationsOfState, errors: CurveErrors) -> dict[str, Any]:
    """Name the crystals with the largest errors of the kind that each metric is made of."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "id": equations.ids,
            "epsilon": errors.epsilon,
            "delta": errors.delta,
            "volume": errors.volume / 100,
            "bulk_modulus": errors.bulk_modulus / 100,
        }
    )
    by_epsilon, by_volume = largest(table, "epsilon", ""), largest(table, "volume", "%")
    return {
        "epsilon": by_epsilon,
        "good_share": by_epsilon,
        "volume_error": by_volume,
        "volume_bias": by_volume,
        "bulk_modulus_error": largest(table, "bulk_modulus", "%"),
        "delta": largest(table, "delta"),
        "without_minimum": named(table["id"][table["epsilon"].isna()]),
    }


def _behind_differences(prototype: str, judged: Sequence[JudgedDifference]) -> dict[str, Any]:
    """Name the crystals with the largest errors, and those in wrong order or without a number."""
    import pandas as pd
    from ase.data import chemical_symbols

    table = pd.DataFrame(
        {
            "id": [f"{chemical_symbols[d.element]}-{prototype}" for d in judged],
            "error": [d.model - d.dft for d in judged],
            "model": [d.model for d in judged],
        }
    )
    by_error = largest(table, "error")
    return {
        "mae": by_error,
        "mean_signed_error": by_error,
        "softening_scale": by_error,
        "wrong_order_share": named(table["id"][table["model"] < 0]),
        "without_minimum": named(table["id"][table["model"].isna()]),
    }
