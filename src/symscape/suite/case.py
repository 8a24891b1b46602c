"""What a benchmark test is handed: one model on one slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symscape.questions.case import CaseResult
from symscape.suite.kept import Asked, judge_once

if TYPE_CHECKING:
    from symscape.landscape.evaluate import SliceEvaluation
    from symscape.models.base import EnergyModel
    from symscape.models.evaluate import Evaluator
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

    @property
    def potential(self) -> Evaluator:
        """The model with the run's cache, for questions that need more than the grid."""
        return self.session.evaluator(self.model)

    def judge_energies(self) -> CaseResult:
        """Compare the relative energies with DFT within the tolerances."""
        from symscape.verdict.energies import judge_energies

        def judge(**known: Any) -> CaseResult:
            found = self.evaluation
            return judge_energies(
                self.reference,
                found.energies,
                self.tolerances,
                failures=found.failures,
                seconds=found.seconds,
                **known,
            )

        return self._once("energies", judge)

    def judge_minima(self) -> CaseResult:
        """Compare the minima of the slice with DFT's."""
        from symscape.verdict.topology import judge_minima

        def judge(**known: Any) -> CaseResult:
            return judge_minima(self.reference, self.evaluation.energies, self.tolerances, **known)

        return self._once("minima", judge)

    def judge_saddles(self) -> CaseResult:
        """Compare the barriers between the minima with DFT's; skipped where DFT has none."""
        from symscape.verdict.topology import judge_saddles

        def judge(**known: Any) -> CaseResult | None:
            return judge_saddles(self.reference, self.evaluation.energies, self.tolerances, **known)

        return self._once("saddles", judge, "DFT has no saddle between two minima here")

    def judge_smoothness(self) -> CaseResult:
        """Look for steps, kinks and ripples on the grid and along fine lines."""
        from symscape.contracts.scan import scan_slice, smoothness
        from symscape.verdict.topology import judge_smoothness

        the_slice, potential = self.reference.slice, self.potential

        def per_atom(values: np.ndarray) -> np.ndarray:
            structures = the_slice.structures_at(values)
            return potential.energies(structures) / structures.n_atoms

        def judge(**known: Any) -> CaseResult:
            return judge_smoothness(
                self.reference,
                self.evaluation.energies,
                self.tolerances,
                scans=scan_slice(per_atom, the_slice, self.reference.minimum_values),
                strained=smoothness(potential, self.reference.minimum_crystal),
                **known,
            )

        return self._once("smoothness", judge)

    def judge_forces(self) -> CaseResult:
        """Compare forces along the axes with DFT's; skipped where DFT or the model has none."""
        from symscape.landscape.forces import compare_forces
        from symscape.verdict.contracts import judge_forces

        reference = self.reference
        names = {"material": reference.material, "slice": reference.slice.name}
        limits = self.tolerances.case("forces", model=self.model.card.name, **names)
        window = limits.settings.get("window", 500.0) / 1000
        arrows = "forces" in self.session.settings.figures

        def judge(**known: Any) -> CaseResult | None:
            if "forces" not in self.model.implements:
                return None
            comparison = compare_forces(reference, self.potential, window=window)
            if not comparison.metrics()["n_forces"]:
                return None
            return judge_forces(reference, comparison, self.tolerances, arrows=arrows, **known)

        reason = "the model or DFT has no forces here"
        return self._once("forces", judge, reason, f"arrows={arrows}")

    def judge_invariance(self) -> CaseResult:
        """Check that the energy does not depend on how the crystal is written down."""
        from symscape.contracts.catalogue import ENERGY_CONTRACTS
        from symscape.contracts.invariance import equivalent_points
        from symscape.contracts.kept import check_crystal_once
        from symscape.verdict.contracts import judge_contracts

        def judge(**known: Any) -> CaseResult:
            crystal, potential = self.reference.minimum_crystal, self.potential
            contracts = {k: v for k, v in ENERGY_CONTRACTS.items() if k != "smoothness"}
            results = check_crystal_once(potential, crystal, contracts)
            results["equivalent_points"] = equivalent_points(potential, self.reference.slice)
            return judge_contracts("invariance", self.reference, results, self.tolerances, **known)

        return self._once("invariance", judge)

    def judge_conservative_forces(self) -> CaseResult:
        """Check that forces and stress are derivatives of the energy; skipped without forces."""
        from symscape.contracts.catalogue import FORCE_CONTRACTS
        from symscape.contracts.conservation import curl
        from symscape.contracts.kept import check_crystal_once
        from symscape.verdict.contracts import judge_contracts

        def judge(**known: Any) -> CaseResult | None:
            if "forces" not in self.model.implements:
                return None
            crystal, potential = self.reference.minimum_crystal, self.potential
            results = check_crystal_once(potential, crystal, FORCE_CONTRACTS)
            results["curl"] = curl(potential, self.reference.slice, centre=self.reference.minimum)
            return judge_contracts(
                "conservative_forces", self.reference, results, self.tolerances, **known
            )

        return self._once("conservative_forces", judge, "the model has no forces")

    def _once(
        self,
        question: str,
        judge: Callable[..., CaseResult | None],
        skip: str = "",
        extra: str = "",
    ) -> CaseResult:
        """Judge, unless an earlier run has; skip the test where there is nothing to ask."""
        reference = self.reference
        asked = Asked(
            question,
            reference.material,
            reference.slice.name,
            self.model,
            self.tolerances,
            reference.digest,
            (extra,),
        )
        result = judge_once(asked, self.session.cache, judge, self._whole)
        if result is None:
            pytest.skip(skip)
        return result

    def _whole(self) -> bool:
        """Whether the model gave every energy of the grid, as far as the grid was asked for."""
        return not self.session.failures(self.model, self.reference)
