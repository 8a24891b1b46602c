"""The quick half of the suite, ``-m quick``: the cheaper half of the subjects of every kind.

Which cases it has follows from the references alone: the same for every model and every machine. A
subject is quick for all questions that are asked about it, so that its energies serve them all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from symscape.errors import ReferenceFileError
from symscape.questions.subjects import (
    ElementGroup,
    HullSystem,
    MaterialSlice,
    SymmetryClass,
    SystemCrystals,
)
from symscape.suite.roll import CaseName, case_of
from symscape.suite.session import session_of

if TYPE_CHECKING:
    from symscape.suite.session import SuiteSession

#: the marker
QUICK = "quick"


class Costed(NamedTuple):
    """What a case is about and what it costs, whatever is asked and of whichever model.

    Parameters
    ----------
    kind
        What is comparable in cost, and of which half is quick.
    name
        Which one of its kind.
    cost
        In any unit that is the same within the kind.
    """

    kind: str
    name: str
    cost: float = 0.0


def wants_quick(config: pytest.Config) -> bool:
    """Tell whether ``-m`` speaks of quick cases; otherwise no reference is read for them."""
    return re.search(rf"\b{QUICK}\b", str(config.getoption("markexpr", ""))) is not None


def mark_quick(items: Iterable[pytest.Item]) -> None:
    """Give the marker to the tests whose case is about the cheaper half of its kind."""
    named = [(item, name) for item in items if (name := case_of(item)) is not None]
    if not named:
        return
    session = session_of(named[0][0].config)
    subjects = {name: costed(name, session) for _, name in named}
    chosen = cheaper_half(subjects.values())
    for item, name in named:
        if subjects[name] in chosen:
            item.add_marker(QUICK)


def cheaper_half(subjects: Iterable[Costed]) -> set[Costed]:
    """Return the cheaper half of each kind, rounded up; of equal cost, the first by name."""
    kinds: dict[str, list[Costed]] = {}
    for subject in sorted(set(subjects), key=lambda subject: (subject.cost, subject.name)):
        kinds.setdefault(subject.kind, []).append(subject)
    return {s for own in kinds.values() for s in own[: math.ceil(len(own) / 2)]}


def costed(case: CaseName, session: SuiteSession) -> Costed:
    """Return what a case is about.

    Slices are of one kind if as many of their axes change the cell; they cost the pairs of atoms
    within a distance on all grid points. Chemical systems are of one kind if they have as many
    elements, and cost their crystals. Groups of the periodic table cost their elements. Prototypes
    and symmetry classes (of one column) cost as much as each other.
    """
    match subject := case.subject:
        case MaterialSlice():
            return _slice(subject, session)
        case HullSystem(system) | SystemCrystals(system):
            size = sum(entry.system == system for entry in session.crystals)
            return Costed(f"system of {len(subject.elements)}", system, float(size))
        case ElementGroup(group, symbols):
            return Costed("group of elements", group, float(len(symbols)))
        case SymmetryClass(freedom):
            return Costed(freedom, subject.slice)
    return Costed(type(subject).__name__, subject.id)


def _slice(subject: MaterialSlice, session: SuiteSession) -> Costed:
    """Return a slice as a subject; one that can't be read costs nothing, so that it is seen."""
    entry = next(e for e in session.entries if e.id == subject.id)
    try:
        reference = session.reference(entry)
    except ReferenceFileError:
        return Costed("slice that can't be read", entry.id)
    crystal = reference.minimum_crystal
    atoms = len(crystal.primitive_atoms)
    density = len(crystal.positions) / abs(np.linalg.det(crystal.lattice))
    coordinates = {free.name for free in crystal.free_coordinates}
    strained = sum(not set(axis.terms) <= coordinates for axis in reference.slice.axes)
    points = int(np.isfinite(reference.energies).sum())
    return Costed(f"slice with {strained} axes of the cell", entry.id, atoms * density * points)
