"""Scores: every case of every model between 0 (useless) and 1 (perfect), and their means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symscape.leaderboard.collect import Board, Unit
from symscape.questions.case import CaseResult
from symscape.questions.energies import SCORED_WINDOW
from symscape.questions.metric import Metric
from symscape.questions.question import Question, Scoring
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import ReferenceSummary, RunResults

#: energies in eV/atom on a grid, None where there is none
Grid = list[list[float | None]]


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of all models on all slices, and on crystals where there are any.

    Parameters
    ----------
    models
        Names, in the order of the board.
    units
        Slices, sorted by name, then crystals.
    questions
        Those that any model answered, in the order of `questions.registry`.
    cells
        Scores, shape (n_models, n_units, n_questions): NaN where nobody answered the question
        (DFT gives no occasion to ask it), 0 where another model did and this one did not.
    answered
        True where the model was judged, same shape.
    """

    models: tuple[str, ...]
    units: tuple[Unit, ...]
    questions: tuple[Question, ...]
    cells: np.ndarray
    answered: np.ndarray

    @property
    def slices(self) -> tuple[ReferenceSummary, ...]:
        """The slices, which are the first of the units."""
        return tuple(unit.reference for unit in self.units if unit.reference)

    @cached_property
    def materials(self) -> tuple[str, ...]:
        """Materials of the slices, sorted, then chemical systems."""
        slices = {unit.material for unit in self.units if unit.reference}
        others = {unit.material for unit in self.units} - slices
        return (*sorted(slices), *sorted(others))

    @property
    def weights(self) -> np.ndarray:
        """Weights of the questions, shape (n_questions,)."""
        return np.array([scoring_of(question).weight for question in self.questions])

    @cached_property
    def asked(self) -> np.ndarray:
        """True where a question is asked of a unit, shape (n_units, n_questions)."""
        return ~np.isnan(self.cells).all(axis=0)

    @cached_property
    def _owners(self) -> np.ndarray:
        """Number of each unit's material, shape (n_units,)."""
        place = {material: k for k, material in enumerate(self.materials)}
        return np.array([place[unit.material] for unit in self.units], dtype=int)

    def means_by_material(self, values: np.ndarray) -> np.ndarray:
        """Average over the units of each material what is finite, NaN where nothing is.

        Parameters
        ----------
        values
            Shape (n_models, n_units, n).

        Returns
        -------
        Shape (n_models, n_materials, n).
        """
        values = np.swapaxes(values, 0, 1)
        known = np.isfinite(values)
        shape = (len(self.materials), *values.shape[1:])
        sums, counts = np.zeros(shape), np.zeros(shape)
        np.add.at(sums, self._owners, np.where(known, values, 0.0))
        np.add.at(counts, self._owners, known.astype(float))
        means = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
        return np.swapaxes(means, 0, 1)

    @cached_property
    def by_material(self) -> np.ndarray:
        """Means over the slices of each material, shape (n_models, n_materials, n_questions).

        NaN where none of its slices is asked the question. A material counts once, however many
        slices it has.
        """
        return self.means_by_material(self.cells)

    @cached_property
    def by_question(self) -> np.ndarray:
        """Means over the materials, shape (n_models, n_questions)."""
        everything = np.ones((1, len(self.materials)))
        return weighted_means(np.swapaxes(self.by_material, 0, 1), everything)[:, 0]

    @cached_property
    def overall(self) -> np.ndarray:
        """The score: the weighted mean over the questions, shape (n_models,)."""
        return combine(self.by_question, self.weights)

    @cached_property
    def coverage(self) -> np.ndarray:
        """Share of the cases asked in which the model was judged, shape (n_models,)."""
        return self.answered.sum(axis=(1, 2)) / max(int(self.asked.sum()), 1)


def weighted_means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average over the first axis, leaving out what is NaN.

    Parameters
    ----------
    values
        Shape (n, n_models, n_questions); NaN for all models or for none.
    weights
        Shape (n_means, n).

    Returns
    -------
    Shape (n_models, n_means, n_questions); NaN where nothing is left.
    """
    known = ~np.isnan(values)
    sums = np.einsum("bn,nmq->mbq", weights, np.where(known, values, 0.0))
    totals = np.einsum("bn,nmq->mbq", weights, known.astype(float))
    return np.divide(sums, totals, out=np.full(sums.shape, np.nan), where=totals > 0)


def combine(by_question: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over the questions (last axis), leaving out those that are NaN."""
    known = ~np.isnan(by_question)
    sums = (np.where(known, by_question, 0.0) * weights).sum(axis=-1)
    totals = (known * weights).sum(axis=-1)
    return np.divide(sums, totals, out=np.full(sums.shape, np.nan), where=totals > 0)


