"""What a question is: its metrics, its settings, what it is asked about and how it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from symscape.questions.case import CaseResult
from symscape.questions.metric import Metric
from symscape.questions.subjects import Subject

Quantity = Literal["energy", "forces", "stress"]


@dataclass(frozen=True)
class Scoring:
    """How a question counts on the leaderboard.

    Parameters
    ----------
    head
        Head of its column.
    weight
        Its share in the score, relative to the others.
    why
        What it is about, in a few words.
    on_grid
        Whether it is answered from the energies on the grid: points without one count as useless.
    """

    head: str
    weight: float
    why: str
    on_grid: bool = False


@dataclass(frozen=True)
class Question:
    """One question of the suite: a test function, and what its tolerances may name.

    Parameters
    ----------
    name
        As in results and tolerance files: ``energies``.
    title
        For reports.
    subject
        Of what kind it is what it is asked about.
    metrics
        Those that can have a tolerance.
    ask
        Asks and judges: called with a case (`symscape.questions.asked`) and, as keywords, what its
        result must carry: the model's ``model`` name and ``fingerprint``; for crystals also the
        ``digest`` of their files and the ids of those without energy, ``missing``. Returns None
        where there is nothing to ask.
    detail
        The dataclass that a result of it keeps for reports; None where it keeps nothing. No field
        is called as one of `symscape.questions.notes.Notes`, which every case may keep.
    nothing
        Why there may be nothing to ask.
    settings
        Numbers that set how the metrics are computed, with their defaults; not limits on them.
    needs
        What the model must give.
    scoring
        None where the question does not count on the leaderboard.
    compares_energies
        Whether its metrics in meV/atom are differences from DFT: no limit on them is tighter than
        the error of the reference itself.
    derived
        Metrics that the leaderboard makes of the others: the largest of all.
    place
        Reports and leaderboard tell questions in the order of these numbers, then of names.
    """

    name: str
    title: str
    subject: type[Subject]
    metrics: tuple[Metric, ...]
    ask: Callable[..., CaseResult | None]
    detail: type | None = None
    nothing: str = "there is nothing to ask of it here"
    settings: Mapping[str, float] = field(default_factory=dict)
    needs: frozenset[Quantity] = frozenset({"energy"})
    scoring: Scoring | None = None
    compares_energies: bool = False
    derived: tuple[Metric, ...] = ()
    place: int = 1000

    @property
    def about(self) -> Literal["slices", "crystals", "curves"]:
        """Whether it is asked about slices of landscapes, crystals or equations of state."""
        return self.subject.about

    @property
    def units(self) -> dict[str, str]:
        """Name to unit of each metric."""
        return {metric.name: metric.unit for metric in self.metrics}

    @cached_property
    def scored(self) -> tuple[Metric, ...]:
        """Metrics that count on the leaderboard."""
        return tuple(m for m in (*self.metrics, *self.derived) if m.score is not None)

    def setting(self, name: str, given: Mapping[str, float]) -> float:
        """Return a setting as a tolerance file gives it, or its default."""
        return given.get(name, self.settings[name])
