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
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from symscape.errors import ToleranceFileError, shown

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


def parse_known_failures(where: str, tables: Any) -> tuple[KnownFailure, ...]:
    """Read the ``[[known_failure]]`` tables of a tolerance file.

    Raises
    ------
    ToleranceFileError
        If a table lacks its reason or expiry, or holds something unknown.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ToleranceFileError(
            f"{where}: 'known_failure' is a list of tables, written [[known_failure]]."
        )
    return tuple(_parse(where, table) for table in tables)


def _parse(where: str, table: dict[str, Any]) -> KnownFailure:
    rest = dict(table)
    reason, expires = rest.pop("reason", None), rest.pop("expires", None)
    if not isinstance(reason, str) or not reason.strip():
        raise ToleranceFileError(f"{where}: a known_failure needs a reason, in words.")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise ToleranceFileError(
            f"{where}: a known_failure needs the day on which it expires, e.g. 2027-03-31."
        )
    for key, pattern in rest.items():
        if key not in _PATTERNS:
            raise ToleranceFileError(
                f"{where}: known_failure has {shown(key)}, but takes patterns for "
                f"{', '.join(_PATTERNS)}, a reason and expires."
            )
        if not isinstance(pattern, str):
            raise ToleranceFileError(
                f"{where}: known_failure has {key} = {shown(pattern)}, but it must be a name or a "
                "shell pattern."
            )
    if not rest:
        raise ToleranceFileError(
            f"{where}: a known_failure without a pattern would excuse every case; name some."
        )
    return KnownFailure(rest, reason.strip(), expires)
