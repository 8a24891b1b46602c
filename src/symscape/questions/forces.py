"""The question of the slopes: do forces along the axes of a slice agree with DFT's?"""

from __future__ import annotations

from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

FORCES = Question(
    "forces",
    "Forces along the axes",
    "slice",
    (
        Metric("force_mae", "mean absolute force error", "meV/atom/angstrom"),
        Metric("force_rmse", "root-mean-square force error", "meV/atom/angstrom"),
        Metric("max_force_error", "largest force error", "meV/atom/angstrom"),
        Metric(
            "relative_force_error", "relative force error", on_board=True,
            score=Score(
                0.0, 1.0,
                "Root-mean-square error over root-mean-square force: 1 for a model that answers "
                "zero everywhere.",
            ),
        ),
        Metric(
            "force_softening", "softening scale of forces", ideal=1.0, on_board=True,
            score=Score(0.0, 0.5, "As the softening scale of the energies."),
        ),
        Metric("n_forces", "forces compared", ideal=None, counts=True),
    ),
    settings={"window": 500.0},
    needs=frozenset({"energy", "forces"}),
    scoring=Scoring("forces", 1.0, "slopes along the axes of the slice against DFT's forces"),
)  # fmt: skip
