"""A tolerance file proposed from a run: every case just passes, with a little room."""

from __future__ import annotations

import math
from collections.abc import Iterable

from symscape.questions.case import CaseResult, Check
from symscape.questions.registry import metric_named

#: how much worse than in the run a metric may become
ROOM = 1.2


def propose_tolerances(cases: Iterable[CaseResult], base: str, room: float = ROOM) -> str:
    """Return the text of a tolerance file under which these cases pass.

    Limits that a case keeps are left to the base profile; a limit that it exceeds is widened, for
    this case alone, to its value and ``room`` beyond.

    Parameters
    ----------
    cases
        Results of a run; cases that could not be evaluated are named in a comment and left out.
    base
        Profile or file that the run was judged by.
    room
        Factor between a metric's distance from its ideal and the proposed limit.
    """
    lines = [
        "# Proposed from a run: limits that were exceeded are widened, case by case. Read each one",
        "# before you keep it: a tolerance that fits everything finds nothing.",
        f"extends = {quoted(base)}",
    ]
    for case in sorted(cases, key=lambda c: (c.id, c.question)):
        if case.status == "error":
            lines += ["", f"# {case.id}: {case.question} could not be evaluated"]
            continue
        limits = [_widened(check, room) for check in case.checks if _can_widen(check)]
        if limits:
            lines += [
                "",
                "[[override]]",
                f"material = {_pattern(case.material)}",
                f"slice = {_pattern(case.slice)}",
                f"model = {_pattern(case.model)}",
                f"[override.{case.question}]",
                *limits,
            ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a TOML basic string."""
    import json

    # TOML, unlike JSON, wants the delete character escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _pattern(name: str) -> str:
    """Return a TOML string that as a shell pattern stands for itself alone."""
    import glob

    return quoted(glob.escape(name))


def _can_widen(check: Check) -> bool:
    return not check.passed and math.isfinite(check.value) and not _counts_gaps(check)


def _counts_gaps(check: Check) -> bool:
    """Whether a check counts what could not be evaluated, which no tolerance excuses."""
    return metric_named(check.metric).gap


def _widened(check: Check, room: float) -> str:
    low, high = check.limit
    known = metric_named(check.metric).ideal
    if low is None or high is None or low == -high:
        return f"{check.metric} = {abs(check.value) * room:.3g}"
    ideal = (low + high) / 2 if known is None else known
    far = ideal + (check.value - ideal) * room
    return f"{check.metric} = [{min(low, far):.3g}, {max(high, far):.3g}]"
