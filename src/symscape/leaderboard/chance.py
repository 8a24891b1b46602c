"""What chance gives is worth nothing: how far a model's answers rank DFT's better than chance.

Noise has a minimum near one of DFT's now and then, errs as often up as down, and half of its pairs
are in the right order. Whether a model gave more than that no single case tells, but all of a kind
together do: of slices, of crystals, of equations of state. So what a model's cases of a kind score
is multiplied by a credit. It follows from the rank correlation with DFT over all of them: 0 as long
as chance may give that, 1 a quarter further on, on a straight line in between.

Points of one slice are no independent draws, as a smooth surface rises towards DFT's somewhere by
accident; materials are. White noise, smooth noise, planes, and sums over pairs of atoms of random
functions of their distance stay below a correlation of 0.3 over the slices of 21 materials.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from symscape.leaderboard.case_scores import Key, Standard, case_values
from symscape.questions.case import CaseResult
from symscape.questions.energies import ENERGIES, SPEARMAN
from symscape.questions.equation_of_state import EQUATION_OF_STATE, Curve, CurvesDetail
from symscape.questions.hull import HULL, HullDetail
from symscape.science.landscape.metrics import rank_correlation

#: chance reaches no correlation of so many standard errors
STANDARD_ERRORS = 5.0
#: what is asked of a correlation at most, where too few things were ranked for anything to be sure:
#: that of a useless model's energies of a slice
MOST_ASKED = 0.5
#: so much further on a model's answers count in full
SPAN = 0.25


@dataclass(frozen=True)
class RankCorrelation:
    """How well a model ranks what DFT ranks.

    Parameters
    ----------
    value
        Spearman's, -1 to 1; 0 where the model tells nothing apart.
    n
        Number of independent things that it is about.
    """

    value: float
    n: int

    @property
    def chance(self) -> float:
        """The largest correlation that may be chance: so many times 1/sqrt(n - 1)."""
        error = 1 / math.sqrt(self.n - 1) if self.n > 1 else math.inf
        return min(STANDARD_ERRORS * error, MOST_ASKED)

    @property
    def credit(self) -> float:
        """0 where chance may give the correlation, 1 from `SPAN` beyond it on."""
        return min(max((self.value - self.chance) / SPAN, 0.0), 1.0)


def credits_of(
    cases: Mapping[Key, CaseResult], standards: Mapping[Key, Standard]
) -> dict[str, float]:
    """Return what a model's scores are multiplied by, by what a question is about.

    Parameters
    ----------
    cases
        Those that were judged.
    standards
        What counts of each case that is asked.

    Returns
    -------
    1 where nothing can be told: nobody is asked, or DFT's own energies have no order.
    """
    # of what DFT has no rank correlation with itself, nothing can be told
    asked = [
        key
        for key, standard in standards.items()
        if key[0] in _OF_QUESTION and (key[0] != ENERGIES.name or SPEARMAN.name in standard.wanted)
    ]
    answered: dict[str, list[CaseResult]] = {name: [] for name in _OF_QUESTION}
    for key in asked:
        if key in cases:
            answered[key[0]].append(cases[key])
    found: dict[str, float] = {}
    for name, (about, correlate) in _OF_QUESTION.items():
        if not any(key[0] == name for key in asked):
            found[about] = 1.0
        elif not answered[name]:
            found[about] = 0.0
        else:
            ranked = correlate(answered[name])
            found[about] = 1.0 if ranked is None else ranked.credit
    return found


def _of_slices(cases: list[CaseResult]) -> RankCorrelation | None:
    """Average over the slices of each material, then over materials, as scores do."""
    by_material: dict[str, list[float]] = {}
    for case in cases:
        value = SPEARMAN.of(case_values(case))
        by_material.setdefault(case.material, []).append(0.0 if math.isnan(value) else value)
    means = [float(np.mean(own)) for own in by_material.values()]
    return RankCorrelation(float(np.mean(means)), len(means))


def _of_crystals(cases: list[CaseResult]) -> RankCorrelation | None:
    """Compare energies above hull of compounds: elements are the zero of the others' energies."""
    kept = [detail for case in cases if (detail := case.kept(HullDetail))]
    rows = {row.id: row for own in kept for row in own.crystals if row.chemistry != "element"}
    return _ranked((row.above_hull_dft, row.above_hull_model) for row in rows.values())


def _of_curves(cases: list[CaseResult]) -> RankCorrelation | None:
    """Compare stiffness, the curvature of the energy by relative volume; without a minimum, none.

    The bulk modulus alone would not do: that of noise is as large as DFT's where volumes are small.
    """
    kept = [detail for case in cases if (detail := case.kept(CurvesDetail))]
    rows = {row.id: row for own in kept for row in own.curves}
    return _ranked((_stiffness(row.dft), _stiffness(row.model)) for row in rows.values())


def _stiffness(curve: Curve) -> float:
    """Bulk modulus times volume, eV/atom."""
    stiffness = curve.bulk_modulus * curve.volume
    return stiffness if math.isfinite(stiffness) else 0.0


def _ranked(pairs: Iterator[tuple[float, float]]) -> RankCorrelation | None:
    """Correlate DFT's numbers with a model's; None where DFT's have no order."""
    numbers = np.array(list(pairs), dtype=float).reshape(-1, 2)
    if math.isnan(rank_correlation(numbers[:, 0], numbers[:, 0])):
        return None
    found = rank_correlation(numbers[:, 0], numbers[:, 1])
    return RankCorrelation(0.0 if math.isnan(found) else found, len(numbers))


#: what a question is about, and what tells of it, by the question whose answers tell
_OF_QUESTION = {
    ENERGIES.name: (ENERGIES.about, _of_slices),
    HULL.name: (HULL.about, _of_crystals),
    EQUATION_OF_STATE.name: (EQUATION_OF_STATE.about, _of_curves),
}
