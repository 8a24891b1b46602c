"""What a benchmark test is handed: one model on one slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symscape.verdict.case import CaseResult
from symscape.verdict.energies import judge_energies

if TYPE_CHECKING:
    from symscape.landscape.evaluate import SliceEvaluation
    from symscape.models.base import EnergyModel
    from symscape.references.reference import LandscapeReference
    from symscape.suite.session import SuiteSession
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
    """

    session: SuiteSession
    model: EnergyModel
    reference: LandscapeReference

    @property
    def tolerances(self) -> Tolerances:
        """The tolerances of the run."""
        return self.session.tolerances

    @property
    def evaluation(self) -> SliceEvaluation:
        """The model's energies on the grid, evaluated at the first use."""
        return self.session.evaluate(self.model, self.reference)

    def judge_energies(self) -> CaseResult:
        """Compare the relative energies with DFT within the tolerances."""
        evaluation = self.evaluation
        return judge_energies(
            self.reference,
            evaluation.energies,
            self.tolerances,
            model=self.model.card.name,
            failures=evaluation.failures,
            fingerprint=self.model.fingerprint,
            seconds=evaluation.seconds,
        )
