"""leaderboard.json: versions, scales, standings and the scores of every slice."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from symscape.decode import dumps, encode
from symscape.leaderboard.case_scores import scoring_of
from symscape.leaderboard.presets import PRESETS, Preset
from symscape.leaderboard.ranking import AnchorStanding, Ranking, Standing
from symscape.leaderboard.scores import ScoreTable, combine
from symscape.questions.metric import Metric, Score
from symscape.questions.question import Question
from symscape.results.run_results import ReferenceSummary

SCHEMA = "symscape-leaderboard/1"


@dataclass(frozen=True)
class ListedReference:
    """A slice that models are asked about."""

    material: str
    slice: str
    formula: str
    spacegroup_number: int
    spacegroup_symbol: str
    crystal_system: str
    n_lattice: int
    n_wyckoff: int
    level_of_theory: str
    digest: str

    @classmethod
    def of(cls, r: ReferenceSummary) -> ListedReference:
        """Return what the file says of a reference."""
        return cls(
            r.material, r.slice, r.formula, r.spacegroup_number, r.spacegroup_symbol,
            r.crystal_system, r.n_lattice, r.n_wyckoff, r.level_of_theory, r.digest,
        )  # fmt: skip


@dataclass(frozen=True)
class ListedScale:
    """How a metric becomes points."""

    metric: str
    unit: str
    target: float | None
    perfect: float
    useless: float
    scale: str

    @classmethod
    def of(cls, metric: Metric, score: Score) -> ListedScale:
        """Return what the file says of a metric that scores."""
        kind = "logarithmic" if score.logarithmic else "linear"
        return cls(metric.name, metric.unit, metric.ideal, score.perfect, score.useless, kind)


@dataclass(frozen=True)
class ListedQuestion:
    """A question, its weight and its metrics."""

    question: str
    weight: float
    metrics: tuple[ListedScale, ...]

    @classmethod
    def of(cls, question: Question) -> ListedQuestion:
        """Return what the file says of a question."""
        scales = tuple(ListedScale.of(m, m.score) for m in question.scored if m.score)
        return cls(question.name, scoring_of(question).weight, scales)


@dataclass(frozen=True)
class ListedPreset:
    """A choice of weights."""

    preset: str
    title: str
    why: str
    weights: dict[str, float]

    @classmethod
    def of(cls, preset: Preset, questions: tuple[Question, ...]) -> ListedPreset:
        """Return what the file says of a preset: weights that aren't zero."""
        given = zip(questions, preset.of(questions), strict=True)
        weights = {question.name: float(weight) for question, weight in given if weight}
        return cls(preset.name, preset.title, preset.why, weights)


@dataclass(frozen=True)
class QuestionScore:
    """A model's score in a question, with its interval."""

    score: float | None
    interval: tuple[float | None, ...]


@dataclass(frozen=True)
class ListedModel:
    """A model's standing, metrics and scores."""

    model: str
    family: str
    level_of_theory: str
    ranked: bool
    checked: bool
    rank: int
    rank_interval: tuple[int, int]
    score: float | None
    interval: tuple[float | None, ...]
    coverage: float | None
    questions: dict[str, QuestionScore]
    presets: dict[str, float | None]
    metrics: dict[str, float | None]
    seconds_per_point: float | None
    scores: dict[str, dict[str, float | None]]
    fingerprint: str
    started: str

    @classmethod
    def of(cls, table: ScoreTable, standing: Standing) -> ListedModel:
        """Return what the file says of a model."""
        run, cells = standing.entry.run, table.cells[standing.index]
        names = [question.name for question in table.questions]
        scored = zip(names, standing.questions, standing.question_intervals, strict=True)
        return cls(
            model=standing.name,
            family=run.model.family,
            level_of_theory=run.model.level_of_theory,
            ranked=standing.ranked,
            checked=standing.checked,
            rank=standing.rank,
            rank_interval=standing.rank_interval,
            score=_rounded(standing.score),
            interval=_all_rounded(standing.interval),
            coverage=_rounded(standing.coverage),
            questions={
                name: QuestionScore(_rounded(score), _all_rounded(ends))
                for name, score, ends in scored
            },
            presets={
                preset.name: _rounded(
                    float(combine(standing.questions, preset.of(table.questions)))
                )
                for preset in PRESETS
            },
            metrics={name: _rounded(value) for name, value in standing.raw.items()},
            seconds_per_point=_rounded(standing.seconds_per_point),
            scores={
                unit.id: {
                    name: _rounded(cells[k, q])
                    for q, name in enumerate(names)
                    if not math.isnan(cells[k, q])
                }
                for k, unit in enumerate(table.units)
            },
            fingerprint=run.fingerprint,
            started=run.started,
        )


@dataclass(frozen=True)
class ListedAnchor:
    """What a score means: what such a model would be like."""

    model: str
    what: str
    score: float | None
    questions: dict[str, float | None]

    @classmethod
    def of(cls, anchor: AnchorStanding, questions: tuple[Question, ...]) -> ListedAnchor:
        """Return what the file says of an anchor."""
        scores = zip(questions, anchor.questions, strict=True)
        own = {question.name: _rounded(score) for question, score in scores}
        return cls(anchor.name, anchor.what, _rounded(anchor.score), own)


@dataclass(frozen=True)
class NotCompared:
    """A model that was set aside."""

    model: str
    reason: str


@dataclass(frozen=True)
class LeaderboardDocument:
    """What the file says."""

    schema: str
    symscape: str
    levels_of_theory: tuple[str, ...]
    references: tuple[ListedReference, ...]
    questions: tuple[ListedQuestion, ...]
    presets: tuple[ListedPreset, ...]
    models: tuple[ListedModel, ...]
    anchors: tuple[ListedAnchor, ...]
    not_run: tuple[str, ...]
    not_compared: tuple[NotCompared, ...]


def leaderboard_json(ranking: Ranking) -> str:
    """Return the leaderboard as JSON."""
    board, table = ranking.board, ranking.table
    document = LeaderboardDocument(
        schema=SCHEMA,
        symscape=board.suite,
        levels_of_theory=board.levels_of_theory,
        references=tuple(map(ListedReference.of, table.slices)),
        questions=tuple(map(ListedQuestion.of, table.questions)),
        presets=tuple(ListedPreset.of(preset, table.questions) for preset in PRESETS),
        models=tuple(ListedModel.of(table, standing) for standing in ranking.standings),
        anchors=tuple(ListedAnchor.of(anchor, table.questions) for anchor in ranking.anchors),
        not_run=tuple(board.not_run),
        not_compared=tuple(NotCompared(a.entry.name, a.reason) for a in board.asides),
    )
    return dumps(encode(document)) + "\n"


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _all_rounded(values: Iterable[float]) -> tuple[float | None, ...]:
    return tuple(map(_rounded, values))
