"""Counts in words: a mean of few things among many materials would round to nothing."""

from __future__ import annotations

import numpy as np

from symscape.leaderboard.ranking import Ranking, RawMetric, Standing
from symscape.page.words import count_text
from symscape.questions.registry import QUESTIONS
from symscape.questions.subjects import (
    ElementalPrototype,
    ElementGroup,
    HullSystem,
    MaterialSlice,
    Subject,
    SymmetryClass,
    SystemCrystals,
)

#: how many are named before the rest is counted
MOST_NAMES = 5
#: what a question is asked of, one and several; all crystals at once need no word
_NOUNS: dict[type[Subject], tuple[str, str]] = {
    MaterialSlice: ("material", "materials"),
    HullSystem: ("chemical system", "chemical systems"),
    SystemCrystals: ("chemical system", "chemical systems"),
    SymmetryClass: ("symmetry class", "symmetry classes"),
    ElementGroup: ("group of elements", "groups of elements"),
    ElementalPrototype: ("prototype", "prototypes"),
}


def counts_text(ranking: Ranking, standing: Standing, metric: RawMetric) -> str:
    """Say where a model counts any: ``1, in 1 of 16 materials (GeTe)``; empty where unknown.

    Parameters
    ----------
    metric
        One whose values are numbers of things.
    """
    found = _by_material(ranking, standing, metric)
    if not found:
        return ""
    total = f"{sum(found.values()):.0f}"
    nouns = _NOUNS.get(QUESTIONS[metric.question].subject)
    if nouns is None:
        return total
    named = [name for name, count in found.items() if count]
    among = count_text(len(found), *nouns)
    if not named:
        return f"none in {among}"
    shown = ", ".join(named[:MOST_NAMES])
    rest = f" and {len(named) - MOST_NAMES} more" if len(named) > MOST_NAMES else ""
    return f"{total}, in {len(named)} of {among} ({shown}{rest})"


def _by_material(ranking: Ranking, standing: Standing, metric: RawMetric) -> dict[str, float]:
    """Return the sum over the units of each material where the model has a number."""
    found: dict[str, float] = {}
    values = ranking.raw_units[metric.name][standing.index]
    for unit, value in zip(ranking.table.units, values, strict=True):
        if np.isfinite(value):
            found[unit.label] = found.get(unit.label, 0.0) + float(value)
    return found
