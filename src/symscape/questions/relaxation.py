"""The question of relaxation: do crystals near the hull stay what they are?"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Unpack

from symscape.questions.behind import largest, named
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import FAILED_CRYSTALS, N_CRYSTALS, MadeBy, judged_crystals
from symscape.questions.known import AskedOfCrystals, KnownOfCrystals
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring
from symscape.questions.subjects import HullSystem
from symscape.science.hull.procedure import ComparisonSettings

if TYPE_CHECKING:
    import pandas as pd

    from symscape.questions.asked import CrystalCase
    from symscape.questions.limits import LimitsByCase


@dataclass(frozen=True)
class RelaxedRow:
    """What became of a crystal (`symscape.science.hull.relax.Relaxed`).

    Parameters
    ----------
    gained
        By breaking the symmetry, meV/atom.
    """

    id: str
    energy_fixed: float
    energy_free: float
    gained: float
    kept_symmetry: bool
    space_group: int
    space_group_free: int
    volume_change: float
    lattice_change: float
    converged_fixed: bool
    converged_free: bool
    steps: int


@dataclass(frozen=True)
class RelaxationDetail(MadeBy):
    """What a case about relaxation keeps: its crystals, and what made their energies."""

    relaxed: tuple[RelaxedRow, ...] = ()


def judge_relaxation(
    table: pd.DataFrame,
    subject: HullSystem,
    tolerances: LimitsByCase,
    *,
    model: str,
    near_meV: float = 25.0,
    **known: Unpack[KnownOfCrystals],
) -> CaseResult:
    """Judge what becomes of a system's crystals when the model relaxes them.

    Parameters
    ----------
    table
        The system's rows with ``above_hull_dft``, the columns of
        `symscape.science.hull.relax.relax_table`, and ``error_fixed`` and ``error_free``, the
        errors of the energies above hull after both relaxations (meV/atom). Symmetry and volume are
        judged on those that DFT puts near the hull: far above it a crystal may well be unstable in
        truth.
    near_meV
        What is near, meV/atom.
    """
    near = table[1000 * table["above_hull_dft"] <= near_meV]
    metrics = {
        "above_hull_mae_fixed": float(table["error_fixed"].abs().mean()),
        "above_hull_mae_free": float(table["error_free"].abs().mean()),
        "broken_near_hull": int((~near["kept_symmetry"].astype(bool)).sum()),
        "max_gained_near_hull": float(near["gained"].max()),
        "max_volume_change_near_hull": float(near["volume_change"].abs().max()),
        BROKEN_SHARE.name: float((~table["kept_symmetry"].astype(bool)).mean()),
        "not_converged": int((~table["converged_fixed"].astype(bool)).sum()),
        N_CRYSTALS.name: len(table),
    }
    columns = [column.name for column in fields(RelaxedRow)]
    rows = tuple(RelaxedRow(*row) for row in table[columns].itertuples(index=False))
    detail = RelaxationDetail(relaxed=rows, settings=ComparisonSettings.of(table))
    broken = named(table["id"][~table["kept_symmetry"].astype(bool)])
    behind = {
        "above_hull_mae_fixed": largest(table, "error_fixed"),
        "above_hull_mae_free": largest(table, "error_free"),
        "broken_near_hull": named(near["id"][~near["kept_symmetry"].astype(bool)]),
        "max_gained_near_hull": largest(near, "gained"),
        "max_volume_change_near_hull": largest(near, "volume_change", "%"),
        BROKEN_SHARE.name: broken,
        "not_converged": named(table["id"][~table["converged_fixed"].astype(bool)]),
    }
    unsure = [*not_determined(table), *lost_symmetry(table)]
    known["warnings"] = [*known.get("warnings", ()), *unsure]
    return judged_crystals(RELAXATION, subject, metrics, detail, behind, tolerances, model, known)


def not_determined(table: pd.DataFrame) -> list[str]:
    """Name the crystals whose volume depends on where the relaxation began, a sentence each.

    Parameters
    ----------
    table
        Rows with ``id``, ``volume_change`` and, as far as it is known, ``volume_change_again``.
    """
    from symscape.science.hull.relax import SAME_VOLUME

    if "volume_change_again" not in table:
        return []
    apart = (table["volume_change"] - table["volume_change_again"]).abs() > SAME_VOLUME
    return [
        f"{row['id']}: where it relaxes to is not determined; its volume changed by "
        f"{100 * row['volume_change']:+.0f} %, and by {100 * row['volume_change_again']:+.0f} % "
        "from a start 0.3 % larger"
        for _, row in table[apart].iterrows()
    ]


def lost_symmetry(table: pd.DataFrame) -> list[str]:
    """Say, in one sentence or none, whose energies after free relaxation rounding decides.

    A crystal that is a saddle has several minima around it, and the last digits of the forces
    choose among them: it gains what it gained at least.

    Parameters
    ----------
    table
        Rows with ``id`` and ``kept_symmetry``.
    """
    lost = list(table["id"][~table["kept_symmetry"].astype(bool)])
    if not lost:
        return []
    what = "the error above hull after free relaxation is not determined, since each of these ends"
    return [f"{what} in one of several minima when it loses its symmetry: {', '.join(lost)}"]


def _ask(case: CrystalCase[HullSystem], **known: Unpack[AskedOfCrystals]) -> CaseResult | None:
    if not RELAXATION.needs <= case.model.implements:
        return None
    made = case.relaxed()
    known["missing"] = [*known["missing"], *made.attrs["not_relaxed"]]
    names = {
        "material": case.subject.material,
        "slice": case.subject.slice,
        "model": case.model.card.name,
    }
    settings = case.tolerances.case(RELAXATION.name, **names).settings
    near = RELAXATION.setting("near", settings)
    return judge_relaxation(made, case.subject, case.tolerances, near_meV=near, **known)


BROKEN_SHARE = Metric("broken_share", "share of broken symmetries")

RELAXATION = Question(
    "relaxation",
    "Relaxation by the model",
    HullSystem,
    (
        Metric(
            "above_hull_mae_fixed", "MAE above hull, relaxed at fixed symmetry", "meV/atom",
            score=Score(
                1.0, 70.0,
                "As before relaxation; relaxed at fixed symmetry, as DFT's crystals were.",
            ),
        ),
        Metric("above_hull_mae_free", "MAE above hull, relaxed without symmetry", "meV/atom"),
        Metric(
            "broken_near_hull", "symmetries broken near the hull", counts=True, on_board=True,
            score=Score(
                0.0, 2.0,
                "Crystals near the DFT hull, in a chemical system, that are not minima of the "
                "model.",
            ),
        ),
        Metric("max_gained_near_hull", "largest gain near the hull", "meV/atom"),
        Metric(
            "max_volume_change_near_hull", "largest volume change near the hull",
            score=Score(
                0.01, 0.2,
                "1 % is what functionals of one kind differ by; 20 % is another phase.",
            ),
        ),
        BROKEN_SHARE,
        Metric("not_converged", "relaxations not converged", counts=True),
        N_CRYSTALS,
        FAILED_CRYSTALS,
    ),
    ask=_ask,
    detail=RelaxationDetail,
    nothing="the model has no forces or no stress",
    settings={"near": 25.0},
    needs=frozenset({"energy", "forces", "stress"}),
    scoring=Scoring(
        "relaxation", 0.5,
        "crystals near the hull keep symmetry, volume and energy when the model relaxes them",
    ),
    place=110,
)  # fmt: skip
