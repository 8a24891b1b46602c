"""The question of the relative energies: does the model's landscape follow DFT point by point?"""

from __future__ import annotations

from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

#: meV/atom above the DFT minimum up to which the leaderboard scores
SCORED_WINDOW = 500.0

ENERGIES = Question(
    "energies",
    "Relative energies",
    "slice",
    (
        Metric(
            "mae", "mean absolute error", "meV/atom", on_board=True,
            score=Score(
                1.0, 70.0,
                "The references are converged to 1 meV/atom. Nine of ten known metastable crystals "
                "lie within 67 meV/atom of the stable one (Sun et al., Sci. Adv. 2, e1600225 "
                "(2016)): an error of that size cannot tell what can be made from what cannot.",
            ),
        ),
        Metric("rmse", "root-mean-square error", "meV/atom"),
        Metric(
            "max_error", "largest error", "meV/atom", on_board=True,
            score=Score(
                5.0, 250.0,
                "Half of the judged window: a point in its upper half then looks like one at the "
                "bottom. A single point of DFT may be off by a few meV/atom.",
            ),
        ),
        Metric("mean_signed_error", "mean signed error", "meV/atom", signed=True, on_board=True),
        # half of the points of a model without bias are too low, by however little
        Metric("share_underpredicted", "share underpredicted", ideal=None, on_board=True),
        Metric(
            "softening_scale", "softening scale", ideal=1.0, on_board=True,
            score=Score(0.0, 0.5, "Frequencies go with its root: at 0.5 they are 30 % too low."),
        ),
        Metric(
            "spearman", "rank correlation", ideal=1.0, highest=1.0, on_board=True,
            score=Score(
                0.0, 0.5,
                "At 0.5 a third of all pairs of points is in the wrong order (of normally "
                "distributed energies, Kendall's tau is then 0.35).",
            ),
        ),
        Metric("shape_rmse", "shape error", "meV/atom"),
        Metric("n_points", "points compared", ideal=None, counts=True),
        Metric("failed_points", "points without energy", counts=True),
    ),
    settings={"window": 500.0},
    compares_energies=True,
    scoring=Scoring(
        "energies", 1.0,
        f"relative energies point by point, up to {SCORED_WINDOW:g} meV/atom above the DFT minimum",
        on_grid=True,
    ),
)  # fmt: skip
