"""The question of the barriers between minima."""

from __future__ import annotations

from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

SADDLES = Question(
    "saddles",
    "Saddles and barriers",
    "slice",
    (
        Metric(
            "missing_saddles", "missing saddles", counts=True,
            score=Score(0.0, 1.0, "A transition that does not exist for the model."),
        ),
        Metric("matched_saddles", "matched saddles", ideal=None, counts=True),
        Metric(
            "max_barrier_error", "largest barrier error", "meV/atom", on_board=True,
            score=Score(
                1.0, 50.0,
                "In a cell of six atoms at room temperature each 10 meV/atom change rates tenfold: "
                "at 50 they are off by five orders of magnitude.",
            ),
        ),
        Metric("mean_barrier_error", "mean barrier error", "meV/atom", signed=True),
        Metric("max_saddle_error", "largest saddle error", "meV/atom"),
    ),
    settings={"window": 1000.0, "threshold": 5.0, "radius": 0.25},
    compares_energies=True,
    scoring=Scoring("saddles", 1.0, "the barriers between the minima", on_grid=True),
)  # fmt: skip
