"""What a benchmark test about equations of state is handed: one model on a group or a prototype."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pytest

from symscape.questions.curve_subjects import (
    CURVE_QUESTIONS,
    AnsweredCurves,
    CurveCrystals,
)
from symscape.questions.subjects import Subject
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import EquationsOfState
from symscape.suite.exceptions import no_outcome_of_pytest
from symscape.suite.roll import roll_of
from symscape.suite.session import SuiteSession
from symscape.verdict.kept_verdicts import AskedOfModel, judge_once

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.questions.case import CaseResult
    from symscape.questions.known import AskedOf
    from symscape.questions.question import Question
    from symscape.verdict.tolerances import Tolerances


@dataclass(eq=False)
class Fitted:
    """What is known so far of one model's curves of all stored crystals.

    Parameters
    ----------
    curves
        Arrays of shape (n_crystals,), NaN without a minimum and where not asked.
    asked
        Crystals that the model was asked about, shape (n_crystals,).
    failed
        Those of which it gave no energy at some volume, shape (n_crystals,).
    """

    curves: BirchMurnaghan
    asked: np.ndarray
    failed: np.ndarray


class CurveSession:
    """Equations of state and each model's curves, each loaded or computed once in a process."""

    def __init__(self, session: SuiteSession):
        self.session = session
        self._fitted: dict[str, Fitted] = {}
        self._reasons: dict[str, np.ndarray] = {}

    @property
    def stored(self) -> EquationsOfState:
        """The stored equations of state, which must be there."""
        equations = self.session.equations
        assert equations is not None, "cases are made only where there are any"
        return equations

    def reasons(self, model: EnergyModel) -> np.ndarray:
        """Return why a model is not judged on each crystal, empty strings where it is."""
        from symscape.science.equation_of_state.comparable import reasons_not_judged

        name = model.card.name
        if name not in self._reasons:
            self._reasons[name] = reasons_not_judged(model.card, self.stored)
        return self._reasons[name]

    def crystals(self, model: EnergyModel, subject: Subject) -> CurveCrystals:
        """Return the crystals of a group or a prototype, and which of them a model is judged on."""
        return CurveCrystals(self.stored, self.reasons(model), subject)

    def fitted(self, model: EnergyModel, wanted: np.ndarray) -> Fitted:
        """Return a model's curves, known at least for the wanted crystals.

        Whoever asks first asks for the crystals of all cases of this run, so that they go through
        the model in common batches. Several processes share the cases among them, so that each
        keeps to the crystals of the one it was given, and finds others in the cache.
        """
        name = model.card.name
        known = self._fitted.get(name)
        if known is None:
            nothing = np.full(len(self.stored), np.nan)
            no = np.zeros(len(nothing), dtype=bool)
            known = Fitted(BirchMurnaghan(*(nothing.copy() for _ in range(4))), no, no.copy())
            self._fitted[name] = known
            if not hasattr(self.session.config, "workerinput"):
                wanted = wanted | self._of_run(model)
        missing = np.flatnonzero(wanted & ~known.asked)
        if len(missing):
            self._ask(model, known, missing)
        return known

    def _of_run(self, model: EnergyModel) -> np.ndarray:
        """Return which crystals the cases of this run ask a model about."""
        found = np.zeros(len(self.stored), dtype=bool)
        for case in roll_of(self.session.config).cases.values():
            if case.model == model.card.name and case.question in CURVE_QUESTIONS:
                found |= self.crystals(model, case.subject).judged
        return found

    def _ask(self, model: EnergyModel, known: Fitted, missing: np.ndarray) -> None:
        """Evaluate and fit the curves of crystals, given by their indices."""
        from symscape.science.equation_of_state.model_curves import sample_curves
        from symscape.suite.progress_lines import progress_line

        session, title = self.session, f"{model.card.name} equations of state"
        with progress_line(session.config, title) as progress:
            found = sample_curves(session.evaluator(model), self.stored[missing], progress=progress)
        known.asked[missing] = True
        known.failed[missing[list(found.failures)]] = True
        for name in ("energy", "volume", "bulk_modulus", "derivative"):
            getattr(known.curves, name)[missing] = getattr(found.fitted, name)


@dataclass(frozen=True, eq=False)
class EquationCase:
    """One model on the crystals of a group of the periodic table, or on a prototype.

    Parameters
    ----------
    curves
        Shares curves between cases.
    model
        The potential.
    subject
        The group or the prototype.
    question
        What is asked.
    """

    curves: CurveSession
    model: EnergyModel
    subject: Subject
    question: Question

    @property
    def tolerances(self) -> Tolerances:
        """The tolerances of the run."""
        return self.curves.session.tolerances

    @cached_property
    def crystals(self) -> CurveCrystals:
        """The crystals of the case."""
        return self.curves.crystals(self.model, self.subject)

    @cached_property
    def answered(self) -> AnsweredCurves:
        """The case with the model's curves, which are computed if they are not known yet."""
        known = self.curves.fitted(self.model, self.crystals.judged)
        return AnsweredCurves(self.crystals, self.tolerances, known.curves, known.failed)

    def judge(self) -> CaseResult:
        """Ask and judge, unless an earlier run has; skip the test where no crystal is judged."""
        not_judged = self.crystals.not_judged()
        if not self.crystals.asked:
            pytest.skip("; ".join(dict.fromkeys(entry.reason for entry in not_judged)))
        session, question = self.curves.session, self.question
        digest = self.curves.stored.about.digest

        def judge(**known: Unpack[AskedOf]) -> CaseResult | None:
            answered = self.answered
            return question.ask(
                answered, digest=digest, missing=answered.missing, not_judged=not_judged, **known
            )

        asked = AskedOfModel(question.name, self.subject, self.model, self.tolerances, digest)
        with no_outcome_of_pytest():
            result = judge_once(asked, session.cache, judge, lambda: not self.answered.missing)
        assert result is not None, "there are crystals to judge"
        return result
