"""The question of volumes: is a rigid crystal as large and as stiff as DFT says?"""

from __future__ import annotations

from dataclasses import dataclass

from symscape.questions.hull import FAILED_CRYSTALS, N_CRYSTALS
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

#: crystals of which the model has energies, but no minimum near DFT's
WITHOUT_MINIMUM = Metric(
    "without_minimum", "without a minimum", counts=True, on_board=True,
    score=Score(
        0.0, 10.0,
        "An element has ten crystals in the reference: as many without a minimum as if one element "
        "had none at all.",
    ),
)  # fmt: skip

EQUATION_OF_STATE = Question(
    "equation_of_state",
    "Equations of state",
    "element_group",
    (
        Metric(
            "epsilon", "epsilon, median", on_board=True,
            score=Score(
                0.06, 1.0,
                "Up to 0.06 the study that defined it calls two curves in excellent agreement "
                "(Bosoni et al., Nat. Rev. Phys. 6, 45 (2024)); at 1 they differ by as much as "
                "the energy varies.",
            ),
        ),
        Metric("good_share", "share with epsilon up to 0.20", ideal=1.0, highest=1.0),
        Metric(
            "volume_error", "mean absolute error of V0", "%", on_board=True,
            score=Score(
                1.0, 20.0,
                "1 % is what functionals of one kind differ by; 20 % is another phase.",
            ),
        ),
        Metric("volume_bias", "mean signed error of V0", "%", signed=True),
        Metric(
            "bulk_modulus_error", "mean absolute error of B0", "%", on_board=True,
            score=Score(
                5.0, 50.0,
                "Functionals of one kind differ by 5 to 10 %. Sound travels with the root of B0: "
                "at 50 % it is 30 % too slow.",
            ),
        ),
        Metric("delta", "Delta, mean", "meV/atom"),
        WITHOUT_MINIMUM,
        N_CRYSTALS,
        FAILED_CRYSTALS,
    ),
    scoring=Scoring(
        "volumes", 0.5,
        "energy against volume of rigid crystals of nearly all elements: size and stiffness",
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
class NotJudged:
    """Crystals on which a model is not judged, and why."""

    reason: str
    crystals: tuple[str, ...]


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
