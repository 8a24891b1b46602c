"""The question of smoothness: steps, kinks and ripples that DFT does not have."""

from __future__ import annotations

from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

SMOOTHNESS = Question(
    "smoothness",
    "Smoothness",
    "slice",
    (
        Metric(
            "rough_points", "rough points", counts=True,
            score=Score(0.0, 2.0, "One step that DFT does not have shows in two grid points."),
        ),
        Metric("max_roughness", "largest roughness"),
        Metric("max_excess", "largest excess", "meV/atom"),
        Metric(
            "max_jump", "largest jump", "meV/atom", on_board=True,
            score=Score(
                0.01, 5.0,
                "Single precision leaves 0.01; from 5 meV/atom on, a step makes wells of its own.",
                logarithmic=True,
            ),
        ),
        Metric(
            "max_kink", "largest kink", "meV/atom/angstrom", on_board=True,
            score=Score(
                2.0, 1000.0, "How those two jumps show in the slope, over the 0.005 Å of a step.",
                logarithmic=True,
            ),
        ),
        Metric("max_ripple", "largest ripple", "meV/atom"),
    ),
    settings={"window": 1000.0},
    scoring=Scoring(
        "smooth", 1.0, "no steps, kinks or ripples that DFT does not have", on_grid=True
    ),
)  # fmt: skip
