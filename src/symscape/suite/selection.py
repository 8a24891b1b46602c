"""Which part of the suite a run was asked for, and how much of it that is."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from symscape.places import benchmark_files
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import Selection
from symscape.suite.quick import QUICK
from symscape.suite.roll import roll_of

if TYPE_CHECKING:
    from symscape.suite.session import SuiteSession

#: the suite's own setting, which leaves out no case
_WHOLE = ("", "not speed")


def selection_of(session: SuiteSession, model: str) -> Selection | None:
    """Return which part of the suite a model was asked; None if it was asked all of it."""
    how = narrowed_by(session.config)
    asked = sum(name.model == model for name in roll_of(session.config).cases.values())
    total = count_suite(session) if how else asked
    return Selection(how, asked, total) if asked < total else None


def narrowed_by(config: pytest.Config) -> str:
    """Say what on the command line leaves cases out; empty where nothing does."""
    words = []
    marks = str(config.getoption("markexpr", "")).strip()
    if marks == QUICK:
        words.append("quick half")
    elif marks not in _WHOLE:
        words.append(f"-m {shlex.quote(marks)}")
    if keywords := str(config.getoption("keyword", "")).strip():
        words.append(f"-k {shlex.quote(keywords)}")
    if materials := config.getoption("--material"):
        words.append(f"--material {','.join(materials)}")
    # --symscape-suite names all of the package's benchmarks itself
    whole = set(map(str, benchmark_files())) if config.getoption("--symscape-suite") else set()
    files = [arg for arg in config.args if not Path(arg.partition("::")[0]).is_dir()]
    words += [Path(arg).name for arg in files if arg not in whole]
    if not words and roll_of(config).deselected:
        words.append("part of the suite")
    return ", ".join(words)


def count_suite(session: SuiteSession) -> int:
    """Count the cases of one model in the whole suite: every question on all its subjects."""
    from symscape.questions.occasions import count_cases
    from symscape.references.crystal_files import list_crystals
    from symscape.references.library import find_references

    roots = session.settings.references
    slices, crystals = len(find_references(roots)), list_crystals(roots)
    return count_cases(QUESTIONS.values(), slices, crystals, session.equations)
