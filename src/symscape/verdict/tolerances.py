"""Tolerances: how far a model may be off before a case fails.

A tolerance file is TOML::

    extends = "default"            # a profile, or a path relative to this file

    [QUESTION]
    SETTING = 500                  # what the question computes its metrics with
    METRIC = 25                    # |value| <= 25
    OTHER_METRIC = [0.9, 1.1]      # 0.9 <= value <= 1.1

    [[override]]
    material = "P-*"               # shell patterns; also slice = ..., model = ...
    [override.QUESTION]
    METRIC = 60

    [[known_failure]]              # see symscape.verdict.known_failures
    material = "Se-*"
    reason = "chains are not in the training set"
    expires = 2027-03-31

The names are those of `symscape.questions.registry.QUESTIONS`; docs/metrics.md has examples.
"""

from __future__ import annotations

import difflib
import math
import os
from dataclasses import dataclass, fields, make_dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

from symscape.arguments import named_arguments
from symscape.decode import DecodeError, WrittenShort, decode
from symscape.errors import ToleranceFileError, shown
from symscape.questions.limits import CaseTolerances
from symscape.questions.metric import Limit
from symscape.questions.question import Question
from symscape.questions.registry import QUESTIONS
from symscape.tomltext import read_toml
from symscape.verdict.known_failures import KnownFailure, KnownFailureTable

_FOLDER = Path(__file__).with_name("profiles")
PROFILES = ("strict", "default", "loose")
#: no limit means more than this one, and every integer below it fits a float
_LARGEST = 1e300
_SELECTORS = ("material", "slice", "model")


@dataclass(frozen=True)
class Override:
    """Limits for the cases whose names fit the patterns."""

    patterns: dict[str, str]
    limits: dict[str, dict[str, Limit]]
    settings: dict[str, dict[str, float]]

    def applies(self, names: dict[str, str]) -> bool:
        """Whether every pattern fits the case's material, slice and model."""
        return all(fnmatchcase(names[key], pattern) for key, pattern in self.patterns.items())


@dataclass(frozen=True)
class Tolerances:
    """A whole tolerance file: overrides in the order in which they apply, the last one wins."""

    name: str
    overrides: tuple[Override, ...]
    known_failures: tuple[KnownFailure, ...] = ()

    def known_failure(
        self, question: str, *, material: str, slice: str, model: str
    ) -> KnownFailure | None:
        """Return the declaration that fits a case, expired or not; the last one wins."""
        names = {"question": question, "material": material, "slice": slice, "model": model}
        fitting = [known for known in self.known_failures if known.applies(names)]
        return fitting[-1] if fitting else None

    def case(self, question: str, *, material: str, slice: str, model: str) -> CaseTolerances:
        """Return the limits of one question for one case."""
        names = {"material": material, "slice": slice, "model": model}
        limits: dict[str, Limit] = {}
        settings: dict[str, float] = {}
        for override in self.overrides:
            if override.applies(names):
                limits.update(override.limits.get(question, {}))
                settings.update(override.settings.get(question, {}))
        return CaseTolerances(limits, settings)


@dataclass(frozen=True)
class StatedLimit(WrittenShort):
    """A limit as it is written: a number limits the absolute value, a pair is an interval."""

    limit: Limit

    @classmethod
    def written(cls, value: object) -> StatedLimit:
        """Read a number from 0 up, infinite for no limit, or a pair of numbers."""
        if isinstance(value, list):
            pair = [float(v) for v in value if _is_number(v)]
            if len(value) != 2 or len(pair) != 2 or not pair[0] <= pair[1]:
                raise ValueError("[lowest, highest]")
            return cls((pair[0], pair[1]))
        if not _is_number(value) or not value >= 0:
            raise ValueError("a number from 0 up, or [lowest, highest]")
        return cls((-float(value), float(value)))


@dataclass(frozen=True)
class StatedSetting(WrittenShort):
    """A setting as it is written."""

    value: float

    @classmethod
    def written(cls, value: object) -> StatedSetting:
        """Read a number from 0 up, not infinite."""
        if not _is_number(value) or not 0 <= value <= _LARGEST:
            raise ValueError("a number from 0 up, not infinite")
        return cls(float(value))


def _is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number that fits a float with room, or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST or (isinstance(value, float) and math.isinf(value))


