"""The crystals behind a failed case: what they look like, and what the model makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from symscape.questions.behind import behind_crystals
from symscape.questions.relaxation import RELAXATION
from symscape.questions.shapes import crystal_shape

if TYPE_CHECKING:
    from symscape.models.evaluate import Evaluator
    from symscape.questions.case import CaseResult
    from symscape.references.crystals import CrystalReference


def with_shapes(
    result: CaseResult, crystals: Iterable[CrystalReference], potential: Evaluator
) -> CaseResult:
    """Return a failed result with the shapes of the crystals behind it in its notes.

    Where the question is about relaxation, with their geometries after it, too.

    Parameters
    ----------
    crystals
        Of the library.
    potential
        Relaxes those that are behind the failure.
    """
    named = {crystal.id for found in behind_crystals(result).values() for crystal in found}
    before = {crystal.id: crystal.to_atoms() for crystal in crystals if crystal.id in named}
    if not before:
        return result
    after = dict.fromkeys(before)
    if result.question == RELAXATION.name:
        from symscape.science.hull.relax import relaxed_geometries

        after = dict(zip(before, relaxed_geometries([*before.values()], potential), strict=True))
    shapes = {name: crystal_shape(atoms, after[name]) for name, atoms in before.items()}
    return replace(result, notes=replace(result.notes, shapes=shapes))
