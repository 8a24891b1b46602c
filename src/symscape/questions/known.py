"""What a case carries into its result beside the verdict: who was asked, and of which files.

Keywords of the functions that ask and judge, so that a notebook names only those that it knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True)
class NotJudged:
    """Crystals on which a model is not judged, and why."""

    reason: str
    crystals: tuple[str, ...]


class Known(TypedDict, total=False):
    """Of the model, beside its name.

    Parameters
    ----------
    fingerprint
        Identifies the weights, package version and number format.
    seconds
        What asking took.
    """

    fingerprint: str
    seconds: float


class KnownOfCrystals(Known, total=False):
    """The same, and what is known of the crystals.

    Parameters
    ----------
    digest
        Of their files.
    missing
        Ids of crystals of the case that the model has no energy of: any of them fails it.
    warnings
        What a reader should know before trusting the numbers.
    """

    digest: str
    missing: Sequence[str]
    warnings: Sequence[str]


class _Named(TypedDict):
    model: str


class AskedOf(Known, _Named):
    """What a question about slices is asked with: the ``model``'s name too."""


class AskedOfCrystals(KnownOfCrystals, _Named):
    """What a question about crystals is asked with: the ``model``'s name too."""


class AskedOfCurves(AskedOfCrystals, total=False):
    """What a question about curves is asked with.

    Parameters
    ----------
    not_judged
        The other crystals of the subject, and why.
    """

    not_judged: Sequence[NotJudged]
