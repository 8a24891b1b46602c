"""What a model costs: time for a structure where that can be compared, else its parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from symscape.leaderboard.ranking import Standing

#: of a run's versions, what must agree for times to be compared
_SAME = ("platform", "processor", "device", "threads")


@dataclass(frozen=True)
class Cost:
    """What stands on the axis of the plot of cost against accuracy.

    Parameters
    ----------
    of
        Name of the number in `symscape.leaderboard.browser`.
    title
        Of the axis, with the unit.
    note
        Why it is that and nothing else, as sentences.
    """

    of: Literal["seconds", "parameters"]
    title: str
    note: str


def cost_of(standings: Sequence[Standing]) -> Cost:
    """Return times where all that were taken are of one kind of machine, else parameters.

    A run knows its time only if it was made without the cache of energies
    (`symscape.leaderboard.ranking.speed_of`).
    """
    timed = [s for s in standings if math.isfinite(s.seconds_per_point)]
    machines = {tuple(s.entry.run.versions.get(key, "") for key in _SAME) for s in timed}
    if len(timed) > 1 and len(machines) == 1:
        where = ", ".join(filter(None, machines.pop()))
        left_out = len(standings) - len(timed)
        rest = f" {left_out} without a time are left out." if left_out else ""
        return Cost(
            "seconds",
            "time for a structure, batched (s)",
            "Median over slices of the time for a grid point, batched, without the cache of "
            f"energies. All on: {where}; whether on the same machine the files don't say.{rest}",
        )
    why = (
        "Times were taken on different machines and can't be compared."
        if len(machines) > 1
        else "No two of these runs were timed (that takes --no-cache)."
    )
    note = (
        f"{why} The number of parameters is a rough measure instead: at equal size, what a model "
        "does with a bond costs more or less."
    )
    return Cost("parameters", "trained parameters", note)
