"""What counts on the leaderboard, of the questions about crystals; as `catalogue`."""

from __future__ import annotations

from symscape.leaderboard.scales import MetricScale, QuestionScale

HULL = QuestionScale(
    "hull",
    "hull",
    1.0,
    (
        MetricScale(
            "formation_mae",
            "formation energy",
            "meV/atom",
            5.0,
            100.0,
            "DFT codes agree within a few meV/atom; an error of 100 is as large as that of PBE "
            "against experiment (Kirklin et al., npj Comput. Mater. 1, 15010 (2015)).",
        ),
        MetricScale(
            "above_hull_mae",
            "energy above hull",
            "meV/atom",
            1.0,
            70.0,
            "As the mean absolute error of the energies of a slice.",
        ),
        MetricScale(
            "wrong_order_share",
            "polymorphs in wrong order",
            "",
            0.0,
            0.5,
            "Half of the pairs is what guessing gives.",
        ),
        MetricScale(
            "ground_states_missed",
            "ground states missed",
            "",
            0.0,
            2.0,
            "Compositions whose stable polymorph is another one for the model.",
        ),
    ),
    "formation energies, energies above hull and the order of polymorphs, by chemical system",
)
STABILITY = QuestionScale(
    "stability",
    "stability",
    0.5,
    (
        MetricScale(
            "f1",
            "F1 of stable crystals",
            "",
            0.0,
            1.0,
            "0: nothing that it calls stable is; its value for guessing depends on the crystals.",
            target=1.0,
        ),
    ),
    "who is within 25 meV/atom of the hull, over all crystals",
)
UNDERPREDICTION = QuestionScale(
    "underprediction",
    "bias",
    0.5,
    (
        MetricScale(
            "mean_signed_error",
            "bias of a symmetry class",
            "meV/atom",
            1.0,
            70.0,
            "As the error above hull: a bias that is common to a class does not average out.",
        ),
    ),
    "energies above hull are not too low or too high, for each number of free parameters",
)
RELAXATION = QuestionScale(
    "relaxation",
    "relaxation",
    0.5,
    (
        MetricScale(
            "above_hull_mae_fixed",
            "energy above hull, relaxed",
            "meV/atom",
            1.0,
            70.0,
            "As before relaxation; relaxed at fixed symmetry, as DFT's crystals were.",
        ),
        MetricScale(
            "broken_near_hull",
            "crystals that lose their symmetry",
            "",
            0.0,
            2.0,
            "Crystals near the DFT hull, in a chemical system, that are not minima of the model.",
        ),
        MetricScale(
            "max_volume_change_near_hull",
            "change of volume",
            "",
            0.01,
            0.2,
            "1 % is what functionals of one kind differ by; 20 % is another phase.",
        ),
    ),
    "crystals near the hull keep symmetry, volume and energy when the model relaxes them",
)
