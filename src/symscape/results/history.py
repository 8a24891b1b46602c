"""Runs of one model's checkpoints or commits side by side: each metric in the order of the runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from symscape.errors import ResultsFileError
from symscape.questions.metric import Limit, Movement
from symscape.questions.registry import QUESTIONS, metric_named
from symscape.results.files import load_results
from symscape.results.run_results import RunResults
from symscape.verdict.baseline import DEFAULT_MARGIN

#: question, material, slice
Key = tuple[str, str, str]
_FILE = "results.json"


@dataclass(frozen=True, eq=False)
class PastRun:
    """A run and what its file's place says of it: ``step-1000``, ``a1b2c3d``."""

    name: str
    run: RunResults

    @cached_property
    def statuses(self) -> dict[Key, str]:
        """``passed``, ``failed`` or ``error`` of each case."""
        return {_key(case): case.status for case in self.run.cases}


@dataclass(frozen=True)
class Reading:
    """The value of a metric in one run, its tolerance there, and whether it was within."""

    value: float
    limit: Limit
    passed: bool


@dataclass(frozen=True)
class MetricHistory:
    """One metric of one case in every run.

    Parameters
    ----------
    case
        Question, material and slice.
    metric, unit
        As in the checks.
    readings
        One a run; None where a run did not ask, or could not judge.
    """

    case: Key
    metric: str
    unit: str
    readings: tuple[Reading | None, ...]

    @property
    def known(self) -> tuple[Reading, ...]:
        """The readings that there are."""
        return tuple(reading for reading in self.readings if reading is not None)

    @property
    def movement(self) -> Movement | None:
        """Where the last value lies against the first, by today's tolerance; None if unknown."""
        if len(self.known) < 2:
            return None
        first, last = self.known[0], self.known[-1]
        known = metric_named(self.metric)
        return known.movement(first.value, last.value, last.limit, DEFAULT_MARGIN)

    @property
    def growth(self) -> float:
        """How many tolerances further off the last value is than the first; negative if nearer."""
        if len(self.known) < 2:
            return 0.0
        known = metric_named(self.metric)
        first, last = (known.severity(r.value, r.limit) for r in (self.known[0], self.known[-1]))
        # unknown in both is no growth
        return 0.0 if first == last else last - first


@dataclass(frozen=True, eq=False)
class History:
    """Runs in their order, and each metric over them.

    Parameters
    ----------
    runs
        At least one.
    """

    runs: tuple[PastRun, ...]

    @cached_property
    def metrics(self) -> tuple[MetricHistory, ...]:
        """Every metric that any run held against a tolerance, by case in the order of questions."""
        found: dict[tuple[Key, str], dict[int, Reading]] = {}
        units: dict[tuple[Key, str], str] = {}
        for place, past in enumerate(self.runs):
            for case in past.run.cases:
                for check in case.checks:
                    name = (_key(case), check.metric)
                    reading = Reading(check.value, check.limit, check.passed)
                    found.setdefault(name, {})[place] = reading
                    units[name] = check.unit
        order = list(QUESTIONS)
        places = {question: k for k, question in enumerate(order)}

        def rank(name: tuple[Key, str]) -> tuple[str, str, int]:
            (question, material, part), _ = name
            return material, part, places.get(question, len(order))

        return tuple(
            MetricHistory(
                case, metric, units[case, metric],
                tuple(found[case, metric].get(k) for k in range(len(self.runs))),
            )
            for case, metric in sorted(found, key=rank)
        )  # fmt: skip

    @cached_property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """Material and slice of everything that any run asked about, sorted."""
        return tuple(sorted({key[1:] for past in self.runs for key in past.statuses}))


def _key(case: object) -> Key:
    return case.question, case.material, case.slice  # type: ignore[attr-defined]


def find_history(folder: str | Path) -> list[Path]:
    """List the results files below a folder: each ``results.json`` or, without one, ``*.json``.

    Raises
    ------
    ResultsFileError
        If there is no such folder, or no results in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ResultsFileError(f"{folder}: there is no such folder of results.")
    found = sorted(folder.rglob(_FILE)) or sorted(folder.glob("*.json"))
    if not found:
        raise ResultsFileError(
            f"{folder}: no {_FILE} is in this folder or below it; keep the reports of earlier runs "
            "there, each in a folder of its own."
        )
    return found


def load_history(folder: str | Path, *, by_name: bool = False) -> History:
    """Load all results below a folder, in the order in which they were run.

    Parameters
    ----------
    folder
        Holds ``step-1000/results.json`` and the like, at any depth, or ``a1b2c3d.json``.
    by_name
        Order them by their names instead, numbers in them by size: ``step-900``, ``step-1000``.

    Raises
    ------
    ResultsFileError
        If there are none, or one can't be read.
    """
    folder = Path(folder)
    paths = find_history(folder)
    names = _names(folder, paths)
    runs = [PastRun(name, load_results(path)) for name, path in zip(names, paths, strict=True)]
    return History(_ordered(runs, by_name))


def with_run(history: History, run: RunResults, name: str = "this run") -> History:
    """Return a history with a run at its end, once even if the folder had it already."""
    earlier = [past for past in history.runs if _identity(past.run) != _identity(run)]
    return History((*earlier, PastRun(name, run)))


def _ordered(runs: Iterable[PastRun], by_name: bool) -> tuple[PastRun, ...]:
    """Sort runs and leave out those that are there twice."""
    once = {_identity(past.run): past for past in runs}
    if by_name:
        return tuple(sorted(once.values(), key=lambda past: _natural(past.name)))
    return tuple(sorted(once.values(), key=lambda past: (past.run.started, past.name)))


def _identity(run: RunResults) -> tuple[str, str, str]:
    return run.model.name, run.fingerprint, run.started


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts numbers within names by size."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]


def _names(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Name files by their places, without what all of them end with."""
    places = []
    for path in paths:
        own = path.relative_to(folder)
        places.append(own.parent.parts if own.name == _FILE else (*own.parent.parts, own.stem))
    while len(places) > 1 and all(len(p) > 1 for p in places) and len({p[-1] for p in places}) == 1:
        places = [place[:-1] for place in places]
    return ["/".join(place) or folder.resolve().name for place in places]
