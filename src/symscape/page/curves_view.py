"""What a report says about equations of state: by element, by prototype, and the worst crystals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median

import numpy as np

from symscape.questions.case import CaseResult
from symscape.questions.equation_of_state import (
    EQUATION_OF_STATE,
    CurvesDetail,
    JudgedCurve,
)
from symscape.questions.known import NotJudged
from symscape.questions.prototype_differences import (
    PROTOTYPE_DIFFERENCES,
    DifferencesDetail,
    JudgedDifference,
)
from symscape.questions.question import Question
from symscape.questions.subjects import Subject, subject_of
from symscape.results.run_results import RunResults
from symscape.science.equation_of_state.compare import GOOD
from symscape.science.equation_of_state.prototypes import slope_through_zero

#: crystals whose curves are drawn
MOST_CURVES = 10


@dataclass(frozen=True)
class ElementRow:
    """What a table says of one element; NaN where nothing is known.

    Parameters
    ----------
    number
        Atomic number.
    epsilon
        Median over its crystals that have a minimum.
    no_minimum
        How many have none.
    judged
        How many were judged.
    signed_error, slope
        Of the differences between its prototypes: mean in meV/atom, and slope on DFT's.
    compared
        How many of its prototypes were compared with its lowest one.
    """

    number: int
    epsilon: float
    no_minimum: int
    judged: int
    signed_error: float
    slope: float
    compared: int

    @property
    def symbol(self) -> str:
        """``Ti``."""
        from ase.data import chemical_symbols

        return str(chemical_symbols[self.number])


@dataclass(frozen=True, eq=False)
class CurvesView:
    """The part of a run that is about equations of state.

    Parameters
    ----------
    run
        The results of one model.
    """

    run: RunResults

    @cached_property
    def curves(self) -> tuple[JudgedCurve, ...]:
        """Every crystal whose curve was judged, by element."""
        found = (curve for detail in self._curves for curve in detail.curves)
        return tuple(sorted(found, key=lambda curve: (curve.element, curve.id)))

    @cached_property
    def differences(self) -> dict[str, tuple[JudgedDifference, ...]]:
        """Judged differences by prototype."""
        return {
            case.material: detail.differences
            for case in self._asked(PROTOTYPE_DIFFERENCES)
            if (detail := case.kept(DifferencesDetail))
        }

    @cached_property
    def not_judged(self) -> tuple[NotJudged, ...]:
        """Crystals that the model is not judged on, by reason."""
        found: dict[str, dict[str, None]] = {}
        differences = (c.kept(DifferencesDetail) for c in self._asked(PROTOTYPE_DIFFERENCES))
        entries = [entry for detail in self._curves for entry in detail.not_judged]
        entries += [entry for detail in differences if detail for entry in detail.not_judged]
        for entry in entries:
            found.setdefault(entry.reason, {}).update(dict.fromkeys(entry.crystals))
        return tuple(NotJudged(reason, tuple(ids)) for reason, ids in found.items())

    @cached_property
    def elements(self) -> tuple[ElementRow, ...]:
        """One row an element, by atomic number."""
        known = {curve.element for curve in self.curves}
        known |= {d.element for own in self.differences.values() for d in own}
        return tuple(self._row(number) for number in sorted(known))

    @cached_property
    def groups(self) -> tuple[Subject, ...]:
        """Groups of the periodic table that were judged."""
        cases = self._asked(EQUATION_OF_STATE)
        return tuple(subject_of(case.material, case.slice) for case in cases)

    def _row(self, number: int) -> ElementRow:
        curves = [curve for curve in self.curves if curve.element == number]
        known = [curve.epsilon for curve in curves if math.isfinite(curve.epsilon)]
        asked = [d for own in self.differences.values() for d in own if d.element == number]
        pairs = [(d.dft, d.model) for d in asked if math.isfinite(d.model)]
        return ElementRow(
            number,
            median(known) if known else math.nan,
            len(curves) - len(known),
            len(curves),
            fmean(model - dft for dft, model in pairs) if pairs else math.nan,
            slope_through_zero(*np.array(pairs).T) if pairs else math.nan,
            len(asked),
        )

    def worst(self) -> tuple[JudgedCurve, ...]:
        """Return the crystals whose curves are furthest from DFT's, furthest first.

        Those without a minimum have no curve to be shown.
        """
        known = [curve for curve in self.curves if math.isfinite(curve.epsilon)]
        return tuple(sorted(known, key=lambda curve: -curve.epsilon)[:MOST_CURVES])

    @property
    def sentence(self) -> str:
        """One clause for the head of the section; empty if nothing was judged."""
        return "; ".join(filter(None, (self._curves_text(), self._differences_text())))

    def _curves_text(self) -> str:
        if not self.curves:
            return ""
        good = sum(curve.epsilon <= GOOD for curve in self.curves)
        none = sum(not math.isfinite(curve.epsilon) for curve in self.curves)
        return (
            f"{good} of {len(self.curves)} equations of state are good (epsilon up to {GOOD:.2f}), "
            f"{none} have no minimum near DFT's"
        )

    def _differences_text(self) -> str:
        all_differences = [d for own in self.differences.values() for d in own]
        errors = [d.model - d.dft for d in all_differences if math.isfinite(d.model)]
        if not errors:
            return ""
        low, mean = sum(error < 0 for error in errors), fmean(errors)
        side = "low" if mean < 0 else "high"
        return (
            f"{low} of {len(errors)} differences between prototypes are too low; the mean is "
            f"{abs(mean):.0f} meV/atom too {side}"
        )

    @cached_property
    def _curves(self) -> tuple[CurvesDetail, ...]:
        kept = (case.kept(CurvesDetail) for case in self._asked(EQUATION_OF_STATE))
        return tuple(detail for detail in kept if detail)

    def _asked(self, question: Question) -> Iterable[CaseResult]:
        name = question.name
        return [c for c in self.run.cases if c.question == name and c.status != "error"]
