"""Numbers, limits and places as reports print them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from symscape.landscape.metrics import POINTWISE
from symscape.results.detail import ClosestPair
from symscape.results.run_results import axis_label
from symscape.verdict.case import Check

#: what stands where there is no number
NOTHING = "–"
_DECIMALS = {"meV/atom": 1, "meV/angstrom": 1, "meV/atom/angstrom": 1, "angstrom": 3}
#: pure numbers that count something
_COUNTS = (
    "failed_points", "n_points", "missing_minima", "spurious_minima", "matched_minima",
    "missing_saddles", "matched_saddles", "rough_points", "n_forces", "n_crystals",
    "ground_states_missed", "broken_near_hull",
)  # fmt: skip
#: where the name of a metric, without its underscores, is not what it is called
_TITLES = {
    "failed_points": "points without energy",
    "max_displacement": "largest shift of a minimum",
    "max_depth_error": "largest depth error",
    "max_barrier_error": "largest barrier error",
    "mean_barrier_error": "mean barrier error",
    "max_saddle_error": "largest saddle error",
    "bottleneck": "bottleneck distance",
    "wasserstein": "Wasserstein distance",
    "max_jump": "largest jump",
    "max_kink": "largest kink",
    "max_ripple": "largest ripple",
    "relative_force_error": "relative force error",
    "force_softening": "softening scale of forces",
    "cell_choice": "choice of cell",
    "space_group": "space-group operations",
    "equivalent_points": "equivalent grid points",
    "symmetric_forces": "forces off symmetry",
    "force_gradient": "force against gradient",
    "stress_strain": "stress against strain",
    "curl": "work around a loop",
    "formation_mae": "MAE of formation energies",
    "above_hull_mae": "MAE of energies above hull",
    "wrong_order_share": "share of polymorphs in wrong order",
    "false_stable_share": "share of unstable called stable",
    "f1": "F1 of stability",
    "broken_near_hull": "symmetries broken near the hull",
    "max_gained_near_hull": "largest gain near the hull",
    "max_volume_change_near_hull": "largest volume change near the hull",
}


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
    decimals = _DECIMALS.get(unit, 3)
    if value and 5e-5 <= abs(value) < 0.95 * 10 ** (1 - decimals):
        # contracts hold to a thousandth of what landscapes err: show two digits, within reason
        decimals = min(max(decimals, 1 - math.floor(math.log10(abs(value)))), 4)
    return number_text(value, decimals, sign=metric == "mean_signed_error")


def metric_title(metric: str) -> str:
    """Words for a metric: ``mean absolute error``."""
    known = POINTWISE.get(metric)
    return known.title if known else _TITLES.get(metric, metric.replace("_", " "))


def unit_text(unit: str) -> str:
    """Write a unit as it is printed: ``meV/Å³`` for ``meV/angstrom^3``."""
    return unit.replace("angstrom", "Å").replace("^3", "³")


def limit_text(check: Check) -> str:
    """Write a tolerance: ``≤ 25``, ``±25`` where the sign counts, ``0.85 to 1.15``."""
    # adding zero turns −0 into 0
    ends = (None if end is None else f"{end + 0.0:g}" for end in check.limit)
    low, high = (None if end is None else end.replace("-", "−") for end in ends)
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


def group_text(name: str) -> str:
    """Write what a group of crystals has in common: ``3–4 free Wyckoff coordinates``."""
    column, _, number = name.partition("-")
    nouns = {"n_lattice": "free lattice parameter", "n_wyckoff": "free Wyckoff coordinate"}
    if column not in nouns or not number:
        return name
    return f"{number.replace('-', '–')} {nouns[column]}{'' if number == '1' else 's'}"


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
