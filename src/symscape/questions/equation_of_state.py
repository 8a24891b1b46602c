"""The question of volumes: is a rigid crystal as large and as stiff as DFT says?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from symscape.questions.behind import largest, named
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import FAILED_CRYSTALS, N_CRYSTALS, judged_crystals
from symscape.questions.known import AskedOfCurves, KnownOfCrystals, NotJudged
from symscape.questions.measures import measured, number
from symscape.questions.metric import Metric, Score
from symscape.questions.notes import BehindRow
from symscape.questions.question import Question, Scoring
from symscape.questions.subjects import ElementGroup

if TYPE_CHECKING:
    from symscape.questions.asked import CurveCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.birch_murnaghan import BirchMurnaghan
    from symscape.references.equations import EquationsOfState
    from symscape.science.equation_of_state.compare import CurveErrors

#: what is kept of an energy, an angstrom^3 or a per cent
_DIGITS = 6

#: crystals of which the model has energies, but no minimum near DFT's
WITHOUT_MINIMUM = Metric(
    "without_minimum", "without a minimum", counts=True, on_board=True,
    score=Score(
        0.0, 10.0,
        "An element has ten crystals in the reference: as many without a minimum as if one element "
        "had none at all.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """A third-order Birch-Murnaghan curve from its own minimum; NaN where there is none.

    Parameters
    ----------
    volume
        V0, angstrom^3/atom.
    bulk_modulus
        B0, eV/angstrom^3.
    derivative
        B1.
    """

    volume: float
    bulk_modulus: float
    derivative: float


@dataclass(frozen=True)
class JudgedCurve:
    """One crystal of a case: both curves and how far they are apart.

    Parameters
    ----------
    id
        ``Ti-BCC``.
    element
        Atomic number of what is not oxygen.
    dft, model
        The curves.
    epsilon
        No unit.
    delta
        meV/atom.
    volume_error, bulk_modulus_error
        Signed, per cent of DFT's.
    """

    id: str
    element: int
    dft: Curve
    model: Curve
    epsilon: float
    delta: float
    volume_error: float
    bulk_modulus_error: float


@dataclass(frozen=True)
class CurvesDetail:
    """What a case about equations of state keeps for reports.

    Parameters
    ----------
    curves
        The crystals that were judged, those without a minimum among them.
    not_judged
        The others of the group.
    """

    curves: tuple[JudgedCurve, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()


def judge_equation_of_state(
    equations: EquationsOfState,
    model_curves: BirchMurnaghan,
    subject: ElementGroup,
    tolerances: LimitsByCase,
    *,
    model: str,
    not_judged: Sequence[NotJudged] = (),
    **known: Unpack[KnownOfCrystals],
) -> CaseResult:
    """Judge a model's curves of the crystals of a group of the periodic table.

    Parameters
    ----------
    equations
        DFT's, of those crystals of the group that the model is judged on and gave energies of.
    model_curves
        The model's of the same crystals, NaN where it has no minimum.
    subject
        The group.
    not_judged
        The other crystals of the group.
    known
        ``fingerprint``, ``digest`` of the reference, and ``missing``, the ids of crystals of the
        case that the model has no energy of: any of them fails it.
    """
    from symscape.science.equation_of_state.compare import CurveErrors

    errors = CurveErrors.of(model_curves, equations.average)
    metrics = measured(OF_CURVES, errors)
    detail = CurvesDetail(_judged_curves(equations, model_curves, errors), tuple(not_judged))
    behind = _behind_curves(equations, errors)
    return judged_crystals(
        EQUATION_OF_STATE, subject, metrics, detail, behind,
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


def _behind_curves(
    equations: EquationsOfState, errors: CurveErrors
) -> dict[str, tuple[BehindRow, ...]]:
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
        EPSILON.name: by_epsilon,
        GOOD_SHARE.name: by_epsilon,
        VOLUME_ERROR.name: by_volume,
        VOLUME_BIAS.name: by_volume,
        BULK_MODULUS_ERROR.name: largest(table, "bulk_modulus", "%"),
        DELTA.name: largest(table, "delta"),
        WITHOUT_MINIMUM.name: named(table["id"][table["epsilon"].isna()]),
    }


def _ask(case: CurveCase[ElementGroup], **known: Unpack[AskedOfCurves]) -> CaseResult:
    equations, curves = case.with_energies()
    return judge_equation_of_state(equations, curves, case.subject, case.tolerances, **known)


EPSILON = Metric(
    "epsilon", "epsilon, median", on_board=True,
    score=Score(
        0.06, 1.0,
        "Up to 0.06 the study that defined it calls two curves in excellent agreement "
        "(Bosoni et al., Nat. Rev. Phys. 6, 45 (2024)); at 1 they differ by as much as "
        "the energy varies.",
    ),
)  # fmt: skip
VOLUME_ERROR = Metric(
    "volume_error", "mean absolute error of V0", "%", on_board=True,
    score=Score(
        1.0, 20.0, "1 % is what functionals of one kind differ by; 20 % is another phase."
    ),
)  # fmt: skip
BULK_MODULUS_ERROR = Metric(
    "bulk_modulus_error", "mean absolute error of B0", "%", on_board=True,
    score=Score(
        5.0, 50.0,
        "Functionals of one kind differ by 5 to 10 %. Sound travels with the root of B0: "
        "at 50 % it is 30 % too slow.",
    ),
)  # fmt: skip
DELTA = Metric("delta", "Delta, mean", "meV/atom")
GOOD_SHARE = Metric("good_share", "share with epsilon up to 0.20", ideal=1.0, highest=1.0)
VOLUME_BIAS = Metric("volume_bias", "mean signed error of V0", "%", signed=True)


def _median_epsilon(found: CurveErrors) -> float:
    # the median, since one crystal of which nothing is right may have an epsilon of ten
    return number(np.median, found.epsilon[found.known])


def _share_in_agreement(found: CurveErrors) -> float:
    from symscape.science.equation_of_state.compare import GOOD

    # a crystal without a minimum is in no agreement: its epsilon is NaN
    return number(np.mean, found.epsilon <= GOOD)


#: metrics, and what computes each of them from the errors of the curves
OF_CURVES: dict[Metric, Callable[[CurveErrors], float]] = {
    EPSILON: _median_epsilon,
    GOOD_SHARE: _share_in_agreement,
    VOLUME_ERROR: lambda found: number(np.mean, np.abs(found.volume[found.known])),
    VOLUME_BIAS: lambda found: number(np.mean, found.volume[found.known]),
    BULK_MODULUS_ERROR: lambda found: number(np.mean, np.abs(found.bulk_modulus[found.known])),
    DELTA: lambda found: number(np.mean, found.delta[found.known]),
    WITHOUT_MINIMUM: lambda found: int((~found.known).sum()),
    N_CRYSTALS: lambda found: len(found.epsilon),
}

EQUATION_OF_STATE = Question(
    "equation_of_state",
    "Equations of state",
    ElementGroup,
    (*OF_CURVES, FAILED_CRYSTALS),
    ask=_ask,
    detail=CurvesDetail,
    scoring=Scoring(
        "volumes", 0.5,
        "energy against volume of rigid crystals of nearly all elements: size and stiffness",
    ),
    place=140,
)  # fmt: skip
