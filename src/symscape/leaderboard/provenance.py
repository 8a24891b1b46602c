"""Who submitted a model's results, and who has computed a part of them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from symscape.leaderboard.kept_files import read_kept, write_kept
from symscape.results.run_results import RunResults

FILE = "provenance.json"
SCHEMA = "symscape-provenance/1"


@dataclass(frozen=True)
class SpotCheck:
    """A part of a run that was computed again (`symscape.leaderboard.rerun`).

    Parameters
    ----------
    by
        Who did.
    date
        ISO 8601.
    share, seed
        Of the draw.
    n_drawn
        How many answers were computed again.
    n_cases
        How many of them are whole cases about what no stored energy decides: forces, invariance,
        fine lines. 0 of a check that asked for energies alone.
    run_started
        When the checked run began: of another run it says nothing.
    agreed
        Whether the model answered as the file says.
    """

    by: str
    date: str
    share: float
    seed: int
    n_drawn: int
    run_started: str
    agreed: bool
    n_cases: int = 0


@dataclass(frozen=True)
class Provenance:
    """What a leaderboard knows of one model's results.

    Parameters
    ----------
    submitted_by
        Empty where not stated.
    checked
        The last spot check.
    """

    submitted_by: str = ""
    checked: SpotCheck | None = None

    def check_of(self, run: RunResults) -> SpotCheck | None:
        """Return the spot check of just this run, if there is one."""
        return self.checked if self.checked and self.checked.run_started == run.started else None


@dataclass(frozen=True)
class _Document:
    schema: str
    models: dict[str, Provenance] = field(default_factory=dict)


def load_provenance(folder: Path) -> dict[str, Provenance]:
    """Return what a leaderboard's folder says of each model; nothing where it has no such file.

    Raises
    ------
    ResultsFileError
        If the file can't be read.
    """
    found = read_kept(_Document, folder / FILE, "restore the file", SCHEMA)
    if found is None:
        return {}
    return found.models


def save_provenance(folder: Path, models: Mapping[str, Provenance]) -> None:
    """Write what is known of each model into a leaderboard's folder, sorted by name."""
    document = _Document(SCHEMA, dict(sorted(models.items())))
    write_kept(folder / FILE, document)
