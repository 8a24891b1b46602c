"""The ranking: who stands where, how sure that is, and beside which label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from symscape.leaderboard.bootstrap import Intervals, bootstrap
from symscape.leaderboard.case_scores import case_values
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.judged import Judged, KeptAnchor, KeptStandard, judging_code
from symscape.leaderboard.scores import ScoreTable, score_board, score_cases
from symscape.leaderboard.speed import SPEED, seconds_of
from symscape.models.registry import load_cards
from symscape.page.words import unit_text
from symscape.questions.energies import (
    ENERGIES,
    MAE,
    MEAN_SIGNED_ERROR,
    SOFTENING_SCALE,
    SPEARMAN,
)
from symscape.questions.metric import Metric
from symscape.questions.registry import QUESTIONS


@dataclass(frozen=True)
class RawMetric:
    """A number shown as it is, beside the scores: the mean over materials of a metric."""

    question: str
    metric: Metric

    @property
    def name(self) -> str:
        """Question and metric, with a dot between them."""
        return f"{self.question}.{self.metric.name}"

    @property
    def title(self) -> str:
        """In words."""
        return self.metric.title

    @property
    def unit(self) -> str:
        """As it is printed: ``meV/atom``, ``Å``."""
        return unit_text(self.metric.unit)

    @property
    def signed(self) -> bool:
        """Whether positive values get a plus."""
        return self.metric.signed

    @property
    def ideal(self) -> float | None:
        """What it would be for DFT; None where more or less is not better or worse."""
        return self.metric.ideal

    @property
    def counts(self) -> bool:
        """Whether it is a number of things."""
        return self.metric.counts

    @property
    def decimals(self) -> int:
        """Digits after the point; a mean of counts has two."""
        return 2 if self.metric.counts else self.metric.printed_decimals


#: what tables and pages show besides the scores
RAW_METRICS: tuple[RawMetric, ...] = tuple(
    RawMetric(question.name, metric)
    for question in QUESTIONS.values()
    for metric in (*question.metrics, *question.derived)
    if metric.on_board
)
#: those that stand first, beside the score
HEADLINE: tuple[RawMetric, ...] = tuple(
    RawMetric(ENERGIES.name, metric)
    for metric in (MAE, MEAN_SIGNED_ERROR, SOFTENING_SCALE, SPEARMAN)
)


@dataclass(frozen=True, eq=False)
class Standing:
    """One model on the leaderboard.

    Parameters
    ----------
    entry
        Its run.
    index
        Its place in the score table.
    same_theory
        Whether it was trained on the references' level of theory; if not, it is in another list.
    checked
        Whether its weights are known to be loaded rightly (`is_checked`); if not, it is in a list
        without ranks, whatever its level of theory.
    rank
        From 1, in its list; models of equal score share the better rank.
    rank_interval
        Lowest and highest rank over the draws of materials.
    score, interval
        Between 0 and 1; the interval is NaN where there are too few materials.
    questions, question_intervals
        Shapes (n_questions,) and (n_questions, 2).
    coverage
        Share of the cases in which it was judged.
    seconds_per_point
        As the board's keeper measured it; on a board without such times the median over the
        slices, as the run says (`symscape.leaderboard.speed`). NaN where it is not known.
    raw
        Name of a raw metric to its mean over materials.
    """

    entry: Entry
    index: int
    same_theory: bool
    checked: bool
    rank: int
    rank_interval: tuple[int, int]
    score: float
    interval: tuple[float, float]
    questions: np.ndarray
    question_intervals: np.ndarray
    coverage: float
    seconds_per_point: float
    raw: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.entry.name

    @property
    def ranked(self) -> bool:
        """Whether it stands in the ranking itself rather than beside it."""
        return self.same_theory and self.checked

    @property
    def speed(self) -> float:
        """Speed between 0 (as slow as DFT) and 1; NaN where it is not known."""
        known = math.isfinite(self.seconds_per_point)
        return SPEED.of(self.seconds_per_point) if known else math.nan


@dataclass(frozen=True, eq=False)
class BoardList:
    """Models that are held against each other.

    Parameters
    ----------
    title
        What they are called together.
    note
        Why they are a list of their own, as sentences; empty for the ranking itself.
    has_ranks
        Whether their order is a ranking.
    standings
        Best first.
    """

    title: str
    note: str
    has_ranks: bool
    standings: tuple[Standing, ...]


@dataclass(frozen=True, eq=False)
class AnchorStanding:
    """What a model that knows everything or nothing scores, computed as for any other.

    Parameters
    ----------
    name, what
        As on the board, and in words.
    score
        Between 0 and 1.
    questions
        Shape (n_questions,).
    """

    name: str
    what: str
    score: float
    questions: np.ndarray


@dataclass(frozen=True, eq=False)
class Ranking:
    """Everything that tables and pages show."""

    board: Board
    table: ScoreTable
    intervals: Intervals
    standings: tuple[Standing, ...]

    @cached_property
    def anchors(self) -> tuple[AnchorStanding, ...]:
        """What scores mean, best first; none without a library."""
        table, found = self.table, []
        judged = self.board.judged
        if judged is not None and judged.anchors and judged.units == self.board.units_digest:
            return tuple(
                AnchorStanding(a.name, a.what, a.score, np.array(a.questions))
                for a in judged.anchors
            )
        for anchor in self.board.anchors.all if self.board.anchors else ():
            cases = {
                (asked.question, asked.material, asked.slice): case
                for asked, case in anchor.cases.items()
            }
            cells = score_cases(cases, table.units, table.questions, table.standards)
            own = replace(table, models=(anchor.name,), cells=cells[None])
            found.append(
                AnchorStanding(anchor.name, anchor.what, float(own.overall[0]), own.by_question[0])
            )
        return tuple(found)

    def judged(self, results: Mapping[str, str]) -> Judged | None:
        """Return what was worked out, to be kept; None without a library.

        Parameters
        ----------
        results
            SHA-256 of each model's results file.
        """
        board = self.board
        if board.library is None:
            return None
        return Judged(
            library=board.library.digest,
            units=board.units_digest,
            results=dict(results),
            standards=tuple(
                KeptStandard(*key, tuple(sorted(own.wanted)), own.zero)
                for key, own in self.table.standards.items()
            ),
            anchors=tuple(
                KeptAnchor(a.name, a.what, a.score, tuple(map(float, a.questions)))
                for a in self.anchors
            ),
            code=judging_code(),
        )

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """Models of the references' level of theory, best first."""
        return tuple(s for s in self.standings if s.ranked)

    @property
    def others(self) -> tuple[Standing, ...]:
        """Models of another level of theory, best first."""
        return tuple(s for s in self.standings if s.checked and not s.same_theory)

    @property
    def unchecked(self) -> tuple[Standing, ...]:
        """Models whose weights reproduce no published value, for there is none, best first."""
        return tuple(s for s in self.standings if not s.checked)

    @property
    def lists(self) -> tuple[BoardList, ...]:
        """What is ranked, then what stands beside it; empty lists are left out."""
        levels = ", ".join(self.board.levels_of_theory)
        found = (
            BoardList(f"Trained on {levels}, as the references", "", True, self.ranked),
            BoardList(
                f"Trained on something else than {levels}",
                "These models were trained on energies of another functional than the references "
                "have; their errors include the difference between the two. They are ranked among "
                "themselves.",
                True,
                self.others,
            ),
            BoardList(
                "Loaded, not checked against published values",
                "Nobody published a number of a single structure by which these weights could be "
                "known to be loaded rightly. They are scored like all others and not ranked; their "
                "cards say what was looked for. Every ranked model of the registry reproduces "
                "published numbers (symscape models --check).",
                False,
                self.unchecked,
            ),
        )
        return tuple(own for own in found if own.standings)

    @cached_property
    def raw_units(self) -> dict[str, np.ndarray]:
        """Raw metrics on every unit, each of shape (n_models, n_units); NaN where unknown."""
        return raw_values(self.board, self.table)


