"""What a failing case prints: one screen of plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap

from symscape.arguments import named_arguments
from symscape.questions.behind import behind_crystals, behind_texts
from symscape.questions.case import CaseResult, Check
from symscape.questions.energies import points_without_energy
from symscape.questions.named_points import FailedPoint, WorstPoint
from symscape.questions.notes import BaselineDetail
from symscape.questions.registry import metric_named, metric_title, question_words

#: points or loci named in full before the rest is counted
_MOST_POINTS = 5
#: characters of a line that is broken
_WIDTH = 96


@named_arguments
def explain(result: CaseResult) -> str:
    """Say which metrics passed and failed by how much, and where the worst error is."""
    lines = [f"{result.id}: {question_words(result.question)} {result.status}"]
    if result.notes.message:
        lines.append(f"  {result.notes.message}")
    if result.checks:
        lines += ["", *_table(result)]
    lines += [f"  {metric_title(name)}: {text}" for name, text in behind_texts(result).items()]
    if result.notes.baseline:
        lines += ["", *_against_baseline(result.notes.baseline)]
    if result.notes.worst:
        lines += ["", *describe_worst(result.notes.worst)]
    lines += _without_energy(points_without_energy(result))
    lines += [f"note: {warning}" for warning in result.warnings]
    return "\n".join(lines)


def failure_line(result: CaseResult) -> str:
    """Say in one line which metrics are outside their tolerance, and the worst crystal of each."""
    worst = {metric: named[0].text for metric, named in behind_crystals(result).items()}
    failed = [
        f"{metric_title(c.metric)} {c.value:.4g} {c.unit}".rstrip()
        + f" ({'; '.join(filter(None, (plain_limit(c), worst.get(c.metric))))})"
        for c in result.checks
        if not c.passed
    ]
    what = f"{result.id}: {question_words(result.question)} {result.status}"
    return f"{what}: {', '.join(failed) or 'no energy'}"


def _table(result: CaseResult) -> list[str]:
    windows = result.windows
    where = f" (up to {windows.judged} meV/atom above the DFT minimum)" if windows else ""
    rows = [
        (
            "pass" if check.passed else "FAIL",
            metric_title(check.metric),
            f"{check.value:.4g}",
            plain_limit(check),
            check.unit,
            "" if check.passed else excess_text(check),
        )
        for check in sorted(result.checks, key=lambda c: c.passed)
    ]
    head = ("", "metric" + where, "value", "tolerance", "unit", "")
    # the long heading must not widen the column of the names
    widths = [max(len(r[k]) for r in [*rows, ("", "metric", *head[2:])]) for k in range(6)]
    lines = ["  " + "metric" + where]
    for row in rows:
        cells = [
            cell.rjust(w) if k in (2, 3) else cell.ljust(w)
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return lines + _keys([check for check in result.checks if not check.passed])


def _keys(failed: Sequence[Check]) -> list[str]:
    """Say by which keys a tolerance file knows what failed; it knows no gaps."""
    limited = [check.metric for check in failed if not metric_named(check.metric).gap]
    if not limited:
        return []
    named = ", ".join(f"{metric_title(name)} [{name}]" for name in limited)
    return wrap(
        f"in tolerance files: {named}", _WIDTH, initial_indent="  ", subsequent_indent="    "
    )


def plain_limit(check: Check) -> str:
    """``<= 25`` for a limit on the absolute value, ``0.85 .. 1.15`` for an interval; ``none``."""
    low, high = check.limit
    if low is None and high is None:
        return "none"
    if low is None or (high is not None and low == -high):
        return f"<= {high:g}"
    if high is None:
        return f">= {low:g}"
    return f"{low:g} .. {high:g}"


def excess(check: Check) -> float:
    """How far a value lies outside its limit, in the metric's unit; 0 inside, NaN if unknown."""
    low, high = check.limit
    below = 0.0 if low is None else max(low - check.value, 0.0)
    above = 0.0 if high is None else max(check.value - high, 0.0)
    return check.value if check.value != check.value else max(below, above)


def excess_text(check: Check) -> str:
    """By how much a metric fails, in words."""
    if check.value != check.value:
        return "not defined here"
    metric = metric_named(check.metric)
    by = f"off by {excess(check):.3g}"
    if metric.allowed(check.value, check.limit) > 0:
        by += f", {metric.severity(check.value, check.limit):.1f} times the tolerance"
    return by


def describe_worst(worst: WorstPoint) -> list[str]:
    """Say where the largest error is and what the structure there looks like."""
    values = ", ".join(f"{name} = {value:.4f}" for name, value in worst.values.items())
    i, j = worst.index
    lines = [
        f"  worst point: {values} (grid point {i}, {j})",
        (
            f"    DFT {worst.reference_meV:.1f}, model {worst.model_meV:.1f}, "
            f"error {worst.error_meV:+.1f} meV/atom"
        ),
    ]
    if pair := worst.closest_pair:
        lines.append(
            f"    closest pair {'-'.join(pair.elements)} at {pair.distance_A:.3f} angstrom, "
            f"{pair.ratio:.2f} of the sum of the covalent radii"
        )
    return lines


def _without_energy(points: Sequence[FailedPoint]) -> list[str]:
    if not points:
        return []
    lines = ["", f"  the model gave no energy at {len(points)} points:"]
    for point in points[:_MOST_POINTS]:
        values = ", ".join(f"{name} = {value:.4f}" for name, value in point.values.items())
        lines.append(f"    {values} (grid point {point.index}): {point.reason}")
    if len(points) > _MOST_POINTS:
        lines.append(f"    and {len(points) - _MOST_POINTS} more, all in results.json")
    return lines


def _against_baseline(baseline: BaselineDetail) -> list[str]:
    """Say what changed since the baseline, most worsened first."""
    lines = [f"  {baseline.change} than the baseline"]
    if baseline.change == "same":
        lines = ["  the same as the baseline"]
    width = max((len(metric_title(m.metric)) for m in baseline.metrics), default=0)
    for change in sorted(baseline.metrics, key=lambda m: -m.worsening):
        old = f"{change.old:.4g}" if math.isfinite(change.old) else "no value"
        new = f"{change.new:.4g}" if math.isfinite(change.new) else "no value"
        values = f"{old} -> {new} {change.unit}".rstrip()
        # infinite from a number to none
        much = math.isfinite(change.worsening)
        share = f"  ({100 * change.worsening:+.0f} % of the tolerance)" if much else ""
        lines.append(f"    {metric_title(change.metric):<{width}}  {values}{share}")
    return lines
