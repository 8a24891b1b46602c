"""How long a model takes for a structure, as the board's keeper or its own run says."""

from __future__ import annotations

import math

import numpy as np

from symscape.leaderboard.collect import Board, Entry
from symscape.questions.metric import Score

#: shown, but no part of the score: it depends on the machine
SPEED = Score(
    1e-3,
    15.0,
    "A classical potential takes about a millisecond for a grid point, DFT 15 s on one core.",
    logarithmic=True,
)


def seconds_of(board: Board, entry: Entry) -> float:
    """Return the time for a structure; times of other machines are not put beside measured ones."""
    if board.timings is None:
        return speed_of(entry)
    found = board.timings.models.get(entry.name)
    return found.seconds if found else math.nan


def speed_of(entry: Entry) -> float:
    """Seconds for a grid point's energy, the median over slices; NaN where the run can't say.

    A run says so only if it was made without the cache of energies, which it records as
    ``versions.cache = off``: else the time may be that of looking the energies up.
    """
    if entry.run.versions.get("cache") != "off":
        return math.nan
    rates = []
    for case in entry.run.cases:
        reference = entry.run.reference(case)
        if case.question != "energies" or reference is None or case.seconds <= 0:
            continue
        points = int((np.isfinite(reference.relative) & ~reference.masked).sum())
        if points:
            rates.append(case.seconds / points)
    return float(np.median(rates)) if rates else math.nan
