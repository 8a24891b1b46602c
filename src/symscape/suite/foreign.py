"""Warnings of other packages: shown once at the end and counted, not in full wherever they came."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from symscape.suite.roll import roll_of

if TYPE_CHECKING:
    from symscape.suite.outcome import Outcome

#: what is above a module of an installed package in its path
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/]([^\\/]+)")
#: letters of a message, whose first line is told
_LONGEST = 160


class ForeignWarning(NamedTuple):
    """A warning as it is counted: the package that gave it, its class and its first line."""

    package: str
    category: str
    message: str


def package_of(file: str) -> str:
    """Return the installed package that a file belongs to; empty for symscape and a user's own."""
    found = _INSTALLED.search(file)
    name = found[1].removesuffix(".py") if found else ""
    return "" if name == "symscape" else name


class ForeignWarnings:
    """Takes warnings of other packages out of pytest's list, in runs that judge a potential.

    Parameters
    ----------
    outcome
        Knows whether anything was judged; other sessions keep pytest's list as it is.
    """

    def __init__(self, outcome: Outcome):
        self.outcome = outcome
        self.counts: Counter[ForeignWarning] = Counter()

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Count what another package says."""
        if package := package_of(warning_message.filename):
            lines = str(warning_message.message).strip().splitlines() or [""]
            self.counts[
                ForeignWarning(package, warning_message.category.__name__, lines[0][:_LONGEST])
            ] += 1

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None]:
        """Keep pytest's list to what is the user's own business, and close with the others."""
        counted = bool(self.counts) and bool(roll_of(self.outcome.config).cases)
        if counted:
            stats = terminalreporter.stats
            own = [w for w in stats.get("warnings", []) if not package_of(_file(w))]
            stats["warnings"] = own
        yield
        if counted and not self.outcome.config.option.disable_warnings:
            terminalreporter.section("warnings of other packages")
            for (package, category, message), count in self.counts.most_common():
                terminalreporter.write_line(f"{package}: {count} × {category}: {message}")


def _file(report: Any) -> str:
    """Return the file that a warning of pytest's list came from."""
    return str(report.fslocation[0]) if report.fslocation else ""
