"""Whole cases of a submission asked again: what no stored energy decides.

Forces, invariance, gradients and fine lines can't be worked out of a file. So a share of these
cases is drawn of each question, and the question itself is put to the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from symscape.errors import SymscapeError
from symscape.leaderboard.library import Asked, Library, asked_of
from symscape.leaderboard.recompute import RECOMPUTED, flat_metrics
from symscape.questions.case import CaseResult
from symscape.questions.contracts import CheckedCrystal, MetricContract, check_once
from symscape.questions.crystal_rows import rows_of_case
from symscape.questions.metric import Metric
from symscape.questions.registry import QUESTIONS, metric_named
from symscape.questions.smoothness import MAX_ROUGHNESS
from symscape.questions.subjects import MaterialSlice, Subject
from symscape.verdict.tolerances import PROFILES, Tolerances, load_tolerances

if TYPE_CHECKING:
    import pandas as pd

    from symscape.models.base import EnergyModel
    from symscape.models.evaluate import Evaluator
    from symscape.references.reference import LandscapeReference
    from symscape.results.run_results import RunResults
    from symscape.science.hull.model_tables import ModelTables
    from symscape.science.landscape.slice_energies import SliceEvaluation


#: what rounding leaves of a metric that is ideally zero, by unit: two answers in single precision,
#: each within 0.01 meV/atom of the true one; that over the 0.005 angstrom of a fine line's step;
#: forces within 0.1 meV/angstrom and stresses within 0.02 meV/angstrom^3, largest of some dozens
ROUNDING = {
    "meV/atom": 0.02,
    "meV/atom/angstrom": 4.0,
    "meV/angstrom": 0.5,
    "meV/angstrom^3": 0.05,
    "": 0.005,
}
#: share of the larger by which two answers may differ besides; no metric gains more than 2 of 100
#: points by it
LEEWAY = 0.01
#: the roughest point's measure is a ratio of small numbers, which rounding of energies changes
_LEFT_TO_CHANCE = frozenset({MAX_ROUGHNESS.name})


def answered_by_the_model(run: RunResults, library: Library) -> dict[str, list[Asked]]:
    """Return the cases that a run answers and only the model can answer again, by question.

    All others follow from energies, curves and relaxed crystals that the file states
    (`symscape.leaderboard.recompute`), which are spot-checked themselves.
    """
    found: dict[str, list[Asked]] = {}
    for case in run.cases:
        asked, question = asked_of(case), QUESTIONS.get(case.question)
        if case.status == "error" or question is None or asked not in library.known:
            continue
        if question.about != "curves" and question.name not in RECOMPUTED:
            found.setdefault(question.name, []).append(asked)
    return dict(sorted(found.items()))


def case_differences(
    run: RunResults, again: Callable[[Asked], CaseResult | None], chosen: Iterable[Asked]
) -> Iterator[str]:
    """Put chosen cases of a run to the model, and say which metrics it gives otherwise.

    Parameters
    ----------
    again
        Asks the model: `Cases.again`.
    """
    stated = {asked_of(case): case for case in run.cases}
    for asked in chosen:
        try:
            case = again(asked)
        except SymscapeError as error:
            yield f"{asked} can't be asked again: {str(error).rstrip('.')}"
            continue
        if case is None or case.status == "error":
            yield f"{asked} is answered in the file, but the model gives no answer"
        else:
            yield from _other_metrics(asked, flat_metrics(stated[asked]), flat_metrics(case))


def _other_metrics(
    asked: Asked, stated: Mapping[str, float], again: Mapping[str, float]
) -> Iterator[str]:
    for name in dict.fromkeys((*stated, *again)):
        metric = metric_named(name.rpartition("/")[2])
        said, given = stated.get(name), again.get(name)
        if metric.name not in _LEFT_TO_CHANCE and not agree(metric, said, given):
            yield (
                f"{metric.name} in {asked} is {_number(said, 'not stated')}, but the model gives "
                f"{_number(given, 'none')}"
            )


def _number(value: float | None, without: str) -> str:
    return without if value is None else f"{value:g}"


def agree(metric: Metric, one: float | None, other: float | None) -> bool:
    """Whether two numbers of one metric can both be the same weights'; NaN is NaN.

    Counts must be equal. Others may differ by `LEEWAY` of the larger, and by what rounding leaves.
    """
    if one is None or other is None:
        return one is other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    allowed = max(ROUNDING.get(metric.unit, 0.0), LEEWAY * max(abs(one), abs(other)))
    return one == other or (not metric.counts and abs(one - other) <= allowed)


@dataclass(frozen=True, eq=False)
class Cases:
    """The cases of one run, put to the model.

    Parameters
    ----------
    run
        What is checked.
    library
        The references.
    potential
        Asks the model; without a cache that others may have filled.
    """

    run: RunResults
    library: Library
    potential: Evaluator

    @cached_property
    def tolerances(self) -> Tolerances:
        """Those of the run, for the windows in them."""
        known = self.run.tolerances in PROFILES
        return load_tolerances(self.run.tolerances if known else "default")

    @cached_property
    def tables(self) -> ModelTables:
        """The model on the crystals."""
        from symscape.science.hull.model_tables import DescribedCrystals, ModelTables

        assert self.library.crystals is not None, "the library asks nothing about crystals else"
        return ModelTables(DescribedCrystals(self.library.crystals), self.potential)

    def again(self, asked: Asked) -> CaseResult | None:
        """Ask the model what the run was asked; None where it has nothing to say."""
        question, name = QUESTIONS[asked.question], self.run.model.name
        if question.about == "slices":
            reference = self.library.by_slice[asked.material, asked.slice]
            return question.ask(_OfSlice(self, reference), model=name)
        own = rows_of_case(self.library.described, asked.subject)
        self.tables.table()
        missing = [crystal for crystal in own["id"] if crystal in self.tables.left_out]
        return question.ask(
            _OfCrystals(self, asked.subject),
            model=name,
            digest=self.library.crystals_digest,
            missing=missing,
        )


@dataclass(frozen=True, eq=False)
class _OfSlice:
    """One model on one slice (`symscape.questions.asked.SliceCase`)."""

    cases: Cases
    reference: LandscapeReference

    #: nothing is drawn
    arrows = False

    @property
    def model(self) -> EnergyModel:
        return self.cases.potential.model

    @property
    def subject(self) -> MaterialSlice:
        return MaterialSlice.named(self.reference.material, self.reference.slice.name)

    @property
    def tolerances(self) -> Tolerances:
        return self.cases.tolerances

    @property
    def potential(self) -> Evaluator:
        return self.cases.potential

    @cached_property
    def evaluation(self) -> SliceEvaluation:
        from symscape.science.landscape.slice_energies import evaluate_slice

        return evaluate_slice(self.potential, self.reference.slice, self.reference.valid)


@dataclass(frozen=True, eq=False)
class _OfCrystals:
    """One model on some crystals (`symscape.questions.asked.CrystalCase`)."""

    cases: Cases
    subject: Subject

    @property
    def model(self) -> EnergyModel:
        return self.cases.potential.model

    @property
    def tolerances(self) -> Tolerances:
        return self.cases.tolerances

    def table(self) -> pd.DataFrame:
        return rows_of_case(self.cases.tables.table(), self.subject)

    def relaxed(self) -> pd.DataFrame:
        tables, system = self.cases.tables, self.subject.material
        if missing := tables.not_relaxed_yet([system]):
            tables.relax(missing)
        return tables.relaxed(system)

    def contracts(self, asked: Sequence[MetricContract]) -> tuple[CheckedCrystal, ...]:
        assert self.cases.library.crystals is not None
        return tuple(
            CheckedCrystal(crystal.id, check_once(self.cases.potential, crystal.crystal, asked))
            for crystal in self.cases.library.crystals.crystals
            if crystal.system == self.subject.material
        )
