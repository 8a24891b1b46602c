"""What the index page averages, filters and draws by, as JSON inside it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symscape.leaderboard.collect import Unit
from symscape.leaderboard.presets import Preset
from symscape.leaderboard.ranking import RAW_METRICS, Ranking, Standing
from symscape.leaderboard.scores import ScoreTable, scoring_of


def browser_numbers(ranking: Ranking, presets: tuple[Preset, ...]) -> dict[str, Any]:
    """Return scores and metrics of every unit, and what belongs to models, materials, questions.

    Scores are given with twelve digits, so that the browser's averages are those of
    `symscape.leaderboard.scores` in every digit that anybody prints.
    """
    table = ranking.table
    order = [standing.index for standing in ranking.standings]
    return {
        "questions": [
            {"name": q.name, "title": scoring_of(q).head, "weight": scoring_of(q).weight}
            for q in table.questions
        ],
        "presets": [
            {
                "name": preset.name,
                "title": preset.title,
                "why": preset.why,
                "weights": preset.of(table.questions).tolist(),
            }
            for preset in presets
        ],
        "metrics": [
            {
                "name": metric.name,
                "title": metric.title,
                "unit": metric.unit,
                "decimals": metric.decimals,
                "signed": metric.signed,
                "counts": metric.counts,
                "ideal": metric.ideal,
            }
            for metric in RAW_METRICS
        ],
        "models": [_model(table, standing) for standing in ranking.standings],
        "materials": [_material(table, name) for name in table.materials],
        "cells": [[[_digits(x, 12) for x in row] for row in table.cells[i]] for i in order],
        "raw": {
            name: [[_digits(x, 4) for x in values[i]] for i in order]
            for name, values in ranking.raw_units.items()
        },
    }


def _model(table: ScoreTable, standing: Standing) -> dict[str, Any]:
    """Return what belongs to a model; ``unjudged`` are pairs of unit and question."""
    unjudged = np.argwhere(table.asked & ~table.answered[standing.index])
    return {
        "name": standing.name,
        "same": standing.same_theory,
        "parameters": standing.entry.run.model.parameters or None,
        "seconds": _digits(standing.seconds_per_point, 4),
        "unjudged": unjudged.tolist(),
    }


def _material(table: ScoreTable, name: str) -> dict[str, Any]:
    own: list[tuple[int, Unit]] = [
        (k, unit) for k, unit in enumerate(table.units) if unit.material == name
    ]
    reference = own[0][1].reference
    return {
        "name": name,
        "elements": sorted({element for _, unit in own for element in unit.elements}),
        # a chemical system has no space group
        "group": reference.spacegroup_number if reference else None,
        "system": reference.crystal_system if reference else None,
        "units": [k for k, _ in own],
    }


def _digits(value: float, digits: int) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def script_json(text: str) -> Any:
    """Keep JSON inside a script element from ending it."""
    from markupsafe import Markup

    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
