"""The question of conservation, asked of the stored crystals of a chemical system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from symscape.questions.conservative_forces import NEEDS, OF_A_CRYSTAL, force_contracts
from symscape.questions.crystal_cases import (
    FAILED_CRYSTALS,
    ContractsOnCrystals,
    judge_crystal_contracts,
)
from symscape.questions.known import AskedOfCrystals
from symscape.questions.question import Question
from symscape.questions.subjects import SystemCrystals

if TYPE_CHECKING:
    from symscape.questions.asked import CrystalCase
    from symscape.questions.case import CaseResult


def _ask(case: CrystalCase[SystemCrystals], **known: Unpack[AskedOfCrystals]) -> CaseResult | None:
    if not CRYSTAL_FORCES.needs <= case.model.implements:
        return None
    found = case.contracts(force_contracts())
    return judge_crystal_contracts(CRYSTAL_FORCES, case.subject, found, case.tolerances, **known)


CRYSTAL_FORCES = Question(
    "crystal_forces",
    "Forces on crystals",
    SystemCrystals,
    (*OF_A_CRYSTAL, FAILED_CRYSTALS),
    ask=_ask,
    detail=ContractsOnCrystals,
    nothing="the model has no forces or no stress",
    needs=NEEDS,
    place=130,
)
