"""How far values are from their tolerances, and how reports print a check."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symscape.page.words import limit_text, metric_text, unit_text
from symscape.questions.case import Check
from symscape.questions.registry import metric_named, metric_title


def severity(check: Check) -> float:
    """How many tolerances a value is off; above 1 where the check failed (`Metric.severity`)."""
    return metric_named(check.metric).severity(check.value, check.limit)


def times_text(check: Check) -> str:
    """How many times its tolerance a value is off, in words: ``2.4 ×``."""
    if math.isnan(check.value):
        return "undefined"
    known = metric_named(check.metric)
    if known.allowed(check.value, check.limit) == 0 and not check.passed:
        return "none allowed"
    return f"{severity(check):.{0 if severity(check) >= 100 else 1}f} ×"


@dataclass(frozen=True)
class CheckWords:
    """A check as summary and page print it."""

    title: str
    value: str
    limit: str
    unit: str
    times: str
    passed: bool


def check_words(check: Check) -> CheckWords:
    """Return a check's parts as printed."""
    return CheckWords(
        metric_title(check.metric),
        metric_text(check.metric, check.value),
        limit_text(check),
        unit_text(check.unit),
        times_text(check),
        check.passed,
    )
