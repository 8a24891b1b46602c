"""How far values are from their tolerances, and how reports print a check."""

from __future__ import annotations

import math
from typing import Any

from symscape.page.words import limit_text, metric_text, metric_title, unit_text
from symscape.verdict.case import Check


def severity(check: Check) -> float:
    """How many tolerances a value is away from perfect; above 1 where the check failed.

    Perfect is 0 where the tolerance allows it, else 1 (softening scale, correlation), else the
    middle of the interval. Where nothing else than perfect is allowed, 1 and the deviation itself:
    a missing minimum weighs as much as an error twice too large. Infinite if the value is unknown.
    """
    if math.isnan(check.value):
        return math.inf
    perfect, allowed = _allowance(check)
    apart = abs(check.value - perfect)
    if apart == 0 or allowed == math.inf:
        return 0.0
    return apart / allowed if allowed > 0 else 1 + apart


def _allowance(check: Check) -> tuple[float, float]:
    """Return the perfect value and how far it may be missed on the value's side."""
    low = -math.inf if check.limit[0] is None else check.limit[0]
    high = math.inf if check.limit[1] is None else check.limit[1]
    inside = [perfect for perfect in (0.0, 1.0) if low <= perfect <= high]
    if inside:
        perfect = inside[0]
    elif math.isfinite(low) and math.isfinite(high):
        perfect = (low + high) / 2
    else:
        perfect = low if math.isfinite(low) else high
    return perfect, high - perfect if check.value > perfect else perfect - low


def times_text(check: Check) -> str:
    """How many times its tolerance a value is off, in words: ``2.4 ×``."""
    if math.isnan(check.value):
        return "undefined"
    if _allowance(check)[1] == 0 and not check.passed:
        return "none allowed"
    return f"{severity(check):.{0 if severity(check) >= 100 else 1}f} ×"


def check_words(check: Check) -> dict[str, Any]:
    """Return a check's parts as printed, shared by summary and page."""
    return {
        "title": metric_title(check.metric),
        "value": metric_text(check.metric, check.value, check.unit),
        "limit": limit_text(check),
        "unit": unit_text(check.unit),
        "times": times_text(check),
        "passed": check.passed,
    }
