"""The question of invariance: energy must not depend on how a crystal is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from symscape.questions import contracts
from symscape.questions.case import CaseResult
from symscape.questions.contracts import ContractsDetail, MetricContract, MetricResult
from symscape.questions.known import AskedOf
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question, Scoring
from symscape.questions.subjects import MaterialSlice

if TYPE_CHECKING:
    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.reference import LandscapeReference
    from symscape.science.contracts.potential import Potential

ROTATION = Metric("rotation", "rotation", "meV/atom")
TRANSLATION = Metric("translation", "translation", "meV/atom")
PERMUTATION = Metric("permutation", "permutation", "meV/atom")
SUPERCELL = Metric("supercell", "supercell", "meV/atom")
CELL_CHOICE = Metric("cell_choice", "choice of cell", "meV/atom")
SPACE_GROUP = Metric("space_group", "space-group operations", "meV/atom")
#: those that need no slice: the question of crystals has them too
OF_A_CRYSTAL = (ROTATION, TRANSLATION, PERMUTATION, SUPERCELL, CELL_CHOICE, SPACE_GROUP)
_EQUIVALENT_POINTS = Metric("equivalent_points", "equivalent grid points", "meV/atom")
#: made by the leaderboard: the largest of all
LARGEST = Metric(
    "largest", "largest violation", "meV/atom", decimals=4, on_board=True,
    score=Score(
        0.005, 5.0,
        "Single precision leaves 0.002; from 5 meV/atom on, equal structures look like different "
        "phases.",
        logarithmic=True,
    ),
)  # fmt: skip


def energy_contracts() -> tuple[MetricContract, ...]:
    """Return the contracts about the energy of one crystal, with the metrics of this question.

    Steps where neighbours come and go are not among them: smoothness looks for those.
    """
    from symscape.science.contracts import invariance

    return (
        MetricContract(ROTATION, invariance.under_rotations),
        MetricContract(TRANSLATION, invariance.under_translations),
        MetricContract(PERMUTATION, invariance.under_permutations),
        MetricContract(SUPERCELL, invariance.in_supercells),
        MetricContract(CELL_CHOICE, invariance.in_other_cells),
        MetricContract(SPACE_GROUP, invariance.under_space_group_operations),
    )


def judge_invariance(
    reference: LandscapeReference,
    potential: Potential,
    tolerances: LimitsByCase,
    **known: Unpack[AskedOf],
) -> CaseResult:
    """Check the contracts about energies at the DFT minimum and on the slice's grid."""
    from symscape.science.contracts.invariance import at_equivalent_grid_points

    found = contracts.check_once(potential, reference.minimum_crystal, energy_contracts())
    on_grid = at_equivalent_grid_points(potential, reference.slice)
    results = (*found, MetricResult(_EQUIVALENT_POINTS, on_grid))
    return contracts.judge_contracts(INVARIANCE, reference, results, tolerances, **known)


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult:
    return judge_invariance(case.reference, case.potential, case.tolerances, **known)


INVARIANCE = Question(
    "invariance",
    "Invariance",
    MaterialSlice,
    (*OF_A_CRYSTAL, _EQUIVALENT_POINTS),
    ask=_ask,
    detail=ContractsDetail,
    scoring=Scoring(
        "symmetry", 0.5,
        "the energy does not depend on orientation, origin, order of atoms or choice of cell",
    ),
    derived=(LARGEST,),
    place=60,
)  # fmt: skip
