"""The question of conservation: forces and stress must be derivatives of the energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from symscape.questions import contracts
from symscape.questions.case import CaseResult
from symscape.questions.contracts import ContractsDetail, MetricContract, MetricResult
from symscape.questions.known import AskedOf
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Quantity, Question, Scoring
from symscape.questions.subjects import MaterialSlice

if TYPE_CHECKING:
    from symscape.questions.asked import SliceCase
    from symscape.questions.limits import LimitsByCase
    from symscape.references.reference import LandscapeReference
    from symscape.science.contracts.potential import Potential

SYMMETRIC_FORCES = Metric(
    "symmetric_forces", "forces off symmetry", "meV/angstrom",
    score=Score(
        1.0, 100.0,
        "Relaxations stop at 1 to 10 meV/Å; 100 is the force error of a useful potential.",
        logarithmic=True,
    ),
)  # fmt: skip
FORCE_GRADIENT = Metric(
    "force_gradient", "force against gradient", "meV/angstrom", on_board=True,
    score=Score(
        1.0, 100.0,
        "Single precision leaves 0.1; forces that are predicted directly are off by 20 to 100.",
        logarithmic=True,
    ),
)  # fmt: skip
STRESS_STRAIN = Metric(
    "stress_strain", "stress against strain", "meV/angstrom^3",
    score=Score(
        0.05, 5.0,
        "0.008 GPa and 0.8 GPa: pressures are quoted to the first and mean little at the "
        "second.",
        logarithmic=True,
    ),
)  # fmt: skip
#: those that need no slice: the question of crystals has them too
OF_A_CRYSTAL = (SYMMETRIC_FORCES, FORCE_GRADIENT, STRESS_STRAIN)
_CURL = Metric(
    "curl", "work around a loop", "meV/atom",
    score=Score(
        0.1, 10.0,
        "Energy gained in every turn: at 10 meV/atom, the thermal energy of room temperature in "
        "three turns.",
        logarithmic=True,
    ),
)  # fmt: skip
NEEDS: frozenset[Quantity] = frozenset({"energy", "forces", "stress"})


def force_contracts() -> tuple[MetricContract, ...]:
    """Return the contracts about forces and stress of one crystal, with the metrics."""
    from symscape.science.contracts import conservation

    return (
        MetricContract(SYMMETRIC_FORCES, conservation.forces_by_symmetry),
        MetricContract(FORCE_GRADIENT, conservation.forces_by_energy),
        MetricContract(STRESS_STRAIN, conservation.stress_by_energy),
    )


def judge_conservative_forces(
    reference: LandscapeReference,
    potential: Potential,
    tolerances: LimitsByCase,
    **known: Unpack[AskedOf],
) -> CaseResult:
    """Check the contracts about forces at the DFT minimum and around it."""
    from symscape.science.contracts.conservation import work_around_loops

    found = contracts.check_once(potential, reference.minimum_crystal, force_contracts())
    around = work_around_loops(potential, reference.slice, centre=reference.minimum)
    results = (*found, MetricResult(_CURL, around))
    return contracts.judge_contracts(CONSERVATIVE_FORCES, reference, results, tolerances, **known)


def _ask(case: SliceCase, **known: Unpack[AskedOf]) -> CaseResult | None:
    if "forces" not in case.model.implements:
        return None
    return judge_conservative_forces(case.reference, case.potential, case.tolerances, **known)


CONSERVATIVE_FORCES = Question(
    "conservative_forces",
    "Conservative forces",
    MaterialSlice,
    (*OF_A_CRYSTAL, _CURL),
    ask=_ask,
    detail=ContractsDetail,
    nothing="the model has no forces",
    needs=NEEDS,
    scoring=Scoring("gradients", 0.5, "forces and stress are derivatives of the energy"),
    place=70,
)
