"""Numbers, limits and places as reports print them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from symscape.crystal.labels import axis_label, with_overbars
from symscape.questions.behind import BehindCrystal
from symscape.questions.case import Check
from symscape.questions.named_points import ClosestPair
from symscape.questions.registry import metric_named

#: what stands where there is no number
NOTHING = "–"
#: what turns the direction of text around, and what takes no room
_HIDDEN = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


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


def metric_text(metric: str, value: float | None) -> str:
    """Write a metric's value with the decimals that make sense for it."""
    known = metric_named(metric)
    decimals = known.printed_decimals
    if not known.counts and value and 5e-5 <= abs(value) < 0.95 * 10 ** (1 - decimals):
        # contracts hold to a thousandth of what landscapes err: show two digits, within reason
        decimals = min(max(decimals, 1 - math.floor(math.log10(abs(value)))), 4)
    return number_text(value, decimals, sign=known.signed)


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
        # no error at all, and no crystal without an energy
        return "0" if high == "0" else f"≤ {high}"
    if high is None:
        return f"≥ {low}"
    if low == high:
        return high
    known = metric_named(check.metric)
    if check.limit[1] == known.highest:
        return f"≥ {low}"
    if low == f"−{high}":
        return f"±{high}" if known.signed else f"≤ {high}"
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


def crystal_text(crystal: BehindCrystal, *, bare: bool = False) -> str:
    """Name a crystal behind a failed check, with a true minus: ``AlAs-PtS (−367 meV/atom)``.

    Parameters
    ----------
    bare
        Leave the parentheses away, for use within others.
    """
    value = crystal.value.replace("-", "−")
    return f"{crystal.id} {value}".rstrip() if bare else replace(crystal, value=value).text


def symbol_markup(symbol: str) -> Any:
    """Write a space group's symbol with bars and screws: P6<sub>3</sub>mc, P3̅m1; escaped."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"_(\d)", r"<sub>\1</sub>", str(escape(with_overbars(symbol)))))


def prototype_markup(prototype: str) -> Any:
    """Write a prototype with what follows an underscore below the line: NiAs (B8<sub>1</sub>)."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"_([0-9a-z]+)", r"<sub>\1</sub>", str(escape(prototype))))


def formula_markup(formula: str) -> Any:
    """Write a formula with its numbers below the line: PbTiO<sub>3</sub>, escaped."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(\d+)", r"<sub>\1</sub>", str(escape(formula))))


def formulas_markup(text: str) -> Any:
    """Write a sentence with the numbers of its formulas below the line, escaped."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(?<=[A-Za-z)])(\d+)", r"<sub>\1</sub>", str(escape(text))))


def without_controls(value: Any) -> Any:
    """Return what a template prints without characters that turn text around or hide in it."""
    if not isinstance(value, str) or value.isascii():
        return value
    return type(value)(_HIDDEN.sub("", value))


def breakable_markup(name: str) -> Any:
    """Write a name that may be broken after its underscores, as browsers break it at hyphens."""
    from markupsafe import Markup, escape

    return Markup(str(escape(name)).replace("_", "_<wbr>"))


def remark_text(text: str, axes: Iterable[str]) -> str:
    """Write a warning of a case as pages print: ``z(Ge) = 0.4689``, ``Te–Ge 2.826 Å``.

    Parameters
    ----------
    text
        As results files keep it and terminals show it.
    axes
        Names of the slice's axes, which occur in it.
    """
    for name in axes:
        text = re.sub(rf"(?<![\w/]){re.escape(name)} = ", f"{axis_label(name)} = ", text)
    text = re.sub(r"\b([A-Z][a-z]?)-([A-Z][a-z]?) (?=\d)", "\\1–\\2 ", text)
    text = re.sub(r"(?<![\w.)])-(?=\d)", "−", text)
    return unit_text(text)


def sentence_text(text: str) -> str:
    """Begin a remark with a capital, unless it begins with a name, and end it with a full stop."""
    first = text.split(" ", 1)[0]
    begin = text[:1].upper() if first.isalpha() and first.islower() else text[:1]
    return begin + text[1:].rstrip(". ") + "."


def count_text(count: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun: ``1 landscape``, ``3 landscapes``, ``2 minima``."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


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
