"""Gathering the results of a run and writing one report a model."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from symscape.suite.keys import REPORT_ATTRIBUTE
from symscape.suite.record import first_line
from symscape.suite.roll import WORKER_KEY, CaseName, roll_file, roll_of

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.page.early_figures import EarlyFigures
    from symscape.questions.case import CaseResult
    from symscape.results.history import History
    from symscape.results.run_results import BaselineSummary, RunResults
    from symscape.suite.session import SuiteSession
    from symscape.verdict.gate import Baseline, Key

#: what a run says that evaluated every energy anew: its times are those of the model
_UNCACHED = {"cache": "off"}


class Outcome:
    """Collects the results in the process that has the terminal, whichever process made them."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.started = time.time()
        self.cases: list[CaseResult] = []
        self.early: EarlyFigures | None = None
        self.notes: list[str] = []
        self.written: list[tuple[RunResults, Path]] = []
        self.problems: list[str] = []
        #: tests that failed without a result, and why; tests that were skipped, and why
        self.lost: dict[str, str] = {}
        self.skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take over the results that came with a test's report."""
        found = [self._read(record) for record in getattr(report, REPORT_ATTRIBUTE, [])]
        if found and not self.cases:
            self._set_earlier_reports_aside()
        self.cases += found
        for case in found:
            self._draw_early(case)
        if report.failed and not found:
            self.lost[report.nodeid] = first_line(report.longrepr)
        if report.skipped and isinstance(report.longrepr, tuple):
            self.skipped[report.nodeid] = str(report.longrepr[2]).removeprefix("Skipped: ")

    def _read(self, record: dict[str, Any]) -> CaseResult:
        """Read what a test recorded; a question that keeps what it can't read fails the run."""
        from symscape.decode import DecodeError
        from symscape.questions.case import CaseResult
        from symscape.questions.notes import Notes
        from symscape.questions.records import read_case

        try:
            return read_case(record)
        except DecodeError as error:
            name = CaseName(*(record[key] for key in CaseName._fields))
            message = f"what question {name.question!r} keeps can't be read back: {error}."
            self.problems.append(f"{'-'.join(name[1:])}: {message}")
            return CaseResult(*name, "error", notes=Notes(message=message))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over a worker's roll of cases; one that crashed has left it in a file."""
        output = getattr(node, "workeroutput", None) or {}
        left = roll_file(node.workerinput)
        if WORKER_KEY in output:
            roll_of(self.config).merge(output[WORKER_KEY])
        elif left is not None and left.exists():
            roll_of(self.config).merge(json.loads(left.read_text(encoding="utf-8")))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports, after an interruption too; a run whose report is lost has failed.

        A run that judged nothing is not green, nor one that lacks what its baseline judged.
        """
        if self.config.option.collectonly:
            return
        if self.early is not None:
            self.early.end()
        self._record_lost_cases()
        self._refuse_excused_errors(session.exitstatus)
        self._write_reports()
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if not self.cases and roll_of(self.config).cases:
            self._set_earlier_reports_aside()
            if session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def _record_lost_cases(self) -> None:
        """Record as errors the cases whose test failed without a result: the worker crashed."""
        from symscape.questions.case import CaseResult
        from symscape.questions.notes import Notes
        from symscape.suite.session import session_of

        recorded = {CaseName(c.question, c.model, c.material, c.slice) for c in self.cases}
        for test, reason in self.lost.items():
            name = roll_of(self.config).cases.get(test)
            if name is not None and name not in recorded:
                result = CaseResult(*name, "error", notes=Notes(message=reason))
                self.cases.append(session_of(self.config).judged(result))

    def _refuse_excused_errors(self, exitstatus: int) -> None:
        """Fail a run that pytest takes for green though a case could not be evaluated.

        A marker of the user's own (``xfail``) excuses whatever a test raises.
        """
        errors = [case for case in self.cases if case.status == "error"]
        if errors and exitstatus == pytest.ExitCode.OK:
            self.problems.append(
                f"{len(errors)} cases could not be evaluated, {errors[0].id} among them; no marker "
                "of a test excuses that."
            )

    def _draw_early(self, case: CaseResult) -> None:
        """Have the figures of a slice drawn while the run goes on, if it decides them."""
        from symscape.models.threads import cores
        from symscape.page.early_figures import EarlyFigures, about_the_same, decide_figures
        from symscape.suite.session import session_of

        session = session_of(self.config)
        figures = session.settings.figures
        own = about_the_same(self.cases, case)
        if cores() < 2 or not decide_figures(own, "forces" in figures):
            return

        def run() -> RunResults:
            return self._run(session, session.models[case.model], own)

        if self.early is None:
            self.early = EarlyFigures(relief="relief" in figures)
        folder = session.settings.report_dir / case.model
        self.early.add(folder, f"{case.material}-{case.slice}", run)

    def _set_earlier_reports_aside(self) -> None:
        """Keep the reports of an earlier run from being taken for this one's."""
        from symscape.page.unfinished import set_aside
        from symscape.suite.session import session_of

        session = session_of(self.config)
        for name in session.model_names:
            try:
                set_aside(session.settings.report_dir / name, name, self._began)
            except OSError as error:
                self.problems.append(f"an earlier report of {name} can't be set aside: {error}")

    @property
    def _began(self) -> str:
        """When the run began, ISO 8601."""
        return datetime.fromtimestamp(self.started, UTC).isoformat(timespec="seconds")

    def _write_reports(self) -> None:
        if not self.cases:
            return
        from symscape.models.threads import cores
        from symscape.page.github import append_job_summary
        from symscape.page.report import write_report
        from symscape.suite.progress_lines import progress_line
        from symscape.suite.session import session_of

        session = session_of(self.config)
        for run in self._runs(session):
            folder = session.settings.report_dir / run.model.name
            try:
                with progress_line(
                    self.config, f"figures of {run.model.name}", "slices"
                ) as progress:
                    relief = "relief" in session.settings.figures
                    write_report(
                        folder,
                        run,
                        relief=relief,
                        jobs=cores(),
                        progress=progress,
                        history=self._history(session, run),
                    )
                append_job_summary(folder / "summary.md")
            except OSError as error:
                self.problems.append(f"the report of {run.model.name} can't be written: {error}")
                continue
            self.written.append((run, folder))
            if run.baseline and run.baseline.gone and not session.settings.allow_gone:
                self.problems.append(
                    f"{len(run.baseline.gone)} cases that the baseline of {run.model.name} judged "
                    "are gone from this run; --allow-gone accepts that."
                )
        self._write_proposal(session)
        self.notes += session.unused_overrides()

    def _history(self, session: SuiteSession, run: RunResults) -> History | None:
        """Return the earlier runs with this one at their end; None if none were asked for."""
        from symscape.errors import ResultsFileError
        from symscape.results.history import load_history, with_run

        folder = session.settings.history
        if folder is None:
            return None
        try:
            return with_run(load_history(folder), run)
        except ResultsFileError as error:
            # the first of many runs has none before it; a report without it is still a report
            self.notes.append(f"the report of {run.model.name} has no history: {error}")
            return None

    def _nothing_judged(self) -> str:
        """Say why a run judged nothing; empty where it did, or had nothing to judge."""
        cases = roll_of(self.config).cases
        if self.cases or not cases or self.config.option.collectonly:
            return ""
        reasons = [reason for test, reason in self.skipped.items() if test in cases]
        why = f", for example: {reasons[0]}" if reasons else "; see above."
        return f"nothing was judged: {len(reasons)} of {len(cases)} cases were skipped{why}"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what changed, what fails the run and what went wrong; `Closing` says the verdict."""
        if sentence := self._nothing_judged():
            terminalreporter.section("symscape")
            terminalreporter.write_line(sentence, red=True)
        if not self.cases:
            return
        from symscape.page.github import failure_annotations

        lines = [
            line
            for run, _ in self.written
            for line in [*self._changes(run), *failure_annotations(run.cases)]
        ]
        if lines or self.notes or self.problems:
            terminalreporter.section("symscape")
        for line in lines:
            terminalreporter.write_line(line)
        for note in self.notes:
            terminalreporter.write_line(note)
        for problem in self.problems:
            terminalreporter.write_line(problem, red=True)

    def _write_proposal(self, session: SuiteSession) -> None:
        """Write the tolerances under which the run passes, if they were asked for."""
        path = session.settings.proposal
        if path is None:
            return
        from symscape.files import write_atomically
        from symscape.verdict.limit_proposal import propose_tolerances

        cases = [case for run, _ in self.written for case in run.cases]
        try:
            write_atomically(path, propose_tolerances(cases, _base(session, path)))
        except OSError as error:
            self.problems.append(f"the proposed tolerances can't be written: {error}")
            return
        self.notes.append(f"proposed tolerances: {path}; read them before you use them")

    def _changes(self, run: RunResults) -> list[str]:
        """Compare a run with its baseline, if it has one."""
        from symscape.suite.session import session_of
        from symscape.verdict.gate import change_table

        session = session_of(self.config)
        baseline = session.baselines.get(run.model.name)
        if baseline is None:
            return []
        gone = list(run.baseline.gone) if run.baseline else []
        return change_table(list(run.cases), baseline, gone)

    def _runs(self, session: SuiteSession) -> list[RunResults]:
        """Make one run's results a model, in the order in which the models were asked for."""
        return [
            self._run(session, session.models[name], [c for c in self.cases if c.model == name])
            for name in session.model_names
            if any(c.model == name for c in self.cases)
        ]

    def _run(
        self, session: SuiteSession, model: EnergyModel, cases: list[CaseResult]
    ) -> RunResults:
        from symscape.errors import ReferenceFileError
        from symscape.results.run_results import RunResults, summarize_reference
        from symscape.results.versions import versions
        from symscape.suite.selection import selection_of

        workers = getattr(session.config.option, "numprocesses", None) or 1
        ran = {(case.material, case.slice) for case in cases}
        summaries = []
        for entry in session.entries:
            if (entry.material, entry.slice) in ran:
                try:
                    summaries.append(summarize_reference(session.reference(entry)))
                except ReferenceFileError:
                    # the case that needed it says what is wrong with it
                    continue
        return RunResults(
            model=model.card,
            fingerprint=next((case.fingerprint for case in cases if case.fingerprint), ""),
            cases=tuple(cases),
            references=tuple(summaries),
            versions={
                **versions(model, workers),
                **({} if session.settings.use_cache else _UNCACHED),
            },
            started=self._began,
            wall_seconds=round(time.time() - self.started, 2),
            tolerances=session.tolerances.name,
            baseline_notes=self._baseline_notes(session, model.card.name),
            baseline=_summarize_baseline(session, model.card.name, cases),
            selection=selection_of(session, model.card.name),
        )

    def _baseline_notes(self, session: SuiteSession, model: str) -> tuple[str, ...]:
        baseline = session.baselines.get(model)
        if baseline is None:
            return ()
        margin = f"{100 * baseline.margin:g} % of the tolerance"
        return (f"Cases fail only where they are worse than in {baseline.name} by over {margin}.",)


