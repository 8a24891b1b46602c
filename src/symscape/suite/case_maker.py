"""Where benchmark tests get what they are handed: one model on one subject, with its question."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from symscape.suite.session import SuiteSession, session_of

if TYPE_CHECKING:
    from symscape.questions.question import Question
    from symscape.questions.subjects import Subject
    from symscape.references.library import ReferenceEntry
    from symscape.suite.curves import CurveSession, EquationCase
    from symscape.suite.hull_cases import HullCase, HullSession
    from symscape.suite.slice_case import LandscapeCase


class CaseMaker:
    """Makes cases; what those about crystals and about curves share is made once."""

    def __init__(self, session: SuiteSession):
        self.session = session

    @cached_property
    def hulls(self) -> HullSession:
        """Crystals, and models' energies of them."""
        from symscape.suite.hull_cases import HullSession

        return HullSession(self.session)

    @cached_property
    def curves(self) -> CurveSession:
        """Equations of state, and models' curves."""
        from symscape.suite.curves import CurveSession

        return CurveSession(self.session)

    def of_slice(self, param: tuple[str, ReferenceEntry], question: Question) -> LandscapeCase:
        """Return the case of one question to one model on one slice."""
        from symscape.suite.slice_case import LandscapeCase

        model, entry = param
        session = self.session
        return LandscapeCase(session, session.models[model], session.reference(entry), question)

    def of_crystals(self, param: tuple[str, Subject], question: Question) -> HullCase:
        """Return the case of one question to one model on a system or a class."""
        from symscape.suite.hull_cases import HullCase

        model, subject = param
        return HullCase(self.hulls, self.session.models[model], subject, question)

    def of_curves(self, param: tuple[str, Subject], question: Question) -> EquationCase:
        """Return the case of one question to one model on a group or on a prototype."""
        from symscape.suite.curves import EquationCase

        model, subject = param
        return EquationCase(self.curves, self.session.models[model], subject, question)


#: on the config
_KEY = pytest.StashKey[CaseMaker]()


def case_maker_of(config: pytest.Config) -> CaseMaker:
    """Return what makes the cases of this process."""
    if _KEY not in config.stash:
        config.stash[_KEY] = CaseMaker(session_of(config))
    return config.stash[_KEY]
