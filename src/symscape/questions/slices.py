"""What the questions about slices have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symscape.questions.case import CaseResult

if TYPE_CHECKING:
    from symscape.questions.limits import CaseTolerances, LimitsByCase
    from symscape.questions.question import Question
    from symscape.references.reference import LandscapeReference


def begin(
    question: Question,
    reference: LandscapeReference,
    tolerances: LimitsByCase,
    model: str,
    fingerprint: str = "",
    seconds: float = 0.0,
) -> tuple[CaseResult, CaseTolerances]:
    """Return a result without verdict, and the limits of the case.

    No limit on a difference from DFT is tighter than the error of the reference itself.
    """
    blank = CaseResult(
        question.name,
        model,
        reference.material,
        reference.slice.name,
        "error",
        fingerprint=fingerprint,
        seconds=seconds,
    )
    limits = tolerances.case(
        question.name, material=blank.material, slice=blank.slice, model=blank.model
    ).no_tighter_than(reference.error_budget, question)
    return blank, limits
