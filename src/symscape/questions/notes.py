"""What any case may keep for reports beside what is its question's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from symscape.questions.named_points import WorstPoint
from symscape.questions.shapes import CrystalShape

Change = Literal["better", "worse", "same", "new", "gone"]


@dataclass(frozen=True)
class BehindRow:
    """A crystal behind a failed check.

    Parameters
    ----------
    id
        Its name.
    value, unit
        What it contributes; None behind a count, where there is no value to tell of each.
    """

    id: str
    value: float | None
    unit: str = ""


@dataclass(frozen=True)
class MetricChange:
    """One metric against the baseline.

    Parameters
    ----------
    metric, unit
        As in the checks.
    old, new
        Values; ``old`` is NaN where the baseline has no number for a check that fails today.
    worsening
        How much further the value is from its ideal than the baseline's was, as a share of how far
        the tolerance lets it be; negative where it got better. Where nothing but the ideal is
        allowed: in ones for counts, else in units of the noise. Where the baseline has no number:
        how many tolerances the value is off. Infinite where there is no number any more, minus
        infinite where there was none before; files write neither, so that both are read from the
        values.
    """

    metric: str
    unit: str
    old: float
    new: float
    worsening: float

    def __post_init__(self) -> None:
        if math.isnan(self.worsening):
            worsening = -math.inf if math.isfinite(self.new) else math.inf
            object.__setattr__(self, "worsening", worsening)


@dataclass(frozen=True)
class BaselineDetail:
    """What an earlier run said of the same case, as the new case keeps it.

    Parameters
    ----------
    change
        ``better``, ``worse`` or ``same``.
    metrics
        Every metric that both have.
    energies
        The earlier model's energies in eV/atom with its own zero, shape (n_u, n_v), NaN where
        there are none; None but for the question ``energies``.
    fingerprint
        Of the earlier model.
    """

    change: Change
    metrics: tuple[MetricChange, ...] = ()
    energies: tuple[tuple[float, ...], ...] | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Notes:
    """What any case may keep; None where there is nothing to say, which files leave out.

    Parameters
    ----------
    behind
        By the metric's name, the crystals that make it what it is.
    missing_crystals
        Ids of those that the model has no energy of, the first of them.
    digest
        Of the files of the crystals.
    warnings
        What a reader should know before trusting the numbers.
    message
        Why the case could not be judged.
    worst
        Where on its slice the largest error is.
    shapes
        Crystals behind failed checks, by their ids.
    known_failure, known_failure_expires
        Why the case is expected to fail, and the last day (ISO 8601) on which it is.
    baseline
        What an earlier run said of the same case.
    """

    behind: Mapping[str, tuple[BehindRow, ...]] | None = None
    missing_crystals: tuple[str, ...] | None = None
    digest: str | None = None
    warnings: tuple[str, ...] | None = None
    message: str | None = None
    worst: WorstPoint | None = None
    shapes: Mapping[str, CrystalShape] | None = None
    known_failure: str | None = None
    known_failure_expires: str | None = None
    baseline: BaselineDetail | None = None