def raw_values(board: Board, table: ScoreTable) -> dict[str, np.ndarray]:
    """Return raw metrics on every unit, each of shape (n_models, n_units); NaN where unknown."""
    places = {(unit.material, unit.slice): k for k, unit in enumerate(table.units)}
    shape = (len(board.entries), len(places))
    found = {metric.name: np.full(shape, np.nan) for metric in RAW_METRICS}
    of_question: dict[str, list[tuple[str, np.ndarray]]] = {}
    for metric in RAW_METRICS:
        own_table = metric.metric.name, found[metric.name]
        of_question.setdefault(metric.question, []).append(own_table)
    for m, entry in enumerate(board.entries):
        for case in entry.run.cases:
            own = of_question.get(case.question)
            place = places.get((case.material, case.slice))
            if own is None or place is None or case.status == "error":
                continue
            numbers = case_values(case)
            for name, values in own:
                if name in numbers:
                    values[m, place] = numbers[name]
    return found


def is_checked(name: str) -> bool:
    """Whether nothing speaks against a model's weights being loaded rightly.

    A registered model has published values, which `symscape.models.published` compares; of a model
    that nobody registered nothing is known, and its own board ranks it.
    """
    card = load_cards().get(name)
    return card is None or bool(card.published)


def rank_board(board: Board) -> Ranking:
    """Score a board and rank its models in lists (`Ranking.lists`)."""
    table = score_board(board)
    raw = {name: _mean_over_materials(table, v) for name, v in raw_values(board, table).items()}
    # after that: neither has to be in memory beside the other
    intervals = bootstrap(table.by_material, table.weights)
    # what differs by rounding alone is equal
    scores = [round(float(score), 9) for score in table.overall]
    standings: list[Standing] = []
    checked = [is_checked(entry.name) for entry in board.entries]
    same = [board.same_theory(entry) for entry in board.entries]
    # of what is not checked, both levels of theory make one list
    lists = [(not known, known and not alike) for known, alike in zip(checked, same, strict=True)]
    for wanted in sorted(set(lists)):
        chosen = [i for i, own in enumerate(lists) if own == wanted]
        # equal scores are in the order of their names, as the board is
        chosen.sort(key=lambda i: -scores[i])
        spans = intervals.ranks(np.array(chosen))
        for i, span in zip(chosen, spans, strict=True):
            rank = 1 + sum(scores[j] > scores[i] for j in chosen)
            standings.append(
                Standing(
                    entry=board.entries[i],
                    index=i,
                    same_theory=same[i],
                    checked=checked[i],
                    rank=rank,
                    rank_interval=(min(int(span[0]), rank), max(int(span[1]), rank)),
                    score=float(table.overall[i]),
                    interval=_pair(intervals.overall[i]),
                    questions=table.by_question[i],
                    question_intervals=intervals.by_question[i],
                    coverage=float(table.coverage[i]),
                    seconds_per_point=seconds_of(board, board.entries[i]),
                    raw={name: float(values[i]) for name, values in raw.items()},
                )
            )
    return Ranking(board, table, intervals, tuple(standings))


def _pair(ends: np.ndarray) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])


def _mean_over_materials(table: ScoreTable, values: np.ndarray) -> np.ndarray:
    """Mean of a raw metric over units, then materials, of what is known; shape (n_models,)."""
    return _nanmean(table.means_by_material(values[:, :, None])[:, :, 0])


def _nanmean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(sums, known.sum(axis=1), out=np.full(len(values), np.nan),
                     where=known.any(axis=1))  # fmt: skip