def _summarize_baseline(
    session: SuiteSession, model: str, cases: list[CaseResult]
) -> BaselineSummary | None:
    """Return what the results keep of a model's baseline, if it has one."""
    from symscape.results.run_results import BaselineSummary

    baseline = session.baselines.get(model)
    if baseline is None:
        return None
    judged = {(case.question, case.material, case.slice) for case in cases}
    earlier = list(baseline.cases.values())
    return BaselineSummary(
        name=baseline.name,
        model=next((case.model for case in earlier), ""),
        margin=baseline.margin,
        fingerprint=next((case.fingerprint for case in earlier if case.fingerprint), ""),
        gone=tuple(baseline.gone(judged, _left_out(session, baseline, model))),
    )


def _left_out(session: SuiteSession, baseline: Baseline, model: str) -> set[Key]:
    """Cases of a baseline that the user left out: with ``-k``, ``-m`` or ``--material``."""
    names = roll_of(session.config).deselected
    left_out = {(name.question, name.material, name.slice) for name in names if name.model == model}
    if session.settings.materials:
        chosen = {entry.material for entry in session.entries}
        chosen |= {entry.system for entry in session.crystals}
        chosen |= session.curves.materials & set(session.settings.materials)
        left_out |= {key for key in baseline.cases if key[1] not in chosen}
    return left_out


def _base(session: SuiteSession, path: Path) -> str:
    """Return what a tolerance file at ``path`` extends to start from those of the run."""
    from symscape.verdict.tolerances import PROFILES

    name = session.tolerances.name
    return name if name in PROFILES else os.path.relpath(name, path.parent)
