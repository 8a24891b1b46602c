"""Scores: every case of every model between 0 (useless) and 1 (perfect), and their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symscape.leaderboard.anchors import Anchors
from symscape.leaderboard.case_scores import (
    Key,
    Standard,
    case_score,
    case_values,
    finite_metrics,
    scoring_of,
)
from symscape.leaderboard.chance import credits_of
from symscape.leaderboard.collect import Board, Unit
from symscape.questions.case import CaseResult
from symscape.questions.crystal_cases import FAILED_CRYSTALS, N_CRYSTALS
from symscape.questions.prototype_differences import N_DIFFERENCES
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS
from symscape.questions.stability import N
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
    standards
        What counts of each case.
    """

    models: tuple[str, ...]
    units: tuple[Unit, ...]
    questions: tuple[Question, ...]
    cells: np.ndarray
    answered: np.ndarray
    standards: Mapping[Key, Standard] = field(default_factory=dict)

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
    # what is known of one model is known of all
    totals = (weights @ known[:, 0].astype(float))[None]
    totals = np.broadcast_to(totals, sums.shape)
    return np.divide(sums, totals, out=np.full(sums.shape, np.nan), where=totals > 0)


def combine(by_question: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over the questions (last axis), leaving out those that are NaN."""
    known = ~np.isnan(by_question)
    sums = (np.where(known, by_question, 0.0) * weights).sum(axis=-1)
    totals = (known * weights).sum(axis=-1)
    return np.divide(sums, totals, out=np.full(sums.shape, np.nan), where=totals > 0)


#: a constant model that scores so much has nothing left to win
_ALL = 1 - 1e-9


def score_board(board: Board) -> ScoreTable:
    """Score every case of every run on a board."""
    standards = _standards(board)
    found = {key[0] for key in standards}
    questions = tuple(q for name, q in QUESTIONS.items() if name in found)
    cells, answered = [], []
    for entry in board.entries:
        # of one model at a time: those of a million cases take a third of the memory
        cases = _judged_cases(entry.run)
        grids = _grids(entry.run)
        shares = [
            answered_share(grids.get((unit.material, unit.slice)), unit.reference)
            for unit in board.units
        ]
        cells.append(score_cases(cases, board.units, questions, standards, shares))
        keys = ((q.name, u.material, u.slice) for u in board.units for q in questions)
        answered.append(np.array([key in cases and key in standards for key in keys], dtype=bool))
    models = tuple(entry.name for entry in board.entries)
    shape = (len(board.entries), len(board.units), len(questions))
    scores = np.array(cells).reshape(shape)
    # what a constant answers perfectly, of a unit of which nothing else is asked, is not asked
    asked = ~np.isnan(scores).all(axis=0)
    judged_there = np.array(answered).reshape(shape) & asked
    return ScoreTable(models, board.units, questions, scores, judged_there, standards)


def score_cases(
    cases: Mapping[Key, CaseResult],
    units: Sequence[Unit],
    questions: Sequence[Question],
    standards: Mapping[Key, Standard],
    shares: Sequence[float] | None = None,
) -> np.ndarray:
    """Score one model's cases.

    Each scale begins where that of models which know nothing ends, and what chance may give is
    worth nothing (`symscape.leaderboard.chance`). What a constant answers perfectly asks nothing of
    the landscape: it counts as much as the landscape of its unit does.

    Parameters
    ----------
    cases
        Those that were judged.
    shares
        Of each unit's grid points, how many have an energy; all by default.

    Returns
    -------
    Shape (n_units, n_questions), NaN where nothing is asked.
    """
    cells = np.full((len(units), len(questions)), np.nan)
    credit = credits_of(cases, standards)
    for s, unit in enumerate(units):
        formal = []
        for q, question in enumerate(questions):
            key = (question.name, unit.material, unit.slice)
            standard = standards.get(key)
            if standard is None:
                continue
            case = cases.get(key)
            values = {} if case is None else case_values(case)
            score = case_score(question, values, standard.wanted) * _share(case, question)
            if shares is not None and scoring_of(question).on_grid:
                score *= shares[s]
            if standard.zero < _ALL:
                above = max(score - standard.zero, 0.0) / (1 - standard.zero)
                cells[s, q] = credit[question.about] * above
            else:
                cells[s, q] = score
                formal.append(q)
        if formal:
            weights = np.array([scoring_of(question).weight for question in questions])
            weights[formal] = 0.0
            cells[s, formal] *= combine(np.where(weights > 0, cells[s], np.nan), weights)
    return cells


def _share(case: CaseResult | None, question: Question) -> float:
    """Of the crystals that a case is about, the share that has an energy of the model."""
    if case is None or question.about == "slices":
        return 1.0
    # not all of them need be named
    counted = (check.value for check in case.checks if check.metric == FAILED_CRYSTALS.name)
    missing = next((value for value in counted if value), 0.0)
    if N_DIFFERENCES.name in case.metrics:
        # they are counted among the differences, of which some need no answer
        asked = N_DIFFERENCES.of(case.metrics)
        return max(asked - missing, 0.0) / asked if missing and asked else 1.0
    there = next((m.of(case.metrics) for m in (N_CRYSTALS, N) if m.name in case.metrics), 0.0)
    return there / (there + missing) if missing else 1.0


def _standards(board: Board) -> dict[Key, Standard]:
    """Return what counts of each case that is asked.

    With a library that is what DFT itself has a number for. Else it is what any model has a number
    for: what DFT gives no occasion for nobody has, and where only some have it, the others failed
    to answer.
    """
    units = {(unit.material, unit.slice) for unit in board.units}
    anchors = board.anchors
    if anchors is not None:
        judged_before = board.judged
        same = judged_before is not None and judged_before.units == board.units_digest
        kept = judged_before.standards if judged_before is not None and same else ()
        known = {
            (k.question, k.material, k.slice): Standard(frozenset(k.wanted), k.zero) for k in kept
        }
        standards = known or library_standards(anchors)
        return {key: standard for key, standard in standards.items() if key[1:] in units}
    # few different sets, each kept once
    kinds: dict[frozenset[str], Standard] = {}
    found: dict[Key, Standard] = {}
    nothing = Standard(frozenset())
    for case in (case for entry in board.entries for case in entry.run.cases):
        question = QUESTIONS.get(case.question)
        if question is None or not question.scoring or case.status == "error":
            continue
        key = case.question, case.material, case.slice
        wanted = found.get(key, nothing).wanted
        # most often the first model has a number for everything
        if len(wanted) < len(question.scored):
            names = wanted | finite_metrics(question, case)
            if names:
                found[key] = kinds.setdefault(names, Standard(names))
    return found


def library_standards(anchors: Anchors) -> dict[Key, Standard]:
    """Return what counts of each case of a library: that for which DFT itself has a number."""
    found = {}
    for asked in anchors.library.asked:
        question = QUESTIONS[asked.question]
        wanted = frozenset(finite_metrics(question, anchors.perfect.cases[asked]))
        if wanted:
            constant = _score_or_zero(question, anchors.constant.cases.get(asked), wanted)
            chance = [_score_or_zero(question, draw.get(asked), wanted) for draw in anchors.draws]
            found[asked.question, asked.material, asked.slice] = Standard(
                wanted, max(constant, float(np.mean(chance)))
            )
    return found


def _score_or_zero(question: Question, case: CaseResult | None, wanted: AbstractSet[str]) -> float:
    return 0.0 if case is None else case_score(question, case_values(case), wanted)


def _judged_cases(run: RunResults) -> dict[Key, CaseResult]:
    """Cases that could be judged, by question, material and slice."""
    return {(c.question, c.material, c.slice): c for c in run.cases if c.status != "error"}


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
