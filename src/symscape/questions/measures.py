"""Metrics beside what computes them: a new one is a line of its question's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ParamSpec

import numpy as np

from symscape.questions.metric import Metric

Found = ParamSpec("Found")


def measured(
    measures: Mapping[Metric, Callable[Found, float]], *found: Found.args, **more: Found.kwargs
) -> dict[str, float]:
    """Return the value of each metric by its name.

    Parameters
    ----------
    measures
        What computes each metric.
    found, more
        What it is computed from: handed to each of them.
    """
    return {metric.name: compute(*found, **more) for metric, compute in measures.items()}


def number(reduce: Callable[[np.ndarray], float], values: np.ndarray) -> float:
    """Return a mean, a maximum, ... of values of shape (n,); NaN where there is none."""
    return float(reduce(values)) if len(values) else float("nan")
