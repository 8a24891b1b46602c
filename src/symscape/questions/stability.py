"""The question of stability: whom does the model call stable, over all systems?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symscape.questions.behind import largest
from symscape.questions.case import CaseResult
from symscape.questions.crystals import ALL, ALL_CRYSTALS, FAILED_CRYSTALS, judged_crystals
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase


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


def judge_stability(
    table: pd.DataFrame, tolerances: LimitsByCase, *, model: str, **known: Any
) -> CaseResult:
    """Judge over all systems whom the model calls stable."""
    from symscape.hull.stability import classify

    settings = tolerances.case("stability", material=ALL_CRYSTALS, slice=ALL, model=model).settings
    threshold = STABILITY.setting("threshold", settings)
    above = table["above_hull_dft"].to_numpy(), table["above_hull_model"].to_numpy()
    metrics = {
        **classify(*above, threshold),
        **{f"{name}_at_0": value for name, value in classify(*above, 0.0).items() if name != "n"},
        "threshold": threshold,
    }
    stable = 1000 * table[["above_hull_dft", "above_hull_model"]] <= threshold
    wrong = table["id"][stable["above_hull_model"] & ~stable["above_hull_dft"]]
    detail = {"false_stable": list(wrong), "settings": table.attrs.get("settings", {})}
    differ = table[stable["above_hull_model"] != stable["above_hull_dft"]]
    detail["behind"] = dict.fromkeys(metrics, largest(differ, "error_above_hull"))
    return judged_crystals(STABILITY, ALL_CRYSTALS, ALL, metrics, detail, tolerances, model, known)


def _ask(case: CrystalCase, **known: Any) -> CaseResult:
    return judge_stability(case.table(), case.tolerances, **known)


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
    ask=_ask,
    settings={"threshold": 25.0},
    scoring=Scoring("stability", 0.5, "who is within 25 meV/atom of the hull, over all crystals"),
)
