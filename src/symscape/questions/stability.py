"""The question of stability: whom does the model call stable, over all systems?"""

from __future__ import annotations

from symscape.questions.hull import FAILED_CRYSTALS
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring


def _metrics(end: str = "", where: str = "", score: Score | None = None) -> tuple[Metric, ...]:
    """Metrics at one threshold; ``where`` says which, in words."""
    return (
        Metric(f"stable{end}", f"stable for both{where}", ideal=None, counts=True),
        Metric(f"false_stable{end}", f"unstable called stable{where}", counts=True),
        Metric(f"false_unstable{end}", f"stable called unstable{where}", counts=True),
        Metric(f"unstable{end}", f"unstable for both{where}", ideal=None, counts=True),
        Metric(f"false_stable_share{end}", f"share of unstable called stable{where}"),
        Metric(f"false_unstable_share{end}", f"share of stable called unstable{where}"),
        Metric(f"precision{end}", f"precision{where}", ideal=1.0, highest=1.0),
        Metric(f"recall{end}", f"recall{where}", ideal=1.0, highest=1.0),
        Metric(
            f"f1{end}", f"F1 of stability{where}", ideal=1.0, highest=1.0, score=score,
            on_board=score is not None,
        ),
    )  # fmt: skip


STABILITY = Question(
    "stability",
    "Stability",
    "all_crystals",
    (
        *_metrics(
            score=Score(
                0.0,
                1.0,
                "0: nothing that it calls stable is; its value for guessing depends on the "
                "crystals.",
            )
        ),
        *_metrics("_at_0", " on the hull"),
        Metric("n", "crystals judged", ideal=None, counts=True),
        FAILED_CRYSTALS,
    ),
    settings={"threshold": 25.0},
    scoring=Scoring("stability", 0.5, "who is within 25 meV/atom of the hull, over all crystals"),
)
