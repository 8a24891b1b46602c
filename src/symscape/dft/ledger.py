"""What is done of a list of jobs, what has failed, and what is left: grids and crystals alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from symscape.dft.events import Event, Forgiven
from symscape.dft.journal import Journal, now
from symscape.dft.results import Failure
from symscape.errors import EngineError

Key = TypeVar("Key", bound=Hashable)
Failed = TypeVar("Failed", bound=Failure)

#: a run is given up if so many jobs failed before any succeeded
_HOPELESS = 4


@dataclass(kw_only=True)
class Ledger(ABC, Generic[Key]):
    """The state of a list of jobs, each named by a key.

    What counts as finished differs from kind to kind; the rest follows.

    Parameters
    ----------
    order
        All jobs, in the order in which they are done.
    failures
        Of each job, in their order.
    """

    order: list[Key]
    failures: dict[Key, list[Failure]] = field(default_factory=dict)

    #: how often a job is tried
    attempts: ClassVar[int]

    @property
    @abstractmethod
    def finished(self) -> Collection[Key]:
        """Jobs that have a result, here or where results are stored."""

    @property
    def done(self) -> list[Key]:
        """Listed jobs with a result, in order."""
        finished = self.finished
        return [key for key in self.order if key in finished]

    @property
    def failed(self) -> list[Key]:
        """Listed jobs without result that failed as often as they are tried, in order."""
        finished = self.finished
        return [
            key
            for key in self.order
            if key not in finished and len(self.failures.get(key, [])) >= self.attempts
        ]

    @property
    def todo(self) -> list[Key]:
        """Listed jobs still to be tried, in order."""
        left_alone = set(self.finished).union(self.failed)
        return [key for key in self.order if key not in left_alone]

    def reason(self, key: Key) -> str:
        """Return why a job failed the last time."""
        return self.failures[key][-1].failed

    def forgive(self, journal: Journal) -> None:
        """Let jobs be tried again that failed as often as they may."""
        if self.failed:
            journal.append(Forgiven(time=now()))
            self.failures.clear()


def failures_in(
    events: Iterable[Event], kind: type[Failed], key_of: Callable[[Failed], Key | None]
) -> dict[Key, list[Failure]]:
    """Return failures by key, those left out that have been forgiven since.

    Parameters
    ----------
    events
        Of a journal.
    kind
        Those that are failures.
    key_of
        Returns whose failure an event is, None if that isn't on the list.
    """
    found: dict[Key, list[Failure]] = {}
    for event in events:
        if isinstance(event, Forgiven):
            found.clear()
        elif isinstance(event, kind) and (key := key_of(event)) is not None:
            found.setdefault(key, []).append(event)
    return found


def care_after(failures: Iterable[Failure]) -> int:
    """Return how careful the next attempt is: a worker's death alone asks for no other mixing."""
    return sum(1 for failure in failures if not failure.died)


def refuse_hopeless(path: Path, kind: str, reasons: Sequence[str], advice: str) -> None:
    """End a run of which nothing has succeeded and too much has failed.

    Parameters
    ----------
    path
        Of the plan.
    kind
        What has failed, in the plural.
    reasons
        Why, one a job.
    advice
        What to do, before it is run again.

    Raises
    ------
    EngineError
        If there are too many.
    """
    if len(reasons) < _HOPELESS:
        return
    alike = len(set(reasons)) == 1
    raise EngineError(
        f"{path}: the first {len(reasons)} {kind} all failed{'' if alike else ', the last one'} "
        f"with '{reasons[-1]}'; {advice} and run again with --retry-failed."
    )
