"""The question of invariance, asked of the stored crystals of a chemical system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from symscape.questions.crystal_cases import (
    FAILED_CRYSTALS,
    ContractsOnCrystals,
    judge_crystal_contracts,
)
from symscape.questions.invariance import OF_A_CRYSTAL, energy_contracts
from symscape.questions.known import AskedOfCrystals
from symscape.questions.question import Question
from symscape.questions.subjects import SystemCrystals

if TYPE_CHECKING:
    from symscape.questions.asked import CrystalCase
    from symscape.questions.case import CaseResult


def _ask(case: CrystalCase[SystemCrystals], **known: Unpack[AskedOfCrystals]) -> CaseResult:
    found = case.contracts(energy_contracts())
    return judge_crystal_contracts(
        CRYSTAL_INVARIANCE, case.subject, found, case.tolerances, **known
    )


CRYSTAL_INVARIANCE = Question(
    "crystal_invariance",
    "Invariance on crystals",
    SystemCrystals,
    (*OF_A_CRYSTAL, FAILED_CRYSTALS),
    ask=_ask,
    detail=ContractsOnCrystals,
    place=120,
)
