"""The question of the minima: are DFT's wells there, in their places, and no others?"""

from __future__ import annotations

from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

MINIMA = Question(
    "minima",
    "Minima",
    "slice",
    (
        Metric(
            "missing_minima", "missing minima", counts=True, on_board=True,
            score=Score(0.0, 1.0, "For such a model a phase does not exist."),
        ),
        Metric(
            "spurious_minima", "spurious minima", counts=True, on_board=True,
            score=Score(0.0, 1.0, "A relaxation can end in a phase that does not exist."),
        ),
        Metric("matched_minima", "matched minima", ideal=None, counts=True),
        Metric(
            "max_displacement", "largest shift of a minimum", "angstrom", on_board=True,
            score=Score(
                0.01, 0.25,
                "Relaxations are converged to about 0.01 Å; minima 0.25 Å apart count as different "
                "ones.",
            ),
        ),
        Metric(
            "max_depth_error", "largest depth error", "meV/atom", on_board=True,
            score=Score(1.0, 70.0, "As the mean absolute error of the energies."),
        ),
        Metric("min_curvature_ratio", "smallest curvature ratio", ideal=1.0),
        Metric("max_curvature_ratio", "largest curvature ratio", ideal=1.0),
        Metric("bottleneck", "bottleneck distance", "meV/atom"),
        Metric("wasserstein", "Wasserstein distance", "meV/atom"),
    ),
    settings={"window": 1000.0, "threshold": 5.0, "radius": 0.25},
    compares_energies=True,
    scoring=Scoring(
        "minima", 1.0, "the minima of DFT, at their places and energies, and no others",
        on_grid=True,
    ),
)  # fmt: skip
