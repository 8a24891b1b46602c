"""What the index page averages, filters and draws by, as JSON inside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from symscape.leaderboard.case_scores import scoring_of
from symscape.leaderboard.collect import Unit
from symscape.leaderboard.presets import Preset
from symscape.leaderboard.ranking import RAW_METRICS, Ranking, Standing
from symscape.leaderboard.scores import ScoreTable
from symscape.models.registry import load_cards


@dataclass(frozen=True)
class BrowserQuestion:
    """A question: what its column is called and how much it weighs."""

    name: str
    title: str
    weight: float


@dataclass(frozen=True)
class BrowserPreset:
    """A choice of weights, one a question."""

    name: str
    title: str
    why: str
    weights: list[float]


@dataclass(frozen=True)
class BrowserMetric:
    """A metric, as `Metric` has it."""

    name: str
    title: str
    unit: str
    decimals: int
    signed: bool
    counts: bool
    ideal: float | None


@dataclass(frozen=True)
class BrowserModel:
    """A model; ``same`` is whether its level of theory is DFT's, ``seconds`` those of a point.

    ``unjudged`` are pairs of unit and question.
    """

    name: str
    same: bool
    parameters: int | None
    seconds: float | None
    unjudged: list[list[int]]


@dataclass(frozen=True)
class BrowserMaterial:
    """A material, or a chemical system, which has no space group; its units by their number."""

    name: str
    elements: list[str]
    group: int | None
    system: str | None
    units: list[int]


@dataclass(frozen=True)
class BrowserNumbers:
    """All of it; ``cells`` are scores by model, unit and question, ``raw`` metrics by model."""

    questions: list[BrowserQuestion]
    presets: list[BrowserPreset]
    metrics: list[BrowserMetric]
    models: list[BrowserModel]
    materials: list[BrowserMaterial]
    cells: list[list[list[float | None]]]
    raw: dict[str, list[list[float | None]]]


def browser_numbers(ranking: Ranking, presets: tuple[Preset, ...]) -> BrowserNumbers:
    """Return scores and metrics of every unit, and what belongs to models, materials, questions.

    Scores are given with twelve digits, so that the browser's averages are those of
    `symscape.leaderboard.scores` in every digit that anybody prints.
    """
    table = ranking.table
    order = [standing.index for standing in ranking.standings]
    return BrowserNumbers(
        questions=[
            BrowserQuestion(q.name, scoring_of(q).head, scoring_of(q).weight)
            for q in table.questions
        ],
        presets=[
            BrowserPreset(p.name, p.title, p.why, p.of(table.questions).tolist()) for p in presets
        ],
        metrics=[
            BrowserMetric(m.name, m.title, m.unit, m.decimals, m.signed, m.counts, m.ideal)
            for m in RAW_METRICS
        ],
        models=[_model(table, standing) for standing in ranking.standings],
        materials=[_material(table, name) for name in table.materials],
        cells=[[[_digits(x, 12) for x in row] for row in table.cells[i]] for i in order],
        raw={
            name: [[_digits(x, 4) for x in values[i]] for i in order]
            for name, values in ranking.raw_units.items()
        },
    )


def _model(table: ScoreTable, standing: Standing) -> BrowserModel:
    """Return what belongs to a model."""
    unjudged = np.argwhere(table.asked & ~table.answered[standing.index])
    # a registered name's facts are those of its card, whatever a file says
    card = load_cards().get(standing.name, standing.entry.run.model)
    return BrowserModel(
        name=standing.name,
        same=standing.same_theory,
        parameters=card.parameters or None,
        seconds=_digits(standing.seconds_per_point, 4),
        unjudged=unjudged.tolist(),
    )


def _material(table: ScoreTable, name: str) -> BrowserMaterial:
    own: list[tuple[int, Unit]] = [
        (k, unit) for k, unit in enumerate(table.units) if unit.material == name
    ]
    reference = own[0][1].reference
    return BrowserMaterial(
        name=name,
        elements=sorted({element for _, unit in own for element in unit.elements}),
        group=reference.spacegroup_number if reference else None,
        system=reference.crystal_system if reference else None,
        units=[k for k, _ in own],
    )


def _digits(value: float, digits: int) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def script_json(text: str) -> Any:
    """Keep JSON inside a script element from ending it."""
    from markupsafe import Markup

    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
