"""From the test that judges a case to the process that writes the report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symscape.errors import NotEvaluated, SymscapeError, printable
from symscape.questions.case import CaseResult
from symscape.questions.records import plain_case
from symscape.suite.exceptions import FailedVerdict, why_not_judged
from symscape.suite.keys import JUDGED, RECORDED, REPORT_ATTRIBUTE
from symscape.suite.roll import asks, case_of
from symscape.suite.session import session_of
from symscape.verdict.explain import explain, failure_line
from symscape.verdict.gate import borne_out
from symscape.verdict.roll_call import CaseName, could_not_be_judged


def record(item: pytest.Item, result: CaseResult) -> None:
    """Keep a result with the test that made it."""
    item.stash[JUDGED] = True
    item.stash.setdefault(RECORDED, []).append(result)


def record_error(item: pytest.Item, name: CaseName, message: str) -> None:
    """Keep that a case could not be evaluated, and why."""
    record(item, session_of(item.config).judged(could_not_be_judged(name, message)))


def recorder(item: pytest.Item) -> Callable[[CaseResult], None]:
    """Return a function that records a result and fails the test if the case failed."""

    def verdict(result: CaseResult) -> None:
        __tracebackhide__ = True
        result = session_of(item.config).judged(borne_out(result))
        record(item, result)
        # metrics as properties: JUnit XML and other plugins carry them on
        for check in result.checks:
            item.user_properties.append((f"{result.question}.{check.metric}", check.value))
        if result.status == "error":
            # no failure that a tolerance file may have declared as known
            raise NotEvaluated(explain(result))
        if not result.passed:
            # one line for summaries, which CI prints whole; the block stands with the failure
            item.add_report_section("call", "symscape", explain(result))
            raise FailedVerdict(failure_line(result), pytrace=False)

    return verdict


def attach_results(item: pytest.Item, report: pytest.TestReport) -> None:
    """Hand an item's results to its report, which xdist carries to the main process.

    A test that asks a question and passes without a verdict has judged nothing.
    """
    if report.when == "call" and report.passed and asks(item) and not item.stash.get(JUDGED, False):
        name = case_of(item)
        if name is not None:
            record_error(item, name, "its test passed without a verdict; let it call verdict(...).")
    results = item.stash.get(RECORDED, None)
    if results:
        setattr(report, REPORT_ATTRIBUTE, [plain_case(result) for result in results])
        # a result travels with one report only, setup's or call's
        del item.stash[RECORDED]


def shorten_user_error(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Print one sentence instead of a traceback where the user can mend what is wrong.

    The case is recorded as an error, so that reports show that it was not judged.
    """
    error = call.excinfo.value if call.excinfo is not None else None
    message = why_not_judged(error)
    if isinstance(error, SymscapeError) and report.failed:
        report.longrepr = message
    name = case_of(item)
    if message is None or name is None:
        return
    if any(not result.passed for result in item.stash.get(RECORDED, [])):
        return  # what `verdict` raised for it
    record_error(item, name, message)


def first_line(what: object) -> str:
    """Return the first line of a message, cut where it is endless."""
    return printable((str(what).strip().splitlines() or ["no message"])[0][:300])
