"""The question of prototypes: by how much does an element prefer one structure to another?"""

from __future__ import annotations

from dataclasses import dataclass

from symscape.questions.equation_of_state import WITHOUT_MINIMUM, NotJudged
from symscape.questions.hull import FAILED_CRYSTALS
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

PROTOTYPE_DIFFERENCES = Question(
    "prototype_differences",
    "Differences between prototypes",
    "prototype",
    (
        Metric(
            "mae", "mean absolute error", "meV/atom", on_board=True,
            score=Score(
                1.0, 70.0,
                "Codes agree within 0.7 meV/atom in the median; 70 as for slices, since prototypes "
                "of an element are polymorphs.",
            ),
        ),
        Metric("mean_signed_error", "mean signed error", "meV/atom", signed=True, on_board=True),
        Metric(
            "softening_scale", "softening scale", ideal=1.0, on_board=True,
            score=Score(0.0, 0.5, "As the softening scale of a slice."),
        ),
        Metric(
            "wrong_order_share", "share of polymorphs in wrong order", on_board=True,
            score=Score(0.0, 0.5, "Half of the pairs is what guessing gives."),
        ),
        WITHOUT_MINIMUM,
        Metric("n_differences", "differences judged", ideal=None, counts=True),
        FAILED_CRYSTALS,
    ),
    settings={"window": 1000.0},
    scoring=Scoring(
        "prototypes", 0.5,
        "energies of an element's simple cubic, bcc, fcc and diamond crystals relative to the "
        "lowest",
    ),
)  # fmt: skip


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
