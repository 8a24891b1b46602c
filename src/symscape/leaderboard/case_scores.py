"""How one case scores between 0 (useless) and 1 (perfect), metric by metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from symscape.questions.case import CaseResult
from symscape.questions.energies import SCORED_WINDOW
from symscape.questions.invariance import LARGEST
from symscape.questions.metric import Metric
from symscape.questions.question import Question, Scoring
from symscape.questions.registry import QUESTIONS

#: what a case was asked, as far as scores know it: question, material, slice
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Standard:
    """What counts of a case, and where its scale begins.

    Parameters
    ----------
    wanted
        Names of the metrics that count.
    zero
        What models that know nothing score on it before the scale is moved: the better of a
        constant and the mean of noise. 1 where a constant answers perfectly.
    """

    wanted: frozenset[str]
    zero: float = 0.0


def case_values(case: CaseResult) -> Mapping[str, float]:
    """Return the numbers of a case: those in the scored window where the metrics have windows.

    ``largest`` is added where the question has it: the largest of all of them, NaN if any is.
    """
    metrics = case.metrics if case.windows is None else case.windows.of(SCORED_WINDOW)
    # a board has a million cases: most need no copy
    if case.question not in _WITH_LARGEST or not metrics:
        return metrics
    unknown = any(map(math.isnan, metrics.values()))
    return {**metrics, LARGEST.name: math.nan if unknown else max(map(abs, metrics.values()))}


#: names of the questions of which the largest of all metrics is asked
_WITH_LARGEST = frozenset(
    name for name, q in QUESTIONS.items() if LARGEST in (*q.metrics, *q.derived)
)


def scoring_of(question: Question) -> Scoring:
    """Return how a question counts; it must be one that does."""
    if question.scoring is None:
        raise ValueError(f"question {question.name} does not count on the leaderboard")
    return question.scoring


def score_of(metric: Metric, value: float) -> float:
    """Score a metric's value between 0 and 1; one that does not count, or NaN, scores 0."""
    return metric.score.of(metric.badness(value)) if metric.score else 0.0


def case_score(question: Question, values: Mapping[str, float], wanted: AbstractSet[str]) -> float:
    """Mean score of the wanted metrics; one that is missing or not a number scores 0."""
    scores = [
        score_of(metric, values.get(metric.name, math.nan))
        for metric in question.scored
        if metric.name in wanted
    ]
    return sum(scores) / len(scores)


def finite_metrics(question: Question, case: CaseResult) -> set[str]:
    """Scored metrics of a question for which a case has a number."""
    values = case_values(case)
    return {m.name for m in question.scored if math.isfinite(values.get(m.name, math.nan))}
