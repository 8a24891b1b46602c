"""What the questions about slices have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symscape.questions.case import CaseResult, Check
from symscape.questions.metric import Metric

if TYPE_CHECKING:
    from symscape.questions.limits import CaseTolerances, LimitsByCase
    from symscape.questions.question import Question
    from symscape.references.reference import LandscapeReference

#: grid points of which the model gave no energy
FAILED_POINTS = Metric("failed_points", "points without energy", counts=True, gap=True)


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


def without_energy(reference: LandscapeReference, energies: np.ndarray) -> np.ndarray:
    """Return which points DFT has an energy of and the model has none, shape (n_u, n_v)."""
    lacking: np.ndarray = reference.valid & ~np.isfinite(energies)
    return lacking


def check_gaps(reference: LandscapeReference, energies: np.ndarray) -> tuple[Check, ...]:
    """Return the failed check of a grid with gaps; nothing for a whole one.

    What a model does where it has no energy nobody knows: the rest of the grid is no reason to
    pass.
    """
    count = int(without_energy(reference, energies).sum())
    return (Check(FAILED_POINTS.name, float(count), (None, 0.0), "", False),) if count else ()
