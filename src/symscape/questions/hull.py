"""The question of hulls: are formation energies, hulls and the order of polymorphs DFT's?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import (
    FAILED_CRYSTALS,
    N_CRYSTALS,
    CrystalRow,
    MadeBy,
    by_errors,
    judged_crystals,
    rows_of,
)
from symscape.questions.known import AskedOfCrystals, KnownOfCrystals
from symscape.questions.measures import measured
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring
from symscape.questions.subjects import HullSystem
from symscape.science.hull.polymorphs import Polymorphs, polymorph_order, polymorphs_of
from symscape.science.hull.procedure import ComparisonSettings
from symscape.science.hull.stability import Verdicts, classify

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase


@dataclass(frozen=True)
class HullDetail(MadeBy):
    """What a case about a hull keeps for reports.

    Parameters
    ----------
    crystals
        Those of the system.
    polymorphs
        The order of each composition's.
    """

    crystals: tuple[CrystalRow, ...] = ()
    polymorphs: tuple[Polymorphs, ...] = ()


@dataclass(frozen=True)
class HullMeasure:
    """What computes a metric.

    Parameters
    ----------
    of
        Returns its value.
    errors
        Column of the errors that it is made of: the crystals with the largest are named.
    """

    of: Callable[[ComparedHulls], float]
    errors: str = "error_above_hull"


@dataclass(frozen=True, eq=False)
class ComparedHulls:
    """What the metrics are made of.

    Parameters
    ----------
    crystals
        One row a crystal, as `symscape.science.hull.analysis.compare` returns them.
    order
        The order of their polymorphs, from `symscape.science.hull.polymorphs.polymorph_order`.
    stable
        Whom model and DFT call stable.
    """

    crystals: pd.DataFrame
    order: pd.DataFrame
    stable: Verdicts

    @property
    def formation(self) -> pd.Series[float]:
        """Errors of formation energies, meV/atom."""
        return self.crystals["error_formation"]

    @property
    def above(self) -> pd.Series[float]:
        """Errors of energies above hull, meV/atom."""
        return self.crystals["error_above_hull"]


def judge_hull(
    table: pd.DataFrame,
    subject: HullSystem,
    tolerances: LimitsByCase,
    *,
    model: str,
    **known: Unpack[KnownOfCrystals],
) -> CaseResult:
    """Judge hull and polymorphs of one chemical system.

    Parameters
    ----------
    table
        The system's rows of what `symscape.science.hull.analysis.compare` returned.
    subject
        The chemical system.
    known
        ``fingerprint``, ``seconds``, ``digest`` of the crystals, ``warnings``, and ``missing``, the
        ids of crystals of the case that the model has no energy of: any of them fails it.
    """
    settings = tolerances.case(
        HULL.name, material=subject.material, slice=subject.slice, model=model
    ).settings
    threshold = HULL.setting("threshold", settings)
    order = polymorph_order(table, resolution_meV=HULL.setting("resolution", settings))
    metrics = hull_metrics(table, order, threshold)
    detail = HullDetail(
        crystals=rows_of(table),
        polymorphs=polymorphs_of(order),
        settings=ComparisonSettings.of(order),
    )
    columns = {metric.name: measure.errors for metric, measure in OF_HULLS.items()}
    behind = by_errors(table, columns)
    return judged_crystals(HULL, subject, metrics, detail, behind, tolerances, model, known)


def hull_metrics(table: pd.DataFrame, order: pd.DataFrame, threshold: float) -> dict[str, float]:
    """Return the metrics of crystals whose hulls were compared.

    Parameters
    ----------
    table
        One row a crystal, as `symscape.science.hull.analysis.compare` returns them.
    order
        The order of their polymorphs, from `symscape.science.hull.polymorphs.polymorph_order`.
    threshold
        At most so far above the hull counts as stable, meV/atom.
    """
    stable = classify(
        table["above_hull_dft"].to_numpy(), table["above_hull_model"].to_numpy(), threshold
    )
    found = ComparedHulls(table, order, stable)
    return measured({metric: measure.of for metric, measure in OF_HULLS.items()}, found)


def _wrong_order_share(found: ComparedHulls) -> float:
    pairs = int(found.order["pairs"].sum())
    return float(found.order["wrong_pairs"].sum()) / pairs if pairs else 0.0


def _ask(case: CrystalCase[HullSystem], **known: Unpack[AskedOfCrystals]) -> CaseResult:
    return judge_hull(case.table(), case.subject, case.tolerances, **known)


FORMATION_MAE = Metric(
    "formation_mae", "mean absolute error of formation energies", "meV/atom", on_board=True,
    score=Score(
        5.0, 100.0,
        "DFT codes agree within a few meV/atom; an error of 100 is as large as that of PBE "
        "against experiment (Kirklin et al., npj Comput. Mater. 1, 15010 (2015)).",
    ),
)  # fmt: skip
FORMATION_BIAS = Metric("formation_bias", "bias of formation energies", "meV/atom", signed=True)
ABOVE_HULL_BIAS = Metric(
    "above_hull_bias", "bias of energies above hull", "meV/atom", signed=True, on_board=True
)
ABOVE_HULL_MAE = Metric(
    "above_hull_mae", "MAE of energies above hull", "meV/atom", on_board=True,
    score=Score(1.0, 70.0, "As the mean absolute error of the energies of a slice."),
)  # fmt: skip
WRONG_ORDER_SHARE = Metric(
    "wrong_order_share", "share of polymorphs in wrong order", on_board=True,
    score=Score(0.0, 0.5, "Half of the pairs is what guessing gives."),
)  # fmt: skip
GROUND_STATES_MISSED = Metric(
    "ground_states_missed", "ground states missed", counts=True,
    score=Score(
        0.0, 2.0,
        "Compositions whose stable polymorph is another one for the model.",
    ),
)  # fmt: skip
POLYMORPH_MAE = Metric("polymorph_mae", "MAE of polymorph differences", "meV/atom")
FALSE_STABLE = Metric("false_stable", "unstable called stable", counts=True)
FALSE_UNSTABLE = Metric("false_unstable", "stable called unstable", counts=True)
#: counts that grow with the number of systems
COUNTED = (GROUND_STATES_MISSED, FALSE_STABLE, FALSE_UNSTABLE)

#: metrics, and what computes each of them from the compared hulls
OF_HULLS: dict[Metric, HullMeasure] = {
    FORMATION_MAE: HullMeasure(
        lambda found: float(found.formation.abs().mean()), "error_formation"
    ),
    FORMATION_BIAS: HullMeasure(lambda found: float(found.formation.mean()), "error_formation"),
    ABOVE_HULL_MAE: HullMeasure(lambda found: float(found.above.abs().mean())),
    ABOVE_HULL_BIAS: HullMeasure(lambda found: float(found.above.mean())),
    Metric("max_above_hull_error", "largest error above hull", "meV/atom"): HullMeasure(
        lambda found: float(found.above.abs().max())
    ),
    WRONG_ORDER_SHARE: HullMeasure(_wrong_order_share),
    GROUND_STATES_MISSED: HullMeasure(lambda found: int(found.order["ground_state_missed"].sum())),
    POLYMORPH_MAE: HullMeasure(
        lambda found: float(found.order["mean_error_meV"].mean()) if len(found.order) else 0.0
    ),
    FALSE_STABLE: HullMeasure(lambda found: found.stable.model_only),
    FALSE_UNSTABLE: HullMeasure(lambda found: found.stable.dft_only),
    N_CRYSTALS: HullMeasure(lambda found: len(found.crystals)),
}

HULL = Question(
    "hull",
    "Hull and polymorphs",
    HullSystem,
    (*OF_HULLS, FAILED_CRYSTALS),
    ask=_ask,
    detail=HullDetail,
    settings={"threshold": 25.0, "resolution": 5.0},
    scoring=Scoring(
        "hull", 1.0,
        "formation energies, energies above hull and the order of polymorphs, by chemical system",
    ),
    place=80,
)  # fmt: skip
