"""The quick half of the suite: the cheaper half of the subjects of every kind.

Which they are follows from the references alone: the same for every model and every machine. A
subject is quick for all questions that are asked about it, so that its energies serve them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from symscape.errors import ReferenceFileError
from symscape.questions.subjects import (
    ElementGroup,
    HullSystem,
    MaterialSlice,
    Subject,
    SymmetryClass,
    SystemCrystals,
)

if TYPE_CHECKING:
    from symscape.references.crystal_files import CrystalEntry
    from symscape.references.reference import LandscapeReference


class Costed(NamedTuple):
    """A subject and what it costs, whatever is asked and of whichever model.

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


def cheaper_half(subjects: Iterable[Costed]) -> set[Costed]:
    """Return the cheaper half of each kind, rounded up; of equal cost, the first by name."""
    kinds: dict[str, list[Costed]] = {}
    for subject in sorted(set(subjects), key=lambda subject: (subject.cost, subject.name)):
        kinds.setdefault(subject.kind, []).append(subject)
    return {s for own in kinds.values() for s in own[: math.ceil(len(own) / 2)]}


def costed(
    subject: Subject,
    crystals: Sequence[CrystalEntry],
    read: Callable[[MaterialSlice], LandscapeReference],
) -> Costed:
    """Return a subject with its kind and cost.

    Slices are of one kind if as many of their axes change the cell; they cost the pairs of atoms
    within a distance on all grid points. Chemical systems are of one kind if they have as many
    elements, and cost their crystals. Groups of the periodic table cost their elements. Prototypes
    and symmetry classes (of one column) cost as much as each other.

    Parameters
    ----------
    crystals
        Those of the library.
    read
        Returns the reference of a slice; one that can't be read costs nothing, so that it is seen.
    """
    match subject:
        case MaterialSlice():
            return _slice(subject, read)
        case HullSystem(system) | SystemCrystals(system):
            size = sum(entry.system == system for entry in crystals)
            return Costed(f"system of {len(subject.elements)}", system, float(size))
        case ElementGroup(group, symbols):
            return Costed("group of elements", group, float(len(symbols)))
        case SymmetryClass(freedom):
            return Costed(freedom, subject.slice)
    return Costed(type(subject).__name__, subject.id)


def _slice(subject: MaterialSlice, read: Callable[[MaterialSlice], LandscapeReference]) -> Costed:
    try:
        reference = read(subject)
    except ReferenceFileError:
        return Costed("slice that can't be read", subject.id)
    crystal = reference.minimum_crystal
    atoms = len(crystal.primitive_atoms)
    density = len(crystal.positions) / abs(np.linalg.det(crystal.lattice))
    coordinates = {free.name for free in crystal.free_coordinates}
    strained = sum(not set(axis.terms) <= coordinates for axis in reference.slice.axes)
    points = int(np.isfinite(reference.energies).sum())
    return Costed(f"slice with {strained} axes of the cell", subject.id, atoms * density * points)
