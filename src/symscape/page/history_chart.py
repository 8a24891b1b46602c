"""One metric over runs as a small drawing: where its marks, its line and its tolerance lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symscape.page.words import metric_text, unit_text
from symscape.questions.metric import Metric
from symscape.questions.registry import metric_named, metric_title
from symscape.results.history import MetricHistory, Reading

#: size of the drawing, and of the room for numbers on its left and names below, in its own units
WIDTH, HEIGHT = 250, 110
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 242, 10, 90
#: share of the range that is left free above and below
_MARGIN = 0.08


@dataclass(frozen=True)
class Mark:
    """One run's value: its place, how it looks, and words for it.

    ``kind`` is ``passed``, ``failed``, or ``unknown`` for a value that is no number.
    """

    x: float
    y: float
    kind: str
    text: str

    @property
    def cross(self) -> str:
        """The cross of a value that is outside its tolerance, as SVG writes a path."""
        return f"M{self.x - 3.6:.1f} {self.y - 3.6:.1f}l7.2 7.2m0-7.2-7.2 7.2"


@dataclass(frozen=True)
class Band:
    """Where a value is within its tolerance."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """A drawing of ``WIDTH`` times ``HEIGHT``.

    Parameters
    ----------
    title
        The metric in words.
    marks
        One for each run that has a value.
    lines
        Corners of the lines between neighbouring runs, as SVG writes them.
    bands
        Tolerances.
    ends
        The two numbers on the axis of values: height and text.
    alt
        Says what the drawing shows.
    movement
        ``worse``, ``better`` or ``same``; empty if unknown.
    """

    title: str
    marks: tuple[Mark, ...]
    lines: tuple[str, ...]
    bands: tuple[Band, ...]
    ends: tuple[tuple[float, str], ...]
    alt: str
    movement: str = ""


class _Scale:
    """Values to heights: from the lowest to the highest of values, tolerances and the ideal."""

    def __init__(self, values: Sequence[float]):
        self.low, self.high = min(values, default=0.0), max(values, default=1.0)
        if self.high == self.low:
            self.low, self.high = self.low - 0.5, self.high + 0.5
        margin = _MARGIN * (self.high - self.low)
        self._start, self._span = self.low - margin, self.high - self.low + 2 * margin

    def __call__(self, value: float) -> float:
        share = (value - self._start) / self._span
        return round(_BOTTOM - (_BOTTOM - _TOP) * min(max(share, 0.0), 1.0), 1)


def draw_metric(history: MetricHistory, names: Sequence[str]) -> Chart:
    """Lay out one metric.

    Parameters
    ----------
    history
        The metric.
    names
        Of the runs.
    """
    known = metric_named(history.metric)
    readings = [reading and _one_sided(reading, known) for reading in history.readings]
    told_of = [reading for reading in readings if reading]
    numbers = [reading.value for reading in told_of]
    numbers += [end for reading in told_of for end in reading.limit if end is not None]
    numbers += [1.0] * known.counts + ([] if known.ideal is None else [known.ideal])
    scale = _Scale([number for number in numbers if math.isfinite(number)])
    places = _places(len(names))
    marks = [
        _mark(history, reading, places[k], scale, names[k]) if reading else None
        for k, reading in enumerate(readings)
    ]
    title, unit = metric_title(history.metric), unit_text(history.unit)
    told = "; ".join(_spoken(history, reading) for reading in told_of)
    return Chart(
        title=f"{title} ({unit})" if unit else title,
        marks=tuple(mark for mark in marks if mark),
        lines=_lines(marks),
        bands=_bands(readings, places, scale),
        ends=tuple(
            (scale(end), metric_text(history.metric, end)) for end in (scale.low, scale.high)
        ),
        alt=f"{title} over {len(names)} runs, in their order: {told}",
        movement=history.movement or "",
    )


def _one_sided(reading: Reading, metric: Metric) -> Reading:
    """Cut a tolerance off where a metric has no values: below an error of nothing."""
    low, high = reading.limit
    if metric.signed or metric.ideal != 0 or low is None or low > 0:
        return reading
    return replace(reading, limit=(0.0, high))


def _mark(history: MetricHistory, reading: Reading, x: float, scale: _Scale, name: str) -> Mark:
    if not math.isfinite(reading.value):
        return Mark(x, _TOP, "unknown", f"{name}: undefined")
    kind = "passed" if reading.passed else "failed"
    number = metric_text(history.metric, reading.value)
    return Mark(x, scale(reading.value), kind, f"{name}: {number}")


def _spoken(history: MetricHistory, reading: Reading) -> str:
    """Say a value to those who can't see its mark; that it is within its tolerance goes unsaid."""
    known = math.isfinite(reading.value)
    number = metric_text(history.metric, reading.value) if known else "undefined"
    return number if reading.passed else f"{number} failed"


def draw_counts(title: str, counts: Sequence[int], names: Sequence[str]) -> Chart:
    """Lay out a number of cases over the runs; it has no tolerance."""
    scale = _Scale([0.0, 1.0, *map(float, counts)])
    places = _places(len(names))
    marks = [
        Mark(x, scale(count), "failed" if count else "passed", f"{name}: {count}")
        for x, count, name in zip(places, counts, names, strict=True)
    ]
    return Chart(
        title, tuple(marks), _lines(marks), (),
        tuple((scale(end), f"{end:g}") for end in (scale.low, scale.high)),
        f"{title} over {len(names)} runs: {'; '.join(mark.text for mark in marks)}",
    )  # fmt: skip


def _places(count: int) -> list[float]:
    if count == 1:
        return [(_LEFT + _RIGHT) / 2]
    step = (_RIGHT - _LEFT - 12) / (count - 1)
    return [round(_LEFT + 6 + k * step, 1) for k in range(count)]


def _lines(marks: Sequence[Mark | None]) -> tuple[str, ...]:
    """Join neighbours that both have a number."""
    lines: list[list[str]] = [[]]
    for mark in marks:
        if mark is None or mark.kind == "unknown":
            lines.append([])
        else:
            lines[-1].append(f"{mark.x:g},{mark.y:g}")
    return tuple(" ".join(line) for line in lines if len(line) > 1)


def _bands(
    readings: Sequence[Reading | None], places: Sequence[float], scale: _Scale
) -> tuple[Band, ...]:
    """Shade what is within the tolerance, neighbours of one tolerance together."""
    half = (places[1] - places[0]) / 2 if len(places) > 1 else (_RIGHT - _LEFT) / 2
    found: list[tuple[float, float, float, float]] = []
    for x, reading in zip(places, readings, strict=True):
        if reading is None or reading.limit == (None, None):
            continue
        low, high = reading.limit
        top = _TOP if high is None else scale(high)
        bottom = _BOTTOM if low is None else scale(low)
        left, right = max(x - half, _LEFT), min(x + half, _RIGHT)
        # neighbours meet but for rounding
        if found and found[-1][2:] == (top, bottom) and left - found[-1][1] < 0.2:
            found[-1] = (found[-1][0], right, top, bottom)
        else:
            found.append((left, right, top, bottom))
    return tuple(
        # a tolerance of nothing is a line
        Band(round(left, 1), top, round(right - left, 1), round(max(bottom - top, 1.0), 1))
        for left, right, top, bottom in found
    )
