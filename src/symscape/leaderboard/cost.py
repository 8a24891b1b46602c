"""What a model costs: time for a structure where that can be compared, else its parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from symscape.leaderboard.ranking import Standing
from symscape.leaderboard.timing import BATCHED, Timings

_TITLE = "time for a structure, batched"
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


def cost_of(standings: Sequence[Standing], timings: Timings | None = None) -> Cost:
    """Return times where all that were taken are of one kind of machine, else parameters.

    Parameters
    ----------
    timings
        What the keeper of the board measured; it comes before what runs say, which know their
        time only if they were made without the cache of energies
        (`symscape.leaderboard.speed.speed_of`).
    """
    timed = [s for s in standings if math.isfinite(s.seconds_per_point)]
    rest = len(standings) - len(timed)
    left_out = f" {rest} without a time are left out." if rest else ""
    if timings is not None and len(timed) > 1:
        return Cost("seconds", _TITLE, _measured(timings) + left_out)
    machines = {tuple(s.entry.run.versions.get(key, "") for key in _SAME) for s in timed}
    if len(timed) > 1 and len(machines) == 1:
        where = ", ".join(filter(None, machines.pop()))
        return Cost(
            "seconds",
            _TITLE,
            "Median over slices of the time for a grid point, batched, without the cache of "
            f"energies. All on: {where}; whether on the same machine the files don't say."
            f"{left_out}",
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


def _measured(timings: Timings) -> str:
    """Say how times were taken, as sentences."""
    own, days = timings.conditions, sorted({timing.date for timing in timings.models.values()})
    gains = sorted(timing.gain for timing in timings.models.values())
    return (
        f"Energies of {own.slice}, {own.n_atoms} atoms, {BATCHED} structures asked at once, "
        f"loading left out. All on one machine: {own.machine}; {own.device}, threads: "
        f"{own.threads}; {' to '.join(dict.fromkeys((days[0], days[-1])))}. One structure alone "
        f"takes {gains[0]:.1f} to {gains[-1]:.1f} times as long."
    )
