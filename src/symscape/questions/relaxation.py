"""The question of relaxation: do crystals near the hull stay what they are?"""

from __future__ import annotations

from symscape.questions.hull import FAILED_CRYSTALS, N_CRYSTALS
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

RELAXATION = Question(
    "relaxation",
    "Relaxation by the model",
    "system",
    (
        Metric(
            "above_hull_mae_fixed", "MAE above hull, relaxed at fixed symmetry", "meV/atom",
            score=Score(
                1.0, 70.0,
                "As before relaxation; relaxed at fixed symmetry, as DFT's crystals were.",
            ),
        ),
        Metric("above_hull_mae_free", "MAE above hull, relaxed without symmetry", "meV/atom"),
        Metric(
            "broken_near_hull", "symmetries broken near the hull", counts=True, on_board=True,
            score=Score(
                0.0, 2.0,
                "Crystals near the DFT hull, in a chemical system, that are not minima of the "
                "model.",
            ),
        ),
        Metric("max_gained_near_hull", "largest gain near the hull", "meV/atom"),
        Metric(
            "max_volume_change_near_hull", "largest volume change near the hull",
            score=Score(
                0.01, 0.2,
                "1 % is what functionals of one kind differ by; 20 % is another phase.",
            ),
        ),
        Metric("broken_share", "share of broken symmetries"),
        Metric("not_converged", "relaxations not converged", counts=True),
        N_CRYSTALS,
        FAILED_CRYSTALS,
    ),
    settings={"near": 25.0},
    needs=frozenset({"energy", "forces", "stress"}),
    scoring=Scoring(
        "relaxation", 0.5,
        "crystals near the hull keep symmetry, volume and energy when the model relaxes them",
    ),
)  # fmt: skip
