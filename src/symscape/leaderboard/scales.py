"""How a metric becomes a score: between a perfect and a useless value.

A metric of value v scores 1 at ``perfect`` and beyond, 0 at ``useless`` and beyond, and linearly in
between, as ml-peg does with good and bad thresholds; where values of sound models span several
orders of magnitude, linearly in log v. `catalogue` holds the values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MetricScale:
    """How one metric becomes a number between 0 and 1.

    Parameters
    ----------
    metric
        Name in results.json; ``largest`` stands for the largest of all metrics of the question.
    title
        For people.
    unit
        As in results.json.
    perfect, useless
        In ``unit``; of the distance from ``target`` where there is one.
    why
        The reason for the two values, as sentences.
    target
        The ideal value, where it is not zero: 1 for a softening scale or a correlation.
    logarithmic
        Whether the score is linear in the logarithm.
    """

    metric: str
    title: str
    unit: str
    perfect: float
    useless: float
    why: str
    target: float = 0.0
    logarithmic: bool = False

    def score(self, value: float) -> float:
        """Return 1 for perfect or better, 0 for useless, worse or not a number."""
        apart = abs(value - self.target)
        if math.isnan(apart):
            return 0.0
        if self.logarithmic:
            if apart <= self.perfect:
                return 1.0
            share = math.log(self.useless / apart) / math.log(self.useless / self.perfect)
        else:
            share = (self.useless - apart) / (self.useless - self.perfect)
        return float(np.clip(share, 0.0, 1.0))

    def value_text(self, distance: float) -> str:
        """Write one of the two values: ``70``, ``1 ± 0.5``."""
        text = f"{distance:g}"
        if not self.target:
            return text
        if not distance:
            return f"{self.target:g}"
        # a correlation is never above one
        if self.metric in ("spearman", "f1"):
            return f"{self.target - distance:g}"
        return f"{self.target:g} ± {text}"


@dataclass(frozen=True)
class QuestionScale:
    """How one question counts.

    Parameters
    ----------
    question
        As in results.json.
    title
        Head of its column.
    weight
        Its share in the score, relative to the others.
    metrics
        What is averaged, each with equal weight.
    why
        What the question is about, in a few words.
    on_grid
        Whether it is answered from the energies on the grid: points without one then count as
        useless.
    """

    question: str
    title: str
    weight: float
    metrics: tuple[MetricScale, ...]
    why: str
    on_grid: bool = False
