"""The question of hulls: are formation energies, hulls and the order of polymorphs DFT's?"""

from __future__ import annotations

from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

#: crystals of which the model gave no energy
FAILED_CRYSTALS = Metric("failed_crystals", "crystals without energy", counts=True)
N_CRYSTALS = Metric("n_crystals", "crystals", ideal=None, counts=True)

HULL = Question(
    "hull",
    "Hull and polymorphs",
    "system",
    (
        Metric(
            "formation_mae", "mean absolute error of formation energies", "meV/atom", on_board=True,
            score=Score(
                5.0, 100.0,
                "DFT codes agree within a few meV/atom; an error of 100 is as large as that of PBE "
                "against experiment (Kirklin et al., npj Comput. Mater. 1, 15010 (2015)).",
            ),
        ),
        Metric("formation_bias", "bias of formation energies", "meV/atom", signed=True),
        Metric(
            "above_hull_mae", "MAE of energies above hull", "meV/atom", on_board=True,
            score=Score(1.0, 70.0, "As the mean absolute error of the energies of a slice."),
        ),
        Metric(
            "above_hull_bias", "bias of energies above hull", "meV/atom", signed=True,
            on_board=True,
        ),
        Metric("max_above_hull_error", "largest error above hull", "meV/atom"),
        Metric(
            "wrong_order_share", "share of polymorphs in wrong order", on_board=True,
            score=Score(0.0, 0.5, "Half of the pairs is what guessing gives."),
        ),
        Metric(
            "ground_states_missed", "ground states missed", counts=True,
            score=Score(
                0.0, 2.0,
                "Compositions whose stable polymorph is another one for the model.",
            ),
        ),
        Metric("polymorph_mae", "MAE of polymorph differences", "meV/atom"),
        Metric("false_stable", "unstable called stable", counts=True),
        Metric("false_unstable", "stable called unstable", counts=True),
        N_CRYSTALS,
        FAILED_CRYSTALS,
    ),
    settings={"threshold": 25.0, "resolution": 5.0},
    scoring=Scoring(
        "hull", 1.0,
        "formation energies, energies above hull and the order of polymorphs, by chemical system",
    ),
)  # fmt: skip
