"""The question of the second paper: are the energies of a symmetry class too low?"""

from __future__ import annotations

from symscape.questions.hull import FAILED_CRYSTALS, N_CRYSTALS
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

_BIAS_SCORE = Score(
    1.0, 70.0, "As the error above hull: a bias that is common to a class does not average out."
)
_OF = {"": "", "formation_": " of formation energies", "total_": " of total energies"}
_ENDS = {"": "", "_low": ", lower end", "_high": ", upper end"}


def _metrics(prefix: str, end: str) -> tuple[Metric, ...]:
    """Return three metrics of one energy: the value, or one end of its bootstrap interval."""
    words = f"{_OF[prefix]}{_ENDS[end]}"
    judged = not prefix and not end
    return (
        Metric(
            f"{prefix}mean_signed_error{end}", f"mean signed error{words}", "meV/atom",
            signed=True, score=_BIAS_SCORE if judged else None, on_board=judged,
        ),
        Metric(f"{prefix}mae{end}", f"mean absolute error{words}", "meV/atom"),
        Metric(f"{prefix}share_underpredicted{end}", f"share underpredicted{words}", ideal=None),
    )  # fmt: skip


UNDERPREDICTION = Question(
    "underprediction",
    "Underprediction by symmetry",
    "symmetry_class",
    (
        *(metric for prefix in _OF for end in _ENDS for metric in _metrics(prefix, end)),
        N_CRYSTALS,
        FAILED_CRYSTALS,
    ),
    scoring=Scoring(
        "bias",
        0.5,
        "energies above hull are not too low or too high, for each number of free parameters",
    ),
)
