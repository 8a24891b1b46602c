"""Numbers, limits and places as reports print them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from symscape.landscape.metrics import POINTWISE
from symscape.report.points import ClosestPair
from symscape.report.results import axis_label
from symscape.verdict.case import Check

#: what stands where there is no number
NOTHING = "–"
_DECIMALS = {"meV/atom": 1, "angstrom": 3}
#: pure numbers that count something
_COUNTS = ("failed_points", "n_points", "missing_minima", "spurious_minima")
_UNITS = {"angstrom": "Å"}


def number_text(value: float | None, decimals: int, *, sign: bool = False) -> str:
    """Write a number with a true minus sign; a dash where there is none.

    Parameters
    ----------
    sign
        Whether positive numbers get a plus.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:{'+' if sign else ''}.{decimals}f}"
    # −0.0 is noise
    if float(text) == 0:
        text = f"{0:.{decimals}f}"
    return text.replace("-", "−")


def metric_text(metric: str, value: float | None, unit: str) -> str:
    """Write a metric's value with the decimals that make sense for its unit."""
    if metric in _COUNTS:
        return number_text(value, 0)
    return number_text(value, _DECIMALS.get(unit, 3), sign=metric == "mean_signed_error")


def metric_title(metric: str) -> str:
    """Words for a metric: ``mean absolute error``."""
    if metric == "failed_points":
        return "points without energy"
    known = POINTWISE.get(metric)
    return known.title if known else metric.replace("_", " ")


def unit_text(unit: str) -> str:
    """Write a unit as it is printed."""
    return _UNITS.get(unit, unit)


def limit_text(check: Check) -> str:
    """Write a tolerance: ``≤ 25``, ``±25`` where the sign counts, ``0.85 to 1.15``."""
    low, high = (None if end is None else f"{end:g}".replace("-", "−") for end in check.limit)
    if low is None and high is None:
        return NOTHING
    if low is None:
        return f"≤ {high}"
    if high is None:
        return f"≥ {low}"
    if low == high:
        return high
    if check.metric == "spearman" and high == "1":
        return f"≥ {low}"
    if low == f"−{high}":
        return f"±{high}" if check.metric == "mean_signed_error" else f"≤ {high}"
    return f"{low} to {high}"


def place_text(values: Mapping[str, float]) -> str:
    """Write where a grid point is: ``z(Ti) = 0.4800, z(O) = −0.0600``."""
    return ", ".join(f"{axis_label(k)} = {number_text(v, 4)}" for k, v in values.items())


def pair_text(pair: ClosestPair) -> str:
    """Write the closest pair: ``Ti–O 1.71 Å (0.83 of the sum of covalent radii)``."""
    return (
        f"{'–'.join(pair.elements)} {number_text(pair.distance_A, 2)} Å "
        f"({number_text(pair.ratio, 2)} of the sum of the covalent radii)"
    )


def sentence_text(text: str) -> str:
    """Begin a remark with a capital, unless it begins with a name, and end it with a full stop."""
    first = text.split(" ", 1)[0]
    begin = text[:1].upper() if first.isalpha() and first.islower() else text[:1]
    return begin + text[1:].rstrip(". ") + "."


def count_text(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 landscape``, ``3 landscapes``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def duration_text(seconds: float) -> str:
    """Write a duration: ``48 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if not math.isfinite(seconds):
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
