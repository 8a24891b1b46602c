"""The ranking: who stands where, how sure that is, and beside which label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symscape.leaderboard.bootstrap import Intervals, bootstrap
from symscape.leaderboard.catalogue import SPEED
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.scores import ScoreTable, case_values, score_board
from symscape.verdict.case import CaseResult


@dataclass(frozen=True)
class RawMetric:
    """A number shown as it is, beside the scores.

    Parameters
    ----------
    name
        ``energies.mae``: question and metric.
    title, unit
        For people.
    signed
        Whether positive values get a plus.
    decimals
        Printed.
    ideal
        What it would be for DFT; None where more or less is not better or worse.
    """

    name: str
    title: str
    unit: str
    decimals: int
    signed: bool = False
    ideal: float | None = 0.0

    def value(self, cases: dict[str, CaseResult]) -> float:
        """Return the number from the cases of one slice by question; NaN where there is none."""
        question, _, metric = self.name.partition(".")
        case = cases.get(question)
        return math.nan if case is None else case_values(case).get(metric, math.nan)


#: what tables and pages show besides the scores
RAW_METRICS: tuple[RawMetric, ...] = (
    RawMetric("energies.mae", "mean absolute error", "meV/atom", 1),
    RawMetric("energies.mean_signed_error", "mean signed error", "meV/atom", 1, signed=True),
    RawMetric("energies.softening_scale", "softening scale", "", 2, ideal=1.0),
    RawMetric("energies.spearman", "rank correlation", "", 3, ideal=1.0),
    RawMetric("energies.max_error", "largest error", "meV/atom", 0),
    RawMetric("energies.share_underpredicted", "share underpredicted", "", 2, ideal=None),
    RawMetric("minima.missing_minima", "missing minima", "", 0),
    RawMetric("minima.spurious_minima", "spurious minima", "", 0),
    RawMetric("minima.max_displacement", "displacement of a minimum", "Å", 3),
    RawMetric("minima.max_depth_error", "error of a well's energy", "meV/atom", 1),
    RawMetric("saddles.max_barrier_error", "barrier error", "meV/atom", 1),
    RawMetric("forces.relative_force_error", "relative force error", "", 2),
    RawMetric("forces.force_softening", "softening of the forces", "", 2, ideal=1.0),
    RawMetric("smoothness.max_jump", "largest jump", "meV/atom", 3),
    RawMetric("smoothness.max_kink", "largest kink", "meV/atom/Å", 1),
    RawMetric("invariance.largest", "largest symmetry violation", "meV/atom", 4),
    RawMetric("conservative_forces.force_gradient", "force against energy", "meV/Å", 2),
    RawMetric("hull.formation_mae", "formation energy error", "meV/atom", 1),
    RawMetric("hull.above_hull_mae", "error above hull", "meV/atom", 1),
    RawMetric("hull.above_hull_bias", "signed error above hull", "meV/atom", 1, signed=True),
    RawMetric("hull.wrong_order_share", "polymorphs in wrong order", "", 2),
    RawMetric("stability.f1", "F1 of stability", "", 2, ideal=1.0),
    RawMetric(
        "underprediction.mean_signed_error", "bias of a symmetry class", "meV/atom", 1, signed=True
    ),
    RawMetric("relaxation.broken_near_hull", "crystals that lose their symmetry", "", 1),
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
        Median over the slices, NaN where the run does not say (`speed_of`).
    raw
        Name of a raw metric to its mean over materials.
    """

    entry: Entry
    index: int
    same_theory: bool
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
    def speed(self) -> float:
        """Speed between 0 (as slow as DFT) and 1; NaN where it is not known."""
        known = math.isfinite(self.seconds_per_point)
        return SPEED.score(self.seconds_per_point) if known else math.nan


