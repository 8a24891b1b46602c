"""The question of conservation: forces and stress must be derivatives of the energy."""

from __future__ import annotations

from symscape.questions.hull import FAILED_CRYSTALS
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

_OF_A_CRYSTAL = (
    Metric(
        "symmetric_forces", "forces off symmetry", "meV/angstrom",
        score=Score(
            1.0, 100.0,
            "Relaxations stop at 1 to 10 meV/Å; 100 is the force error of a useful potential.",
            logarithmic=True,
        ),
    ),
    Metric(
        "force_gradient", "force against gradient", "meV/angstrom", on_board=True,
        score=Score(
            1.0, 100.0,
            "Single precision leaves 0.1; forces that are predicted directly are off by 20 to 100.",
            logarithmic=True,
        ),
    ),
    Metric(
        "stress_strain", "stress against strain", "meV/angstrom^3",
        score=Score(
            0.05, 5.0,
            "0.008 GPa and 0.8 GPa: pressures are quoted to the first and mean little at the "
            "second.",
            logarithmic=True,
        ),
    ),
)  # fmt: skip
_CURL = Metric(
    "curl", "work around a loop", "meV/atom",
    score=Score(
        0.1, 10.0,
        "Energy gained in every turn: at 10 meV/atom, the thermal energy of room temperature in "
        "three turns.",
        logarithmic=True,
    ),
)  # fmt: skip
_NEEDS = frozenset(("energy", "forces", "stress"))

CONSERVATIVE_FORCES = Question(
    "conservative_forces",
    "Conservative forces",
    "slice",
    (*_OF_A_CRYSTAL, _CURL),
    needs=_NEEDS,  # type: ignore[arg-type]
    scoring=Scoring("gradients", 0.5, "forces and stress are derivatives of the energy"),
)
CRYSTAL_FORCES = Question(
    "crystal_forces",
    "Forces on crystals",
    "system",
    (*_OF_A_CRYSTAL, FAILED_CRYSTALS),
    needs=_NEEDS,  # type: ignore[arg-type]
)