def score_board(board: Board) -> ScoreTable:
    """Score every case of every run on a board."""
    judged = [_judged_cases(entry.run) for entry in board.entries]
    found = {key[0] for cases in judged for key in cases}
    questions = tuple(q for name, q in QUESTIONS.items() if q.scoring and name in found)
    shape = (len(board.entries), len(board.units), len(questions))
    cells, answered = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    shares = [
        [answered_share(grids.get((unit.material, unit.slice)), unit.reference) for unit in units]
        for grids, units in ((_grids(entry.run), board.units) for entry in board.entries)
    ]
    for s, unit in enumerate(board.units):
        for q, question in enumerate(questions):
            key = (question.name, unit.material, unit.slice)
            values = [case_values(cases[key]) if key in cases else None for cases in judged]
            wanted = _wanted_metrics(question, [v for v in values if v is not None])
            if not wanted:
                continue
            for m, numbers in enumerate(values):
                answered[m, s, q] = numbers is not None
                share = shares[m][s] if scoring_of(question).on_grid else 1.0
                cells[m, s, q] = share * case_score(question, numbers or {}, wanted)
    models = tuple(entry.name for entry in board.entries)
    return ScoreTable(models, board.units, questions, cells, answered)


def _judged_cases(run: RunResults) -> dict[tuple[str, str, str], CaseResult]:
    """Cases that could be judged, by question, material and slice."""
    return {(c.question, c.material, c.slice): c for c in run.cases if c.status != "error"}


def case_values(case: CaseResult) -> dict[str, float]:
    """Return the numbers of a case: those in the scored window where the metrics have windows.

    ``largest`` is added: the largest of all of them.
    """
    metrics: Mapping[str, Any] = case.metrics
    if "windows" in metrics:
        metrics = next((v for k, v in metrics["windows"].items() if float(k) == SCORED_WINDOW), {})
    numbers = {k: float(v) for k, v in metrics.items() if isinstance(v, (int, float))}
    if numbers:
        # NaN if any is; a board has a million cases, of a few numbers each
        unknown = any(math.isnan(v) for v in numbers.values())
        numbers["largest"] = math.nan if unknown else max(map(abs, numbers.values()))
    return numbers


def scoring_of(question: Question) -> Scoring:
    """Return how a question counts; it must be one that does."""
    if question.scoring is None:
        raise ValueError(f"question {question.name} does not count on the leaderboard")
    return question.scoring


def score_of(metric: Metric, value: float) -> float:
    """Score a metric's value between 0 and 1; one that does not count, or NaN, scores 0."""
    return metric.score.of(metric.badness(value)) if metric.score else 0.0


def _wanted_metrics(question: Question, values: list[dict[str, float]]) -> set[str]:
    """Metrics that count on a slice: those for which at least one model has a number.

    What DFT gives no occasion for (the displacement of a minimum where there is none) nobody has;
    where only some have it, the others failed to answer.
    """
    return {
        metric.name
        for metric in question.scored
        if any(math.isfinite(v.get(metric.name, math.nan)) for v in values)
    }


def case_score(question: Question, values: Mapping[str, float], wanted: set[str]) -> float:
    """Mean score of the wanted metrics; one that is missing or not a number scores 0."""
    scores = [
        score_of(metric, values.get(metric.name, math.nan))
        for metric in question.scored
        if metric.name in wanted
    ]
    return sum(scores) / len(scores)


def _grids(run: RunResults) -> dict[tuple[str, str], Grid]:
    """Return the energies that a run holds, by material and slice."""
    return {(c.material, c.slice): c.energies for c in run.cases if c.energies is not None}


def answered_share(grid: Grid | None, reference: ReferenceSummary | None) -> float:
    """Share of the grid points with a DFT energy at which a model gave one.

    1 where the run holds no grid of this slice: then its cases are not judged either.
    """
    if reference is None or grid is None:
        return 1.0
    valid = np.isfinite(reference.relative) & ~reference.masked
    if not valid.any():
        return 1.0
    return float(np.isfinite(np.array(grid, dtype=float))[valid].mean())
