"""The question of invariance: energy must not depend on how a crystal is written down."""

from __future__ import annotations

from symscape.questions.hull import FAILED_CRYSTALS
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

_OF_A_CRYSTAL = tuple(
    Metric(name, title, "meV/atom")
    for name, title in (
        ("rotation", "rotation"),
        ("translation", "translation"),
        ("permutation", "permutation"),
        ("supercell", "supercell"),
        ("cell_choice", "choice of cell"),
        ("space_group", "space-group operations"),
    )
)
_LARGEST = Metric(
    "largest", "largest violation", "meV/atom", decimals=4, on_board=True,
    score=Score(
        0.005, 5.0,
        "Single precision leaves 0.002; from 5 meV/atom on, equal structures look like different "
        "phases.",
        logarithmic=True,
    ),
)  # fmt: skip

INVARIANCE = Question(
    "invariance",
    "Invariance",
    "slice",
    (
        *_OF_A_CRYSTAL,
        Metric("equivalent_points", "equivalent grid points", "meV/atom"),
    ),
    scoring=Scoring(
        "symmetry", 0.5,
        "the energy does not depend on orientation, origin, order of atoms or choice of cell",
    ),
    derived=(_LARGEST,),
)  # fmt: skip
CRYSTAL_INVARIANCE = Question(
    "crystal_invariance", "Invariance on crystals", "system", (*_OF_A_CRYSTAL, FAILED_CRYSTALS)
)
