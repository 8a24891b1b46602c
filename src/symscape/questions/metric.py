"""What a metric is, said once: gate, severity, scores, tables and pages read it here.

One measure carries all of it. *Badness* is the distance from the ideal value: 0 at best, infinite
for NaN. A limit says how large the badness may be on the side where the value lies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from symscape.rounding import NOISE

#: (low, high); None leaves that side open
Limit = tuple[float | None, float | None]
Movement = Literal["better", "worse", "same"]

_ABOVE_ONE = math.nextafter(1.0, 2.0)
#: digits after the point, by unit
_DECIMALS = {"meV/atom": 1, "meV/angstrom": 1, "meV/atom/angstrom": 1, "angstrom": 3, "%": 1}


@dataclass(frozen=True)
class Score:
    """How a metric's badness becomes a number between 0 (useless) and 1 (perfect).

    Linear in between; where values of sound models span several orders of magnitude, linear in the
    logarithm.

    Parameters
    ----------
    perfect, useless
        Badness, in the metric's unit, that scores 1 and 0.
    why
        The reason for the two values, as sentences.
    """

    perfect: float
    useless: float
    why: str
    logarithmic: bool = False

    def of(self, badness: float) -> float:
        """Return 1 for perfect or better, 0 for useless, worse or infinite."""
        if not math.isfinite(badness):
            return 0.0
        if self.logarithmic:
            if badness <= self.perfect:
                return 1.0
            share = math.log(self.useless / badness) / math.log(self.useless / self.perfect)
        else:
            share = (self.useless - badness) / (self.useless - self.perfect)
        return min(max(share, 0.0), 1.0)


@dataclass(frozen=True)
class Metric:
    """One number that answers a question, and all that anybody needs to know of it.

    Parameters
    ----------
    name
        As in results and tolerance files.
    title
        In words.
    unit
        ``meV/atom``, ``angstrom``, ... or empty for a pure number.
    ideal
        The value of a perfect model; None for a fact that is neither good nor bad.
    signed
        Whether the sign tells something and is printed.
    counts
        Whether it is a number of things.
    decimals
        Digits after the point; by default what suits the unit.
    highest
        The largest value that it can have: 1 for a correlation.
    score
        How it counts on the leaderboard; None where it doesn't.
    on_board
        Whether the leaderboard shows its plain value.
    gap
        Whether it counts what the model gave no energy for: none is ever allowed.
    """

    name: str
    title: str
    unit: str = ""
    ideal: float | None = 0.0
    signed: bool = False
    counts: bool = False
    decimals: int | None = None
    highest: float = math.inf
    score: Score | None = None
    on_board: bool = False
    gap: bool = False

    @property
    def noise(self) -> float:
        """Differences up to this are rounding; 0 for counts."""
        return 0.0 if self.counts else NOISE.get(self.unit, NOISE[""])

    @property
    def printed_decimals(self) -> int:
        """Digits after the point."""
        if self.counts:
            return 0
        return _DECIMALS.get(self.unit, 3) if self.decimals is None else self.decimals

    @property
    def column(self) -> str:
        """Name of its column in tables, with the unit: ``mae_meV_per_atom``."""
        unit = self.unit.replace("angstrom", "A").replace("^3", "3").replace("/", "_per_")
        unit = unit.replace("%", "percent")
        return f"{self.name}_{unit}" if unit else self.name

    def of(self, values: Mapping[Any, float | None]) -> float:
        """Return its value among those of a case; NaN where it isn't there."""
        value = values.get(self.name)
        return math.nan if value is None else float(value)

    def badness(self, value: float, limit: Limit = (None, None)) -> float:
        """Distance from the ideal; for a fact, from the limit. Infinite for what is not finite."""
        if not math.isfinite(value):
            return math.inf
        if self.ideal is None:
            return outside(value, limit)
        return abs(value - self.ideal)

    def allowed(self, value: float, limit: Limit) -> float:
        """Largest badness that a limit allows on the side where the value lies; never negative.

        Infinite where that side is open.
        """
        if self.ideal is None:
            return 0.0
        end = limit[1] if value >= self.ideal else limit[0]
        if end is None or math.isinf(end):
            return math.inf
        return max(end - self.ideal if value >= self.ideal else self.ideal - end, 0.0)

    def severity(self, value: float, limit: Limit) -> float:
        """How many tolerances a value is off; above 1 exactly where the limit is broken.

        Where nothing but the ideal is allowed, a count is measured in ones and a real value in its
        noise, on top of the 1 that it has broken. Infinite if the value is unknown.
        """
        if not math.isfinite(value):
            return math.inf
        broken = outside(value, limit)
        badness, allowed = self.badness(value, limit), self.allowed(value, limit)
        one = 1.0 if self.counts else self.noise
        if not broken:
            if allowed == 0 or math.isinf(allowed):
                return 0.0
            return min(badness / allowed, 1.0)
        if allowed == 0 or math.isinf(allowed):
            return max(1.0 + broken / one, _ABOVE_ONE)
        times = badness / allowed
        # where the ideal itself is outside the limit, being nearer to it does not help
        return times if times > 1 else max(1.0 + broken / allowed, _ABOVE_ONE)

    def movement(self, old: float, new: float, limit: Limit, margin: float) -> Movement | None:
        """Say where a value moved; None if neither of the two is known.

        Parameters
        ----------
        limit
            Today's.
        margin
            A real value moved if its badness changed by more than this share of what is allowed
            and by more than its noise; a count if it changed by one.
        """
        before, after = self.badness(old, limit), self.badness(new, limit)
        if math.isinf(before) and math.isinf(after):
            return "same" if old == new else None
        if math.isinf(before) or math.isinf(after):
            return "worse" if math.isinf(after) else "better"
        growth = after - before
        if self.counts:
            step = 0.5
        else:
            # the side that the worse of the two lies on decides what is allowed
            allowed = self.allowed(new if after >= before else old, limit)
            step = max(margin * allowed, self.noise) if math.isfinite(allowed) else math.inf
        if growth > step:
            return "worse"
        return "better" if growth < -step else "same"


def outside(value: float, limit: Limit) -> float:
    """How far a value lies outside a limit; 0 inside, infinite for what is not finite."""
    if not math.isfinite(value):
        return math.inf
    low, high = limit
    below = 0.0 if low is None else max(low - value, 0.0)
    above = 0.0 if high is None else max(value - high, 0.0)
    return max(below, above)
