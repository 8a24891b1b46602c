"""The roll of a run: which cases it has, and which it was told to leave out.

With several processes the workers collect, so that they tell the main process at their end.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import pytest

from symscape.files import write_atomically
from symscape.verdict.roll_call import CaseName

#: key of a worker's roll in what it hands to the main process
WORKER_KEY = "symscape_roll"
#: what a test asks that does not say
_ASKED_ELSE = {"landscape": "energies", "crystals": "hull", "curves": "equation_of_state"}


class PlainRoll(TypedDict):
    """A roll as workers send it: a test and the names of its case; names of cases; tests."""

    cases: list[list[str]]
    deselected: list[list[str]]
    empty: list[str]


@dataclass
class Roll:
    """Cases by the name of their test, those that were deselected apart.

    So are tests that ask something of which the references have nothing.
    """

    cases: dict[str, CaseName] = field(default_factory=dict)
    deselected: set[CaseName] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)

    def enlist(self, items: Iterable[pytest.Item]) -> None:
        """Take in the cases among the tests that are to run."""
        named = [(item, case_of(item)) for item in items]
        self.cases |= {item.nodeid: name for item, name in named if name}
        self.empty |= {item.nodeid for item, name in named if name is None and asks(item)}

    def deselect(self, items: Iterable[pytest.Item]) -> None:
        """Take in the cases among the tests that the user left out (``-k``, ``-m``)."""
        self.deselected |= {name for item in items if (name := case_of(item))}

    def to_plain(self) -> PlainRoll:
        """Return lists of strings, which travel between processes."""
        return {
            "cases": [[test, *name] for test, name in self.cases.items()],
            "deselected": [list(name) for name in self.deselected],
            "empty": list(self.empty),
        }

    def keep(self, path: Path) -> None:
        """Write it where the main process finds it if this one crashes."""
        write_atomically(path, json.dumps(self.to_plain()))

    def merge(self, plain: PlainRoll) -> None:
        """Take in what a worker sent."""
        self.cases |= {test: CaseName(*name) for test, *name in plain["cases"]}
        self.deselected |= {CaseName(*name) for name in plain["deselected"]}
        self.empty |= set(plain["empty"])


_ROLL: pytest.StashKey[Roll] = pytest.StashKey()
_FOLDER: pytest.StashKey[Path] = pytest.StashKey()
#: in what pytest-xdist hands a worker: the file of its roll
_FILE = "symscape_roll_file"


def share_file(config: pytest.Config, workerinput: dict[str, Any]) -> None:
    """Tell a worker where to keep its roll, which the main process reads if it crashes."""
    if _FOLDER not in config.stash:
        folder = tempfile.TemporaryDirectory(prefix="symscape-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        config.stash[_FOLDER] = Path(folder.name)
    workerinput[_FILE] = str(config.stash[_FOLDER] / f"{workerinput['workerid']}.json")


def roll_file(workerinput: dict[str, Any]) -> Path | None:
    """Return the file of a worker's roll; None where there is no worker."""
    found = workerinput.get(_FILE)
    return None if found is None else Path(found)


def merge_left(config: pytest.Config) -> None:
    """Take in what workers have left that could not send it: they crashed, or were stopped."""
    folder = config.stash.get(_FOLDER, None)
    for path in sorted(folder.glob("*.json")) if folder is not None else ():
        roll_of(config).merge(json.loads(path.read_text(encoding="utf-8")))


def roll_of(config: pytest.Config) -> Roll:
    """Return the roll of this process."""
    return config.stash.setdefault(_ROLL, Roll())


def question_of(node: pytest.Item | pytest.Function, fixture: str) -> str:
    """Return the name of the question that a test's marker, called as its fixture, asks."""
    marker = node.get_closest_marker(fixture)
    name: str = marker.args[0] if marker and marker.args else _ASKED_ELSE[fixture]
    return name


def asks(item: pytest.Item) -> bool:
    """Whether a test's marker names the question that it asks."""
    markers = (item.get_closest_marker(fixture) for fixture in _ASKED_ELSE)
    return any(marker is not None and marker.args for marker in markers)


def case_of(item: pytest.Item) -> CaseName | None:
    """Return the case that a test judges; None for any other test."""
    callspec = getattr(item, "callspec", None)
    given: dict[str, object] = callspec.params if callspec is not None else {}
    # where there are no crystals or slices at all, pytest makes a test without a parameter
    params = {name: value for name, value in given.items() if isinstance(value, tuple)}
    for fixture in ("crystals", "curves"):
        if fixture in params:
            model, subject = params[fixture]
            return CaseName(question_of(item, fixture), model, subject.material, subject.slice)
    if "landscape" in params:
        model, entry = params["landscape"]
        return CaseName(question_of(item, "landscape"), model, entry.material, entry.slice)
    return None


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return tests with the cases among them in the order of the questions, others in place."""
    from symscape.questions.registry import QUESTIONS

    order = {name: k for k, name in enumerate(QUESTIONS)}
    named = [(item, case_of(item)) for item in items]
    cases = [(order.get(name.question, len(order)), item) for item, name in named if name]
    sorted_cases = (item for _, item in sorted(cases, key=lambda pair: pair[0]))
    return [next(sorted_cases) if name else item for item, name in named]
