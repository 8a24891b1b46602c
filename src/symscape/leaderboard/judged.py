"""What a leaderboard has worked out already, kept beside its results.

Recomputing takes seconds a model, and the ends of the scales a dozen more. A build need not repeat
what was done of the same files and the same references by the same code, which are recognized by
their digests. A changed or new file is recomputed, and submissions always are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from symscape.digest import JUDGING, code_digest
from symscape.files import checksum
from symscape.leaderboard.kept_files import read_kept, write_kept

FILE = "judged.json"
SCHEMA = "symscape-judged/1"

#: what verdicts and scores follow from
_PACKAGES = (
    *JUDGING,
    "symscape.leaderboard.anchors",
    "symscape.leaderboard.answers",
    "symscape.leaderboard.audit",
    "symscape.leaderboard.case_scores",
    "symscape.leaderboard.chance",
    "symscape.leaderboard.curves",
    "symscape.leaderboard.recompute",
    "symscape.leaderboard.scores",
)


def judging_code() -> str:
    """Return the digest of the source that verdicts and scores follow from."""
    return code_digest(_PACKAGES)


@dataclass(frozen=True)
class KeptStandard:
    """What counts of a case, and where its scale begins (`symscape.leaderboard.scores`)."""

    question: str
    material: str
    slice: str
    wanted: tuple[str, ...]
    zero: float


@dataclass(frozen=True)
class KeptAnchor:
    """The score of a model that says what scores mean, and its score of each question."""

    name: str
    what: str
    score: float
    questions: tuple[float, ...]


@dataclass(frozen=True)
class Judged:
    """What was worked out of one library.

    Parameters
    ----------
    library
        Digest of the references.
    units
        Digest of what was asked about: the anchors' scores are means over it.
    results
        SHA-256 of the results files whose numbers follow from their energies, by model.
    standards
        Of every case of the library.
    anchors
        Best first.
    code
        Digest of the source that they follow from.
    """

    library: str
    units: str = ""
    results: dict[str, str] = field(default_factory=dict)
    standards: tuple[KeptStandard, ...] = ()
    anchors: tuple[KeptAnchor, ...] = ()
    code: str = ""
    schema: str = SCHEMA

    def has(self, model: str, path: Path) -> bool:
        """Whether a results file is the one that was recomputed."""
        return self.results.get(model) == checksum(path)


def text_digest(*parts: str) -> str:
    """Return the SHA-256 of lines of text."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def load_judged(folder: Path) -> Judged | None:
    """Return what a leaderboard's folder keeps; None where it keeps nothing of this code's.

    Raises
    ------
    ResultsFileError
        If the file can't be read.
    """
    found = read_kept(Judged, folder / FILE, "delete the file")
    current = found and found.schema == SCHEMA and found.code == judging_code()
    return found if current else None


def save_judged(folder: Path, judged: Judged) -> None:
    """Write what was worked out into a leaderboard's folder."""
    write_kept(folder / FILE, judged)
