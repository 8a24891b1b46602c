"""What a benchmark test is handed: one model on one slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import pytest

from symscape.questions.case import CaseResult
from symscape.questions.subjects import MaterialSlice
from symscape.suite.exceptions import no_outcome_of_pytest
from symscape.suite.progress_lines import progress_line
from symscape.suite.session import SuiteSession
from symscape.verdict.kept_verdicts import AskedOfModel, judge_once

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.models.evaluate import Evaluator
    from symscape.questions.known import AskedOf
    from symscape.questions.question import Question
    from symscape.references.reference import LandscapeReference
    from symscape.science.landscape.slice_energies import SliceEvaluation
    from symscape.verdict.tolerances import Tolerances


@dataclass(frozen=True, eq=False)
class LandscapeCase:
    """One model on one slice, with everything that a question about it needs.

    Parameters
    ----------
    session
        Shares evaluations between the questions asked of the same slice.
    model
        The potential.
    reference
        The slice and its DFT energies.
    question
        What is asked.
    """

    session: SuiteSession
    model: EnergyModel
    reference: LandscapeReference
    question: Question

    @property
    def subject(self) -> MaterialSlice:
        """The slice."""
        return MaterialSlice.named(self.reference.material, self.reference.slice.name)

    @property
    def tolerances(self) -> Tolerances:
        """The tolerances of the run."""
        return self.session.tolerances

    @property
    def evaluation(self) -> SliceEvaluation:
        """The model's energies on the grid, evaluated at the first use."""
        return self.session.evaluate(self.model, self.reference)

    @property
    def potential(self) -> Evaluator:
        """The model with the run's cache, for questions that need more than the grid."""
        return self.session.evaluator(self.model)

    @property
    def arrows(self) -> bool:
        """Whether figures want forces to be kept."""
        return "forces" in self.session.settings.figures

    def judge(self) -> CaseResult:
        """Ask and judge, unless an earlier run has; skip the test where there is nothing to ask."""
        reference, question = self.reference, self.question
        # a verdict that was kept without arrows has none to draw
        extra = f"arrows={self.arrows}" if "forces" in question.needs else ""
        asked = AskedOfModel(
            question.name,
            self.subject,
            self.model,
            self.tolerances,
            reference.digest,
            (extra,),
        )
        with no_outcome_of_pytest():
            result = judge_once(asked, self.session.cache, self._ask, self._whole)
        if result is None:
            pytest.skip(question.nothing)
        return result

    def _ask(self, **known: Unpack[AskedOf]) -> CaseResult | None:
        """Ask, and say how far that is where it takes long."""
        title = f"{self.model.card.name} {self.reference.id} ({self.question.title.lower()})"
        with progress_line(self.session.config, title) as tell, self.potential.watched(tell):
            return self.question.ask(self, **known)

    def _whole(self) -> bool:
        """Whether the model gave every energy of the grid, as far as the grid was asked for."""
        return not self.session.failures(self.model, self.reference)
