"""The question of prototypes: by how much does an element prefer one structure to another?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from symscape.questions.behind import largest, named
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import FAILED_CRYSTALS, judged_crystals
from symscape.questions.energies import MAE, MEAN_SIGNED_ERROR, SOFTENING_SCALE
from symscape.questions.equation_of_state import WITHOUT_MINIMUM
from symscape.questions.hull import WRONG_ORDER_SHARE
from symscape.questions.known import AskedOfCurves, KnownOfCrystals, NotJudged
from symscape.questions.measures import measured, number
from symscape.questions.metric import Metric, Score
from symscape.questions.notes import BehindRow
from symscape.questions.question import Question, Scoring
from symscape.questions.subjects import ElementalPrototype

if TYPE_CHECKING:
    from symscape.questions.asked import CurveCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.equations import EquationsOfState


@dataclass(frozen=True)
class JudgedDifference:
    """How far a prototype of an element lies above the one that is lowest in DFT.

    Parameters
    ----------
    element
        Atomic number.
    lowest
        The prototype that it is compared with: ``FCC``.
    dft, spread, model
        The difference, its standard deviation over the codes, and the model's difference, meV/atom;
        the model's is NaN where it has no minimum.
    """

    element: int
    lowest: str
    dft: float
    spread: float
    model: float


@dataclass(frozen=True)
class DifferencesDetail:
    """What a case about a prototype keeps for reports.

    Parameters
    ----------
    differences
        Those that were judged.
    not_judged
        Crystals of other elements.
    """

    differences: tuple[JudgedDifference, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()


def judge_prototype_differences(
    equations: EquationsOfState,
    model_energies: np.ndarray,
    subject: ElementalPrototype,
    tolerances: LimitsByCase,
    *,
    model: str,
    not_judged: Sequence[NotJudged] = (),
    **known: Unpack[KnownOfCrystals],
) -> CaseResult:
    """Judge how far one prototype of each element lies above the lowest one.

    Parameters
    ----------
    equations
        DFT's, of the elemental crystals of those elements that the model is judged on.
    model_energies
        The model's energies at its own minima, eV/atom, shape (n_crystals,), NaN where it has none.
    subject
        One of `symscape.references.equations.ELEMENTAL`.
    not_judged, known
        As those of `judge_equation_of_state`.
    """
    from symscape.references.equations import ELEMENTAL
    from symscape.science.equation_of_state.prototypes import (
        asked_differences,
        compare_prototypes,
    )

    names = {"material": subject.material, "slice": subject.slice, "model": model}
    settings = tolerances.case(PROTOTYPE_DIFFERENCES.name, **names).settings
    window = PROTOTYPE_DIFFERENCES.setting("window", settings)
    elements, found = compare_prototypes(equations, model_energies)
    column = ELEMENTAL.index(subject.prototype)
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
    sides = found.dft[asked, column], found.model[asked, column]
    metrics = measured(OF_DIFFERENCES, *sides)
    return judged_crystals(
        PROTOTYPE_DIFFERENCES, subject, metrics,
        detail, _behind_differences(subject.prototype, judged),
        tolerances, model, known,
    )  # fmt: skip


def _behind_differences(
    prototype: str, judged: Sequence[JudgedDifference]
) -> dict[str, tuple[BehindRow, ...]]:
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
        MAE.name: by_error,
        MEAN_SIGNED_ERROR.name: by_error,
        SOFTENING_SCALE.name: by_error,
        WRONG_ORDER_SHARE.name: named(table["id"][table["model"] < 0]),
        WITHOUT_MINIMUM.name: named(table["id"][table["model"].isna()]),
    }


def _ask(case: CurveCase[ElementalPrototype], **known: Unpack[AskedOfCurves]) -> CaseResult:
    equations, curves = case.judged_on()
    return judge_prototype_differences(
        equations, curves.energy, case.subject, case.tolerances, **known
    )


N_DIFFERENCES = Metric("n_differences", "differences judged", ideal=None, counts=True)


def _errors(dft: np.ndarray, model: np.ndarray) -> np.ndarray:
    return (model - dft)[np.isfinite(model)]


def _slope(dft: np.ndarray, model: np.ndarray) -> float:
    from symscape.science.equation_of_state.prototypes import slope_through_zero

    return slope_through_zero(dft, model)


#: metrics, and what computes each of them from the judged differences of DFT and model: meV/atom,
#: shape (n_elements,), the model's NaN where it has no minimum
OF_DIFFERENCES: dict[Metric, Callable[[np.ndarray, np.ndarray], float]] = {
    replace(
        MAE,
        score=Score(
            1.0, 70.0,
            "Codes agree within 0.7 meV/atom in the median; 70 as for slices, since prototypes "
            "of an element are polymorphs.",
        ),
    ): lambda dft, model: number(np.mean, np.abs(_errors(dft, model))),
    MEAN_SIGNED_ERROR: lambda dft, model: number(np.mean, _errors(dft, model)),
    replace(SOFTENING_SCALE, score=Score(0.0, 0.5, "As the softening scale of a slice.")): _slope,
    WRONG_ORDER_SHARE: lambda dft, model: number(np.mean, model[np.isfinite(model)] < 0),
    WITHOUT_MINIMUM: lambda dft, model: int((~np.isfinite(model)).sum()),
    N_DIFFERENCES: lambda dft, model: len(dft),
}  # fmt: skip

PROTOTYPE_DIFFERENCES = Question(
    "prototype_differences",
    "Differences between prototypes",
    ElementalPrototype,
    (*OF_DIFFERENCES, FAILED_CRYSTALS),
    ask=_ask,
    detail=DifferencesDetail,
    settings={"window": 1000.0},
    scoring=Scoring(
        "prototypes", 0.5,
        "energies of an element's simple cubic, bcc, fcc and diamond crystals relative to the "
        "lowest",
    ),
    place=150,
)  # fmt: skip
