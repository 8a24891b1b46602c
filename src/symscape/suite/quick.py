"""The marker of the quick half of the suite, ``-m quick``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from symscape.questions.quick_half import cheaper_half, costed
from symscape.suite.roll import case_of
from symscape.suite.session import session_of

if TYPE_CHECKING:
    from symscape.questions.subjects import MaterialSlice
    from symscape.references.reference import LandscapeReference

#: the marker
QUICK = "quick"


def wants_quick(config: pytest.Config) -> bool:
    """Tell whether ``-m`` speaks of quick cases; otherwise no reference is read for them."""
    return re.search(rf"\b{QUICK}\b", str(config.getoption("markexpr", ""))) is not None


def mark_quick(items: Iterable[pytest.Item]) -> None:
    """Give the marker to the tests whose case is about the cheaper half of its kind."""
    named = [(item, name) for item in items if (name := case_of(item)) is not None]
    if not named:
        return
    session = session_of(named[0][0].config)

    def read(subject: MaterialSlice) -> LandscapeReference:
        return session.reference(next(e for e in session.entries if e.id == subject.id))

    subjects = {name: costed(name.subject, session.crystals, read) for _, name in named}
    chosen = cheaper_half(subjects.values())
    for item, name in named:
        if subjects[name] in chosen:
            item.add_marker(QUICK)
