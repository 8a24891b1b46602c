"""The last lines of a run: what it amounts to, the counts, the report, and who failed."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from symscape.suite.roll import roll_of

if TYPE_CHECKING:
    from symscape.suite.outcome import Outcome

#: what a runner such as tox makes of an exit code is not what happened
_EXIT_CODES: dict[int, str] = {
    pytest.ExitCode.TESTS_FAILED: "Exit code 1: the model failed, as the next lines say; the tool "
    "itself ran to its end.",
    pytest.ExitCode.INTERRUPTED: "Exit code 2: the run was interrupted; the report has what was "
    "judged until then.",
    pytest.ExitCode.NO_TESTS_COLLECTED: "Exit code 5: nothing was judged.",
}
#: tox says "failed" whatever the reason
_TOX = "What tox calls a failed evaluation below is this verdict."
_UNJUDGED = "Exit code 1: not everything could be judged; the report says what and why."


class Closing:
    """Prints after pytest's own summary, so that the verdict is what a reader's eye falls on.

    Parameters
    ----------
    outcome
        Has the results of the run.
    """

    def __init__(self, outcome: Outcome):
        self.outcome = outcome

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Let everyone else finish and print, then say what the run amounts to."""
        result = yield
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not session.config.option.collectonly:
            for line in self._lines(session):
                reporter.write_line(line)
        return result

    def _lines(self, session: pytest.Session) -> list[str]:
        written = self.outcome.written
        if not written:
            return []
        from symscape.page.closing_lines import closing_lines

        lines = [self._meaning(int(session.exitstatus))]
        for run, folder in written:
            lines += closing_lines(run, folder, self._skipped(run.model.name))
        return [line for line in lines if line]

    def _meaning(self, code: int) -> str:
        """Say what an exit code means; empty where there is nothing to explain."""
        runs = [run for run, _ in self.outcome.written]
        failed = any(case.status == "failed" for run in runs for case in run.cases)
        if code == pytest.ExitCode.TESTS_FAILED and not failed:
            return _UNJUDGED
        told = _EXIT_CODES.get(code, "")
        tox = code == pytest.ExitCode.TESTS_FAILED and "TOX_ENV_NAME" in os.environ
        return f"{told} {_TOX}" if tox else told

    def _skipped(self, model: str) -> int:
        """Count the cases of a model that were skipped."""
        cases = roll_of(self.outcome.config).cases
        return sum(name in cases and cases[name].model == model for name in self.outcome.skipped)
