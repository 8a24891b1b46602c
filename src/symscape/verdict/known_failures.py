"""Known failures: declared in a tolerance file with a reason and a day on which they expire.

::

    [[known_failure]]
    material = "P-*"                  # shell patterns, as in overrides
    question = "energies"
    reason = "no layered phosphorus in the training set, issue 12"
    expires = 2027-03-31
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from symscape.errors import ToleranceFileError

_PATTERNS = ("question", "material", "slice", "model")


@dataclass(frozen=True)
class KnownFailure:
    """Cases that are expected to fail until a day; one that passes before is worth knowing too."""

    patterns: dict[str, str]
    reason: str
    expires: date

    def applies(self, names: dict[str, str]) -> bool:
        """Whether every pattern fits the case's question, material, slice and model."""
        return all(fnmatchcase(names[key], pattern) for key, pattern in self.patterns.items())

    def expired(self, today: date) -> bool:
        """Whether the day has passed."""
        return today > self.expires


@dataclass(frozen=True)
class KnownFailureTable:
    """A ``[[known_failure]]`` as a tolerance file states it: names are shell patterns."""

    reason: str
    expires: date
    question: str | None = None
    material: str | None = None
    slice: str | None = None
    model: str | None = None

    def parsed(self, where: str) -> KnownFailure:
        """Return the declaration.

        Raises
        ------
        ToleranceFileError
            If it gives no reason, or excuses every case.
        """
        if not self.reason.strip():
            raise ToleranceFileError(f"{where}: a known_failure needs a reason, in words.")
        names = {key: getattr(self, key) for key in _PATTERNS}
        patterns = {key: pattern for key, pattern in names.items() if pattern is not None}
        if not patterns:
            raise ToleranceFileError(
                f"{where}: a known_failure without a pattern would excuse every case; name some."
            )
        return KnownFailure(patterns, self.reason.strip(), self.expires)
