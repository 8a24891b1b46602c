"""What is asked about equations of state: groups of the periodic table and prototypes.

Which crystals a case is about follows from the reference, on which of them a model is judged from
its card; whoever holds the model's curves can ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from symscape.questions.equation_of_state import EQUATION_OF_STATE
from symscape.questions.known import NotJudged
from symscape.questions.occasions import curve_subjects
from symscape.questions.prototype_differences import PROTOTYPE_DIFFERENCES
from symscape.questions.subjects import ElementalPrototype, ElementGroup, Subject
from symscape.science.equation_of_state.groups import element_groups

if TYPE_CHECKING:
    from symscape.questions.limits import LimitsByCase
    from symscape.references.birch_murnaghan import BirchMurnaghan
    from symscape.references.equations import EquationsOfState

#: questions about equations of state
CURVE_QUESTIONS = (EQUATION_OF_STATE.name, PROTOTYPE_DIFFERENCES.name)


def all_curve_subjects(equations: EquationsOfState | None) -> dict[Subject, str]:
    """Return the groups and the prototypes, each with the question that is asked of it."""
    return {
        subject: question.name
        for question in (EQUATION_OF_STATE, PROTOTYPE_DIFFERENCES)
        for subject in curve_subjects(question.subject, equations)
    }


@dataclass(frozen=True, eq=False)
class CurveCrystals:
    """The crystals of a group of the periodic table, or of a prototype.

    Parameters
    ----------
    equations
        All stored equations of state.
    reasons
        Why a model is not judged on each crystal, empty where it is; shape (n_crystals,).
    subject
        The group or the prototype.
    """

    equations: EquationsOfState
    reasons: np.ndarray
    subject: Subject

    @cached_property
    def members(self) -> np.ndarray:
        """Crystals that the case is about, judged or not, shape (n_crystals,).

        Raises
        ------
        TypeError
            If the subject has no equations of state.
        """
        if isinstance(self.subject, ElementalPrototype):
            return np.array([name == self.subject.prototype for name in self.equations.names])
        if isinstance(self.subject, ElementGroup):
            own = element_groups(self.equations.elements)[self.subject.group]
            return np.isin(self.equations.elements, own)
        raise TypeError(f"{self.subject.id} is neither a group of elements nor a prototype")

    @property
    def needed(self) -> np.ndarray:
        """Crystals whose curves it needs: all prototypes, to know the lowest one."""
        prototype = isinstance(self.subject, ElementalPrototype)
        return ~self.equations.oxide if prototype else self.members

    @cached_property
    def judged(self) -> np.ndarray:
        """Crystals that it needs and the model is judged on, shape (n_crystals,)."""
        allowed: np.ndarray = self.reasons == ""
        return allowed & self.needed

    @property
    def asked(self) -> bool:
        """Whether the model is judged on any of the crystals that the case is about."""
        return bool((self.judged & self.members).any())

    def not_judged(self) -> tuple[NotJudged, ...]:
        """Return the crystals of the case that the model is not judged on, by reason."""
        found: dict[str, list[str]] = {}
        for k in np.flatnonzero(self.members & ~self.judged):
            found.setdefault(str(self.reasons[k]), []).append(self.equations.ids[k])
        return tuple(NotJudged(reason, tuple(ids)) for reason, ids in found.items())


@dataclass(frozen=True, eq=False)
class AnsweredCurves:
    """A case about equations of state with a model's curves: what a question is asked of.

    Parameters
    ----------
    crystals
        Those of the case.
    tolerances
        Of the run.
    fitted
        The model's curves of all stored crystals, NaN without a minimum and where not asked.
    failed
        Crystals of which it gave no energy at some volume, shape (n_crystals,).
    """

    crystals: CurveCrystals
    tolerances: LimitsByCase
    fitted: BirchMurnaghan
    failed: np.ndarray

    @property
    def subject(self) -> Subject:
        """The group or the prototype."""
        return self.crystals.subject

    def judged_on(self) -> tuple[EquationsOfState, BirchMurnaghan]:
        """Return DFT's and the model's curves of the crystals that the model is judged on."""
        judged = self.crystals.judged
        return self.crystals.equations[judged], self.fitted[judged]

    def with_energies(self) -> tuple[EquationsOfState, BirchMurnaghan]:
        """Return the same of those crystals of which the model gave energies."""
        good = self.crystals.judged & ~self.failed
        return self.crystals.equations[good], self.fitted[good]

    @property
    def missing(self) -> list[str]:
        """Ids of the crystals of the case that the model has no energy of."""
        lost = self.crystals.judged & self.crystals.members & self.failed
        return [self.crystals.equations.ids[k] for k in np.flatnonzero(lost)]
