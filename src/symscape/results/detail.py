"""Grid points that a verdict names: the worst one, and those at which the model failed.

They come as plain dictionaries in ``CaseResult.detail``, perhaps from a file that somebody else
wrote; here they are checked and get names.
"""

from __future__ import annotations

from dataclasses import dataclass

from symscape.decode import decode, encode
from symscape.questions.case import CaseResult
from symscape.verdict.baseline import Change, MetricChange


@dataclass(frozen=True)
class ClosestPair:
    """The two atoms that are closest for their covalent radii.

    Parameters
    ----------
    elements
        Chemical symbols.
    distance_A
        Angstrom.
    ratio
        Distance over the sum of the covalent radii.
    """

    elements: tuple[str, str]
    distance_A: float
    ratio: float


@dataclass(frozen=True)
class WorstPoint:
    """Where the largest error of a case is.

    Parameters
    ----------
    index
        Grid indices.
    values
        Name of each axis to its value there.
    reference_meV, model_meV, error_meV
        meV/atom above the common zero.
    closest_pair
        What the structure looks like.
    """

    index: tuple[int, int]
    values: dict[str, float]
    reference_meV: float
    model_meV: float
    error_meV: float
    closest_pair: ClosestPair | None = None


@dataclass(frozen=True)
class FailedPoint:
    """A grid point for which the model gave no energy, and why."""

    index: tuple[int, int]
    values: dict[str, float]
    reason: str


@dataclass(frozen=True)
class BaselineDetail:
    """What an earlier run said of the same case.

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
class ForceArrows:
    """Forces per grid step in meV/atom, shape (n_u, n_v, 2), NaN where there are none."""

    reference: tuple[tuple[tuple[float, float], ...], ...]
    model: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class CaseDetail:
    """The part of ``CaseResult.detail`` that reports print.

    Parameters
    ----------
    worst
        The worst point of the judged window.
    failed_points
        Points without an energy of the model.
    warnings
        What a reader should know before trusting the numbers.
    message
        Why the case could not be judged.
    known_failure, known_failure_expires
        Why the case is expected to fail, and the last day (ISO 8601) on which it is.
    baseline
        The same case in the earlier run that this one was judged by.
    arrows
        Forces to be drawn on the maps, where they were asked for.
    """

    worst: WorstPoint | None = None
    failed_points: tuple[FailedPoint, ...] = ()
    warnings: tuple[str, ...] = ()
    message: str | None = None
    known_failure: str | None = None
    known_failure_expires: str | None = None
    baseline: BaselineDetail | None = None
    arrows: ForceArrows | None = None


def read_detail(case: CaseResult, where: str = "detail") -> CaseDetail:
    """Read what a case says about single grid points.

    Parameters
    ----------
    where
        Path of the detail in its document, for the complaint.

    Raises
    ------
    DecodeError
        If a field is missing or of the wrong type.
    """
    detail: CaseDetail = decode(CaseDetail, encode(case.detail), where)
    return detail