Fields = list[tuple[str, Any, Any]]


def _table_of(question: Question) -> type:
    """Return the dataclass of a question's table: its settings, and limits of its metrics.

    What counts gaps is not among them: none is ever allowed.
    """
    judged = (metric.name for metric in question.metrics if not metric.gap)
    settings: Fields = [(name, StatedSetting | None, None) for name in question.settings]
    return _dataclass("Table", [*settings, *((name, StatedLimit | None, None) for name in judged)])


@cache
def _file_kind() -> type:
    """Return the dataclass of a whole tolerance file.

    It and each of its overrides have a table for each question, those of other packages included.
    """
    cases: Fields = [(name, str | None, None) for name in _SELECTORS]
    cases += [(name, _table_of(question) | None, None) for name, question in QUESTIONS.items()]
    override = _dataclass("OverrideTable", cases)
    frame: Fields = [
        ("extends", str, ""),
        ("override", tuple[override, ...], ()),  # type: ignore[valid-type]
        ("known_failure", tuple[KnownFailureTable, ...], ()),
    ]
    return _dataclass("ToleranceFile", [*frame, *cases])


def _dataclass(name: str, fields: Fields) -> type:
    return make_dataclass(name, fields, frozen=True, repr=False, eq=False)


@named_arguments
def load_tolerances(name: str | Path = "default") -> Tolerances:
    """Load a profile (``strict``, ``default``, ``loose``) or a tolerance file.

    Raises
    ------
    ToleranceFileError
        If the file is missing or malformed, or names an unknown question or metric.
    """
    overrides, known = _load(str(name), None, ())
    return Tolerances(str(name), tuple(overrides), tuple(known))


def _load(
    name: str, relative_to: Path | None, seen: tuple[str, ...]
) -> tuple[list[Override], list[KnownFailure]]:
    """Read a file and all that it extends, first what is extended."""
    if name in seen:
        raise ToleranceFileError(f"tolerance file {name!r} extends itself; remove one 'extends'.")
    if name in PROFILES:
        path = _FOLDER / f"{name}.toml"
    else:
        path = Path(name) if relative_to is None else relative_to / name
        if not os.path.exists(path):
            raise ToleranceFileError(f"tolerances {str(path)!r}: {_neither(path.name)}")
    where = f"profile {name!r}" if name in PROFILES else str(path)
    stated = _read(path, where)
    # a file of one's own changes the default profile unless it says what else it extends
    base = stated.extends or ("" if name in PROFILES else "default")
    parent = path.parent
    if base and base not in PROFILES and not os.path.isfile(parent / base):
        raise ToleranceFileError(f"{where}: extends {shown(base)}, which is {_neither(base)}")
    overrides, known = _load(base, parent, (*seen, name)) if base else ([], [])
    known = [*known, *(table.parsed(where) for table in stated.known_failure)]
    return [*overrides, *(_override(table) for table in (stated, *stated.override))], known


def _read(path: Path, where: str) -> Any:
    """Read a file as the questions say what it may hold: `_file_kind`."""
    document = read_toml(path, "tolerance file", ToleranceFileError)
    try:
        return decode(_file_kind(), document, "", closed=True)
    except DecodeError as error:
        raise ToleranceFileError(f"{where}: {error}; correct it.") from None


def _neither(name: str) -> str:
    """Say that a name stands for no tolerances, and which ones there are."""
    near = difflib.get_close_matches(name, PROFILES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"neither a profile ({', '.join(PROFILES)}) nor a file{hint}"


def _override(table: Any) -> Override:
    """Take the patterns, limits and settings of a tolerance file or of one of its overrides."""
    patterns = {name: getattr(table, name) for name in _SELECTORS}
    limits: dict[str, dict[str, Limit]] = {}
    settings: dict[str, dict[str, float]] = {}
    for question in QUESTIONS:
        own = getattr(table, question)
        for name in (field.name for field in fields(own)) if own is not None else ():
            stated = getattr(own, name)
            if isinstance(stated, StatedLimit):
                limits.setdefault(question, {})[name] = stated.limit
            elif stated is not None:
                settings.setdefault(question, {})[name] = stated.value
    return Override({k: v for k, v in patterns.items() if v is not None}, limits, settings)
