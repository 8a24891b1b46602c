"""Gathering the results of a run and writing one report a model."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from symscape.suite.keys import REPORT_ATTRIBUTE
from symscape.suite.record import first_line
from symscape.suite.roll import WORKER_KEY, merge_left, roll_of
from symscape.verdict.roll_call import Answer, CaseName, RollCall, exit_code

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
        #: what tests told, as `RollCall` wants it
        self.answers: list[Answer] = []
        self.ended: set[str] = set()
        self.lost: dict[str, str] = {}
        self.skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take over the results that came with a test's report."""
        self.ended.add(report.nodeid)
        if report.outcome == "rerun":  # type: ignore[comparison-overlap]
            return  # a plugin tries again: the last attempt counts
        found = [self._read(record) for record in getattr(report, REPORT_ATTRIBUTE, [])]
        if found and not self.cases:
            self._set_earlier_reports_aside()
        self.cases += found
        self.answers += (Answer(report.nodeid, case) for case in found)
        for case in found:
            self._draw_early(case)
        if report.failed and not found:
            self.lost[report.nodeid] = first_line(report.longrepr)
        if report.skipped and isinstance(report.longrepr, tuple):
            self.skipped[report.nodeid] = str(report.longrepr[2]).removeprefix("Skipped: ")

    @property
    def roll_call(self) -> RollCall:
        """What the run's tests told so far."""
        roll = roll_of(self.config)
        return RollCall(roll.cases, roll.empty, self.answers, self.ended, self.lost, self.skipped)

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
        """Take over a worker's roll of cases; `merge_left` finds that of one that crashed."""
        output = getattr(node, "workeroutput", None) or {}
        if WORKER_KEY in output:
            roll_of(self.config).merge(output[WORKER_KEY])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports, after an interruption too, and end with the code that they deserve.

        A run whose report is lost has failed; a run that judged nothing is not green, nor one that
        lacks what it was asked or what its baseline judged.
        """
        if self.config.option.collectonly:
            return
        if self.early is not None:
            self.early.end()
        merge_left(self.config)
        self._settle_cases()
        self._write_reports()
        call = self.roll_call
        code = int(session.exitstatus)
        if code == pytest.ExitCode.OK:
            self.problems += call.faults()
        if not self.cases and (call.asked or call.empty or roll_of(self.config).deselected):
            self._set_earlier_reports_aside()
        session.exitstatus = exit_code(code, call, self.problems)

    def _settle_cases(self) -> None:
        """Replace what came from tests by one result a case, errors by the baseline judged too."""
        from symscape.suite.session import session_of

        came = {id(answer.result) for answer in self.answers}
        self.cases = [
            case if id(case) in came else session_of(self.config).judged(case)
            for case in self.roll_call.cases()
        ]

    def _nothing_judged(self) -> str:
        """Say why a run judged nothing; empty where it did, or where it asked nothing."""
        left_out = roll_of(self.config).deselected
        if left_out and not self.ended:
            return f"nothing was judged: the options leave out all {len(left_out)} cases"
        return self.roll_call.not_judged()

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

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what changed, what fails the run and what went wrong; `Closing` says the verdict."""
        if self.config.option.collectonly:
            return
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
        waiting = self.roll_call.not_run()
        runs = []
        for name, model in session.models.items():
            own = [case for case in self.cases if case.model == name]
            if not own:
                continue
            run = self._run(session, model, own)
            lacking = [case.words for case in waiting if case.model == name]
            if run.baseline and not session.settings.allow_gone:
                lacking += run.baseline.gone
            runs.append(replace(run, lacking=tuple(dict.fromkeys(lacking))))
        return runs

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
        chosen |= session.curve_materials & set(session.settings.materials)
        left_out |= {key for key in baseline.cases if key[1] not in chosen}
    return left_out


def _base(session: SuiteSession, path: Path) -> str:
    """Return what a tolerance file at ``path`` extends to start from those of the run."""
    from symscape.verdict.tolerances import PROFILES

    name = session.tolerances.name
    return name if name in PROFILES else os.path.relpath(name, path.parent)
