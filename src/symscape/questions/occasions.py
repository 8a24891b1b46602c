"""What stored references give occasion to ask: the subjects of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from symscape.questions.subjects import (
    AllCrystals,
    ElementalPrototype,
    ElementGroup,
    HullSystem,
    MaterialSlice,
    Subject,
    SymmetryClass,
    SystemCrystals,
)
from symscape.science.hull.classes import CLASS_OF
from symscape.science.hull.systems import elements_of_system

if TYPE_CHECKING:
    from symscape.questions.question import Question
    from symscape.references.crystal_files import CrystalEntry
    from symscape.references.crystals import CrystalReference
    from symscape.references.equations import EquationsOfState

#: a symmetry class of fewer crystals says nothing
FEWEST_CRYSTALS = 3


def crystal_subjects(
    kind: type[Subject], entries: Sequence[CrystalEntry | CrystalReference]
) -> list[Subject]:
    """Return the subjects of a kind among stored crystals, none of which is loaded.

    Parameters
    ----------
    kind
        The `Question`'s.
    entries
        The crystals, or what their files are called.
    """
    systems = list(dict.fromkeys(entry.system for entry in entries))
    if kind is SystemCrystals:
        return [SystemCrystals(system) for system in systems]
    if kind is HullSystem:
        return [HullSystem(s) for s in systems if len(elements_of_system(s)) > 1]
    if kind is AllCrystals:
        return [AllCrystals()] if entries else []
    if kind is not SymmetryClass:
        return []
    counts = {
        freedom: Counter(class_of(getattr(entry, freedom)) for entry in entries)
        for freedom, class_of in CLASS_OF.items()
    }
    return [
        SymmetryClass(freedom, number)
        for freedom, own in counts.items()
        for number, count in sorted(own.items())
        if count >= FEWEST_CRYSTALS
    ]


def curve_subjects(kind: type[Subject], equations: EquationsOfState | None) -> list[Subject]:
    """Return the subjects of a kind among equations of state; none where there are none."""
    from symscape.references.equations import ELEMENTAL
    from symscape.science.equation_of_state.groups import element_groups

    if equations is None:
        return []
    if kind is ElementalPrototype:
        return [ElementalPrototype(prototype) for prototype in ELEMENTAL]
    if kind is not ElementGroup:
        return []
    symbols = dict(zip(equations.elements.tolist(), equations.symbols, strict=True))
    groups = element_groups(equations.elements)
    return [ElementGroup(name, tuple(symbols[n] for n in own)) for name, own in groups.items()]


def count_cases(
    questions: Iterable[Question],
    slices: int,
    entries: Sequence[CrystalEntry],
    equations: EquationsOfState | None,
) -> int:
    """Count the cases of one model: every question on all its subjects.

    Parameters
    ----------
    slices
        How many slices there are.
    entries, equations
        Stored crystals and equations of state.
    """

    def count(kind: type[Subject]) -> int:
        if kind is MaterialSlice:
            return slices
        return len(crystal_subjects(kind, entries)) + len(curve_subjects(kind, equations))

    return sum(count(question.subject) for question in questions)
