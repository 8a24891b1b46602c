"""The question of stability: whom does the model call stable, over all systems?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from symscape.questions.behind import largest
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import FAILED_CRYSTALS, MadeBy, judged_crystals
from symscape.questions.hull import FALSE_STABLE, FALSE_UNSTABLE
from symscape.questions.known import AskedOfCrystals, KnownOfCrystals
from symscape.questions.measures import measured
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring
from symscape.questions.subjects import AllCrystals
from symscape.science.hull.procedure import ComparisonSettings
from symscape.science.hull.stability import Verdicts, classify

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase

#: what ends the names of the metrics at a threshold of 0
ON_THE_HULL = "_at_0"
N = Metric("n", "crystals judged", ideal=None, counts=True)


def _measures(
    end: str = "", where: str = "", score: Score | None = None
) -> dict[Metric, Callable[[Verdicts], float]]:
    """Metrics at one threshold and what computes them; ``where`` says which, in words."""
    return {
        Metric(f"stable{end}", f"stable for both{where}", ideal=None, counts=True): (
            lambda found: found.both
        ),
        Metric(f"{FALSE_STABLE.name}{end}", f"{FALSE_STABLE.title}{where}", counts=True): (
            lambda found: found.model_only
        ),
        Metric(f"{FALSE_UNSTABLE.name}{end}", f"{FALSE_UNSTABLE.title}{where}", counts=True): (
            lambda found: found.dft_only
        ),
        Metric(f"unstable{end}", f"unstable for both{where}", ideal=None, counts=True): (
            lambda found: found.neither
        ),
        Metric(f"false_stable_share{end}", f"share of unstable called stable{where}"): (
            lambda found: found.model_only_share
        ),
        Metric(f"false_unstable_share{end}", f"share of stable called unstable{where}"): (
            lambda found: found.dft_only_share
        ),
        Metric(f"precision{end}", f"precision{where}", ideal=1.0, highest=1.0): (
            lambda found: found.precision
        ),
        Metric(f"recall{end}", f"recall{where}", ideal=1.0, highest=1.0): (
            lambda found: found.recall
        ),
        Metric(
            f"f1{end}", f"F1 of stability{where}", ideal=1.0, highest=1.0, score=score,
            on_board=score is not None,
        ): lambda found: found.harmonic_mean,
    }  # fmt: skip


_NEAR_HULL = _measures(
    score=Score(
        0.0,
        1.0,
        "0: nothing that it calls stable is; its value for guessing depends on the crystals.",
    )
)
_ON_HULL = _measures(ON_THE_HULL, " on the hull")
(FALSE_STABLE_SHARE,) = (metric for metric in _NEAR_HULL if metric.name == "false_stable_share")
(F1,) = (metric for metric in _NEAR_HULL if metric.score)


@dataclass(frozen=True)
class StabilityDetail(MadeBy):
    """What a case about stability keeps.

    Parameters
    ----------
    false_stable
        Ids of the crystals that the model calls stable and DFT doesn't; None where they are not
        told.
    threshold
        At most so far above the hull counted as stable, meV/atom. Results of earlier versions have
        it among the metrics.
    """

    false_stable: tuple[str, ...] | None = None
    threshold: float | None = None


def stability_metrics(found: Verdicts, end: str = "") -> dict[str, float]:
    """Return the metrics at one threshold, without what depends on it.

    Parameters
    ----------
    end
        What ends their names: empty, or `ON_THE_HULL`.
    """
    if end:
        return measured(_ON_HULL, found)
    return {N.name: found.count, **measured(_NEAR_HULL, found)}


def judge_stability(
    table: pd.DataFrame, tolerances: LimitsByCase, *, model: str, **known: Unpack[KnownOfCrystals]
) -> CaseResult:
    """Judge over all systems whom the model calls stable."""
    subject = AllCrystals()
    settings = tolerances.case(
        STABILITY.name, material=subject.material, slice=subject.slice, model=model
    ).settings
    threshold = STABILITY.setting("threshold", settings)
    above = table["above_hull_dft"].to_numpy(), table["above_hull_model"].to_numpy()
    metrics = {
        **stability_metrics(classify(*above, threshold)),
        **stability_metrics(classify(*above, 0.0), ON_THE_HULL),
    }
    stable = 1000 * table[["above_hull_dft", "above_hull_model"]] <= threshold
    wrong = table["id"][stable["above_hull_model"] & ~stable["above_hull_dft"]]
    detail = StabilityDetail(
        false_stable=tuple(map(str, wrong)),
        threshold=threshold,
        settings=ComparisonSettings.of(table),
    )
    differ = table[stable["above_hull_model"] != stable["above_hull_dft"]]
    behind = dict.fromkeys(metrics, largest(differ, "error_above_hull"))
    return judged_crystals(STABILITY, subject, metrics, detail, behind, tolerances, model, known)


def _ask(case: CrystalCase[AllCrystals], **known: Unpack[AskedOfCrystals]) -> CaseResult:
    return judge_stability(case.table(), case.tolerances, **known)


STABILITY = Question(
    "stability",
    "Stability",
    AllCrystals,
    (
        *_NEAR_HULL,
        *_ON_HULL,
        N,
        FAILED_CRYSTALS,
    ),
    ask=_ask,
    detail=StabilityDetail,
    settings={"threshold": 25.0},
    scoring=Scoring("stability", 0.5, "who is within 25 meV/atom of the hull, over all crystals"),
    place=90,
)