@dataclass(frozen=True, eq=False)
class Ranking:
    """Everything that tables and pages show."""

    board: Board
    table: ScoreTable
    intervals: Intervals
    standings: tuple[Standing, ...]

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """Models of the references' level of theory, best first."""
        return tuple(s for s in self.standings if s.same_theory)

    @property
    def others(self) -> tuple[Standing, ...]:
        """Models of another level of theory, best first."""
        return tuple(s for s in self.standings if not s.same_theory)

    @property
    def lists(self) -> tuple[tuple[str, tuple[Standing, ...]], ...]:
        """Both lists with what they are called, empty ones left out."""
        levels = ", ".join(self.board.levels_of_theory)
        both = ((f"Trained on {levels}, as the references", self.ranked),
                (f"Trained on something else than {levels}", self.others))  # fmt: skip
        return tuple((title, standings) for title, standings in both if standings)

    @cached_property
    def raw_units(self) -> dict[str, np.ndarray]:
        """Raw metrics on every unit, each of shape (n_models, n_units); NaN where unknown."""
        entries, units = self.board.entries, self.table.units
        cases = [cases_by_slice(entry) for entry in entries]
        return {
            metric.name: np.array(
                [
                    [metric.value(known.get((u.material, u.slice), {})) for u in units]
                    for known in cases
                ]
            )
            for metric in RAW_METRICS
        }


def cases_by_slice(entry: Entry) -> dict[tuple[str, str], dict[str, CaseResult]]:
    """Judged cases of a run by material and slice, then by question."""
    grouped: dict[tuple[str, str], dict[str, CaseResult]] = {}
    for case in entry.run.cases:
        if case.status != "error":
            grouped.setdefault((case.material, case.slice), {})[case.question] = case
    return grouped


def rank_board(board: Board) -> Ranking:
    """Score a board and rank its models; another level of theory makes a list of its own."""
    table = score_board(board)
    intervals = bootstrap(table.by_material, table.weights)
    blank = Ranking(board, table, intervals, ())
    raw = {name: _mean_over_materials(table, v) for name, v in blank.raw_units.items()}
    # what differs by rounding alone is equal
    scores = [round(float(score), 9) for score in table.overall]
    standings: list[Standing] = []
    for same in (True, False):
        chosen = [i for i, entry in enumerate(board.entries) if board.same_theory(entry) == same]
        # equal scores are in the order of their names, as the board is
        chosen.sort(key=lambda i: -scores[i])
        spans = intervals.ranks(np.array(chosen)) if chosen else np.empty((0, 2), dtype=int)
        for i, span in zip(chosen, spans, strict=True):
            rank = 1 + sum(scores[j] > scores[i] for j in chosen)
            standings.append(
                Standing(
                    entry=board.entries[i],
                    index=i,
                    same_theory=same,
                    rank=rank,
                    rank_interval=(min(int(span[0]), rank), max(int(span[1]), rank)),
                    score=float(table.overall[i]),
                    interval=_pair(intervals.overall[i]),
                    questions=table.by_question[i],
                    question_intervals=intervals.by_question[i],
                    coverage=float(table.coverage[i]),
                    seconds_per_point=speed_of(board.entries[i]),
                    raw={name: float(values[i]) for name, values in raw.items()},
                )
            )
    return Ranking(board, table, intervals, tuple(standings))


def _pair(ends: np.ndarray) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])


def _mean_over_materials(table: ScoreTable, values: np.ndarray) -> np.ndarray:
    """Mean of a raw metric over units, then materials, of what is known; shape (n_models,)."""
    owners = np.array([unit.material for unit in table.units])
    materials = [_nanmean(values[:, owners == material]) for material in table.materials]
    return _nanmean(np.stack(materials, axis=1))


def _nanmean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(sums, known.sum(axis=1), out=np.full(len(values), np.nan),
                     where=known.any(axis=1))  # fmt: skip


def speed_of(entry: Entry) -> float:
    """Seconds for a grid point's energy, the median over slices; NaN where the run can't say.

    A run says so only if it was made without the cache of energies, which it records as
    ``versions.cache = off``: else the time may be that of looking the energies up.
    """
    if entry.run.versions.get("cache") != "off":
        return math.nan
    rates = []
    for case in entry.run.cases:
        reference = entry.run.reference(case)
        if case.question != "energies" or reference is None or case.seconds <= 0:
            continue
        points = int((np.isfinite(reference.relative) & ~reference.masked).sum())
        if points:
            rates.append(case.seconds / points)
    return float(np.median(rates)) if rates else math.nan
