"""The question of hulls: are formation energies, hulls and the order of polymorphs DFT's?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symscape.questions.case import CaseResult
from symscape.questions.crystals import (
    FAILED_CRYSTALS,
    N_CRYSTALS,
    OF_HULL,
    by_errors,
    judged_crystals,
    rows_of,
)
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase


def judge_hull(
    table: pd.DataFrame, system: str, tolerances: LimitsByCase, *, model: str, **known: Any
) -> CaseResult:
    """Judge hull and polymorphs of one chemical system.

    Parameters
    ----------
    table
        The system's rows of what `symscape.hull.analysis.compare` returned.
    system
        Chemical system: ``Mg-Si``.
    known
        ``fingerprint``, ``seconds``, ``digest`` of the crystals, ``warnings``, and ``missing``, the
        ids of crystals of the case that the model has no energy of: any of them fails it.
    """
    from symscape.hull.stability import classify, polymorph_order

    settings = tolerances.case("hull", material=system, slice=OF_HULL, model=model).settings
    threshold = HULL.setting("threshold", settings)
    order = polymorph_order(table, resolution_meV=HULL.setting("resolution", settings))
    above = table["above_hull_dft"].to_numpy(), table["above_hull_model"].to_numpy()
    stability = classify(*above, threshold)
    pairs = int(order["pairs"].sum())
    metrics = {
        "formation_mae": float(table["error_formation"].abs().mean()),
        "formation_bias": float(table["error_formation"].mean()),
        "above_hull_mae": float(table["error_above_hull"].abs().mean()),
        "above_hull_bias": float(table["error_above_hull"].mean()),
        "max_above_hull_error": float(table["error_above_hull"].abs().max()),
        "wrong_order_share": float(order["wrong_pairs"].sum()) / pairs if pairs else 0.0,
        "ground_states_missed": int(order["ground_state_missed"].sum()),
        "polymorph_mae": float(order["polymorph_mae"].mean()) if len(order) else 0.0,
        "n_crystals": len(table),
        **{name: stability[name] for name in ("false_stable", "false_unstable")},
    }
    detail = {"crystals": rows_of(table), "polymorphs": order.to_dict("records")}
    detail["settings"] = order.attrs["settings"]
    detail["behind"] = by_errors(table, metrics)
    return judged_crystals(HULL, system, OF_HULL, metrics, detail, tolerances, model, known)


def _ask(case: CrystalCase, **known: Any) -> CaseResult:
    return judge_hull(case.table(), case.material, case.tolerances, **known)


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
    ask=_ask,
    settings={"threshold": 25.0, "resolution": 5.0},
    scoring=Scoring(
        "hull", 1.0,
        "formation energies, energies above hull and the order of polymorphs, by chemical system",
    ),
)  # fmt: skip
