"""Figures drawn while the run goes on are those of the report, or are drawn again with it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from benchmark_text import benchmark
from plugin_project import imported as imported
from plugin_project import run_apart
from plugin_project import suite as suite
from report_runs import judged_case, make_run, reference_summary

from symscape.page import early_figures, report
from symscape.page.early_figures import EarlyFigures, about_the_same, decide_figures
from symscape.page.processes import background
from symscape.page.report import draw_slices, write_report
from symscape.questions.case import CaseResult


def run_of(*names, scale=0.6):
    references = tuple(reference_summary(name) for name in names)
    energies = [judged_case(reference, scale) for reference in references]
    return make_run(*energies, references=references)


def pictures(folder):
    return {path.name: path.read_bytes() for path in (folder / "figures").glob("*.png")}


@pytest.fixture
def drawn(monkeypatch):
    """Notes which slices are drawn with a report."""
    names, draw = [], report._draw_slice

    def noted(folder, relief, what):
        names.append(what[0].id.partition("-Ab_z")[0])
        return draw(folder, relief, what)

    monkeypatch.setattr(report, "_draw_slice", noted)
    return names


def test_the_report_keeps_what_was_drawn_early(tmp_path, drawn):
    draw_slices(tmp_path, run_of("One-P1"))
    early = pictures(tmp_path)
    assert early
    assert drawn == ["One-P1"]
    write_report(tmp_path, run_of("One-P1", "Two-P1"))
    assert drawn == ["One-P1", "Two-P1"]
    assert early.items() <= pictures(tmp_path).items()


def test_the_report_draws_what_has_changed_since(tmp_path, drawn):
    draw_slices(tmp_path, run_of("One-P1"))
    write_report(tmp_path, run_of("One-P1", scale=0.9))
    write_report(tmp_path / "new", run_of("One-P1", scale=0.9))
    assert drawn == ["One-P1"] * 3
    assert pictures(tmp_path) == pictures(tmp_path / "new")


def test_slices_are_drawn_elsewhere_once_the_run_has_lasted(tmp_path, monkeypatch, drawn):
    early, made = EarlyFigures(), []

    def make(name):
        made.append(name)
        return run_of(name)

    early.add(tmp_path, "One-P1", lambda: make("One-P1"))
    early.add(tmp_path, "One-P1", lambda: make("One-P1"))
    assert not made
    monkeypatch.setattr(early_figures, "PATIENCE_s", 0.0)
    early.add(tmp_path, "Two-P1", lambda: make("Two-P1"))
    assert made == ["One-P1", "Two-P1"]
    begin = time.monotonic()
    while len(pictures(tmp_path)) < 6 and time.monotonic() < begin + 60:
        time.sleep(0.05)
    early.end()
    early.add(tmp_path, "Three-P1", lambda: make("Three-P1"))
    assert len(made) == 2
    write_report(tmp_path, run_of("One-P1", "Two-P1"))
    assert not drawn


def test_a_process_that_can_not_be_had_is_no_error(tmp_path, monkeypatch):
    def refuse(nice):
        raise OSError("no more processes")

    monkeypatch.setattr(early_figures, "background", refuse)
    monkeypatch.setattr(early_figures, "PATIENCE_s", 0.0)
    early = EarlyFigures()
    for name in ("One-P1", "Two-P1"):
        early.add(tmp_path, name, lambda name=name: run_of(name))
    early.end()


def test_the_process_yields_and_is_not_interrupted():
    with background(7) as pool:
        before = os.nice(0)
        assert pool.submit(os.nice, 0).result() == min(19, before + 7)


@pytest.mark.parametrize(
    ("questions", "arrows", "enough"),
    [
        (["energies"], False, False),
        (["energies", "minima"], False, True),
        (["minima", "saddles"], False, False),
        (["energies", "minima", "saddles"], True, False),
        (["energies", "minima", "forces"], True, True),
    ],
)
def test_figures_wait_for_all_that_they_show(questions, arrows, enough):
    cases = [CaseResult(q, "m", "Al", s, "passed") for q in questions for s in ("a", "b")]
    own = about_the_same(cases, cases[0])
    assert [case.question for case in own] == questions
    assert decide_figures(own, arrows) == enough


def test_a_run_has_its_figures_drawn_while_it_goes_on(suite, monkeypatch):
    source = Path(early_figures.__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(suite.path), str(source)]))
    suite.makeconftest("""
        import pytest
        from symscape.models import threads
        from symscape.page import report
        from symscape.page import early_figures

        early_figures.PATIENCE_s = 0.0
        threads.cores = lambda: 2
        draw = report._draw_slice

        def refuse(*what):
            raise AssertionError("drawn with the report")

        end = early_figures.EarlyFigures.end

        def ended(self):
            # the last slice of a run may not have begun
            self._pool.shutdown(wait=True)
            end(self)

        early_figures.EarlyFigures.end = ended
        report._draw_slice = refuse
    """)
    suite.makepyfile(test_landscape=benchmark("energies", "minima"))
    outcome = run_apart(suite, "--mlip", "cheap:exact")
    outcome.assert_outcomes(passed=2)
    folder = suite.path / "reports"
    (model,) = [path for path in folder.iterdir() if path.is_dir()]
    names = {path.name.rpartition("-")[2] for path in (model / "figures").glob("*.png")}
    assert {"wide.png", "tall.png", "thumb.png", "topology.png"} <= names
    assert np.all([path.stat().st_size for path in (model / "figures").iterdir()])
