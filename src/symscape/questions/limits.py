"""Limits and settings of one question for one case, and holding metrics against them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from symscape.questions.case import Check
from symscape.questions.metric import Limit, outside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symscape.questions.question import Question


@dataclass(frozen=True)
class CaseTolerances:
    """The limits and settings of one question for one case.

    A limit is (low, high); None leaves that side open.
    """

    limits: dict[str, Limit]
    settings: dict[str, float]

    def no_tighter_than(self, budget: float, question: Question) -> CaseTolerances:
        """Widen limits on differences from DFT energies to the reference's error budget.

        Parameters
        ----------
        budget
            How far the reference's relative energies may be off, in meV/atom.
        """
        if not question.compares_energies or not budget > 0:
            return self
        limits = dict(self.limits)
        for metric in question.metrics:
            if metric.unit != "meV/atom" or metric.ideal is None or metric.name not in limits:
                continue
            low, high = limits[metric.name]
            limits[metric.name] = (
                None if low is None else min(low, metric.ideal - budget),
                None if high is None else max(high, metric.ideal + budget),
            )
        return replace(self, limits=limits)

    def check(self, values: Mapping[str, float], question: Question) -> tuple[Check, ...]:
        """Hold metric values against the limits; what is missing or not finite does not pass."""
        units = question.units
        checks = []
        for name, (low, high) in self.limits.items():
            value = float(values.get(name, float("nan")))
            passed = outside(value, (low, high)) == 0
            checks.append(Check(name, value, (low, high), units.get(name, ""), passed))
        return tuple(checks)


class LimitsByCase(Protocol):
    """Tolerances as far as a judge sees them: a whole tolerance file is one."""

    def case(self, question: str, *, material: str, slice: str, model: str) -> CaseTolerances:
        """Return the limits of one question for one case."""
