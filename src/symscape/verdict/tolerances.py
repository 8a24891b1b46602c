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

    [[known_failure]]              # see symscape.verdict.known
    material = "Se-*"
    reason = "chains are not in the training set"
    expires = 2027-03-31

The names are those of `symscape.questions.registry.QUESTIONS`; docs/metrics.md has examples.
"""

from __future__ import annotations

import difflib
import math
import os
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from symscape.arguments import named_arguments
from symscape.decode import DecodeError, decode
from symscape.errors import ToleranceFileError, shown
from symscape.questions.limits import CaseTolerances
from symscape.questions.metric import Limit
from symscape.questions.registry import QUESTIONS
from symscape.tomltext import read_toml
from symscape.verdict.known import KnownFailure, KnownFailureTable

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
class Frame:
    """What a tolerance file says beside its limits, which `QUESTIONS` give names to."""

    extends: str = ""
    override: tuple[dict[str, Any], ...] = ()
    known_failure: tuple[KnownFailureTable, ...] = ()


_FRAME = frozenset(field.name for field in fields(Frame))


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
    document = read_toml(path, "tolerance file", ToleranceFileError)
    stated = _frame(where, document)
    # a file of one's own changes the default profile unless it says what else it extends
    base = stated.extends or ("" if name in PROFILES else "default")
    parent = path.parent
    if base and base not in PROFILES and not os.path.isfile(parent / base):
        raise ToleranceFileError(f"{where}: extends {shown(base)}, which is {_neither(base)}")
    overrides, known = _load(base, parent, (*seen, name)) if base else ([], [])
    known = [*known, *(table.parsed(where) for table in stated.known_failure)]
    own = {key: value for key, value in document.items() if key not in _FRAME}
    return [*overrides, *(_parse(where, table) for table in (own, *stated.override))], known


def _frame(where: str, document: dict[str, Any]) -> Frame:
    """Read what a document says beside its limits."""
    stated = {key: value for key, value in document.items() if key in _FRAME}
    try:
        frame: Frame = decode(Frame, stated, "", closed=True)
    except DecodeError as error:
        raise ToleranceFileError(f"{where}: {error}; correct it.") from None
    return frame


def _neither(name: str) -> str:
    """Say that a name stands for no tolerances, and which ones there are."""
    near = difflib.get_close_matches(name, PROFILES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"neither a profile ({', '.join(PROFILES)}) nor a file{hint}"


def _parse(where: str, table: dict[str, Any]) -> Override:
    """Turn one table of a tolerance file into an override."""
    patterns: dict[str, str] = {}
    limits: dict[str, dict[str, Limit]] = {}
    settings: dict[str, dict[str, float]] = {}
    for key, value in table.items():
        if key in _SELECTORS:
            if not isinstance(value, str):
                raise ToleranceFileError(f"{where}: {key} is a name or a shell pattern.")
            patterns[key] = value
            continue
        if key not in QUESTIONS:
            raise ToleranceFileError(f"{where}: {_unknown('question', key, QUESTIONS)}")
        if not isinstance(value, dict):
            raise ToleranceFileError(f"{where}: [{key}] is a table of metrics.")
        question = QUESTIONS[key]
        judged = [metric.name for metric in question.metrics if not metric.gap]
        for name, limit in value.items():
            spot = f"{where}: {key}.{name}"
            if name in question.settings:
                settings.setdefault(key, {})[name] = _number(spot, limit)
            elif name in judged:
                limits.setdefault(key, {})[name] = _limit(spot, limit)
            else:
                known = [*judged, *question.settings]
                raise ToleranceFileError(f"{where}: {_unknown(f'metric of {key}', name, known)}")
    return Override(patterns, limits, settings)


def _number(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
        raise ToleranceFileError(
            f"{where} is {shown(value)}, but must be a number from 0 up, not infinite."
        )
    return float(value)


def _limit(where: str, value: object) -> Limit:
    """Read a limit: a number limits the absolute value, a pair is an interval."""
    if isinstance(value, list):
        pair = [v for v in value if isinstance(v, (int, float)) and not isinstance(v, bool)]
        huge = any(_LARGEST < abs(v) < math.inf for v in pair)
        if len(value) != 2 or len(pair) != 2 or huge or not pair[0] <= pair[1]:
            raise ToleranceFileError(f"{where} is {shown(value)}, but must be [lowest, highest].")
        return float(pair[0]), float(pair[1])
    if value == math.inf:
        return -math.inf, math.inf
    high = _number(where, value)
    return -high, high


def _unknown(what: str, name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}."
    return f"{shown(name)} is no {what}; {hint}"
