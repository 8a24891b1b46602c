"""Metrics over checkpoints: which runs, in which order, what is drawn, and the page itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from browser import DARK, LIGHT, assert_sound
from browser import browser as browser
from hypothesis import given
from hypothesis import strategies as st
from report_page import draw_little
from report_runs import judged_case, make_run, mixed_run, reference_summary
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ResultsFileError
from symscape.page.badge import badge_svg
from symscape.page.history_chart import draw_metric
from symscape.page.history_view import HistoryView, short_name
from symscape.page.report import write_report
from symscape.page.view import RunView
from symscape.results.files import save_results
from symscape.results.history import History, MetricHistory, Reading, load_history, with_run

GETE, OTHER = reference_summary("GeTe-R3m"), reference_summary("CaO-P4mm", formula="CaO")
NAMES = ("step-900", "step-1000", "step-10000")


def run_of(scale, day):
    """A checkpoint whose landscape of GeTe is DFT's times a number; that of CaO is always right."""
    cases = (judged_case(GETE, scale), judged_case(OTHER, 1.0))
    run = make_run(*cases, references=(GETE, OTHER))
    return replace(run, started=f"2026-11-{day:02}T10:00:00+00:00", fingerprint=f"f{day}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three checkpoints, each better than the one before, run in another order than their names."""
    folder = tmp_path_factory.mktemp("runs")
    for name, scale, day in zip(NAMES, (0.3, 0.7, 1.0), (1, 3, 2), strict=True):
        save_results(folder / name / "soft" / "results.json", run_of(scale, day))
    return folder


def test_runs_stand_in_the_order_of_their_dates_or_names(folder):
    assert [p.name for p in load_history(folder).runs] == ["step-900", "step-10000", "step-1000"]
    assert [p.name for p in load_history(folder, by_name=True).runs] == list(NAMES)


def test_files_of_any_name_are_found_and_copies_count_once(tmp_path):
    for name in ("b1", "a2", "copy"):
        save_results(tmp_path / f"{name}.json", run_of(0.5, 1 if name != "b1" else 2))
    assert len(load_history(tmp_path).runs) == 2
    for place in (tmp_path / "none", tmp_path / "b1.json"):
        with pytest.raises(ResultsFileError, match="no such folder"):
            load_history(place)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsFileError, match=r"no results\.json"):
        load_history(tmp_path / "empty")


def test_what_moved_is_told_by_distance_from_the_ideal(folder):
    history = load_history(folder, by_name=True)
    moved = {m.metric: m.movement for m in history.metrics if m.case[1] == "GeTe-R3m"}
    # 0.3, 0.7, 1.0 times DFT's energies
    assert moved["softening_scale"] == "better"
    assert moved["mae"] == "better"
    assert {m.movement for m in history.metrics if m.case[1] == "CaO-P4mm"} == {"same"}
    backwards = History(tuple(reversed(history.runs)))
    assert HistoryView(backwards).moved == {
        "worse": HistoryView(history).moved["better"],
        "better": 0,
    }
    first, *_ = HistoryView(backwards).cards
    assert (first.id, first.movement, first.statuses) == (
        "GeTe-R3m-Ab_z-O_z", "worse", ("passed", "failed", "failed"),
    )  # fmt: skip


def test_a_run_stands_at_the_end_of_its_history_once(folder):
    history = load_history(folder)
    again = with_run(history, history.runs[0].run)
    assert [p.name for p in again.runs] == ["step-10000", "step-1000", "this run"]
    other = with_run(history, run_of(0.9, 9))
    assert len(other.runs) == 4


def test_a_case_that_a_run_lacks_is_a_gap(folder):
    history = load_history(folder)
    less = replace(run_of(0.9, 9), cases=run_of(0.9, 9).cases[:1])
    wider = with_run(history, less)
    lacking = {case for case in wider.runs[0].statuses if case not in wider.runs[-1].statuses}
    assert len(lacking) == 1
    for metric in wider.metrics:
        assert (metric.readings[-1] is None) == (metric.case in lacking)
    card = next(c for c in HistoryView(wider).cards if c.statuses[-1] == "")
    assert card.statuses == ("failed", "passed", "failed", "")


values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))
limits = st.tuples(st.floats(-1e3, 1e3) | st.none(), st.floats(0, 1e3) | st.none()).map(
    lambda ends: ends if None in ends else (min(ends), max(ends))
)


@given(st.lists(st.none() | st.tuples(values, limits), min_size=1, max_size=9))
def test_marks_lie_in_the_band_where_values_are_within_the_tolerance(rows):
    readings = [
        row
        and Reading(
            row[0],
            row[1],
            row[0] == row[0]
            and (row[1][0] is None or row[0] >= row[1][0])
            and (row[1][1] is None or row[0] <= row[1][1]),
        )
        for row in rows
    ]
    known = MetricHistory(
        ("energies", "A-P1", "x-y"), "mean_signed_error", "meV/atom", tuple(readings)
    )
    chart = draw_metric(known, [f"run {k}" for k in range(len(rows))])
    assert len(chart.marks) == sum(reading is not None for reading in readings)
    told = [reading for reading in readings if reading]
    for mark, reading in zip(chart.marks, told, strict=True):
        assert 0 <= mark.x <= 250
        assert 0 <= mark.y <= 110
        assert (mark.kind == "passed") == reading.passed
        if reading.passed and reading.limit != (None, None):
            # a band's edges are rounded to a tenth of a unit; one of no height is drawn as a line
            assert any(
                band.x - 0.2 <= mark.x <= band.x + band.width + 0.2
                and band.y - 0.2 <= mark.y <= band.y + band.height + 0.2
                for band in chart.bands
            )


def test_names_are_cut_at_their_beginning():
    assert short_name("a1b2c3d") == "a1b2c3d"
    assert short_name("checkpoints/long/step-1000").endswith("step-1000")
    assert len(short_name("checkpoints/long/step-1000")) == 18


@pytest.mark.parametrize(("width", "scheme"), [(1280, LIGHT), (390, DARK)])
def test_the_page_shows_runs_and_filters(browser, folder, tmp_path, width, scheme):
    page = tmp_path / "history.html"
    result = CliRunner().invoke(app, ["history", str(folder), "-o", str(page), "--by-name"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("3 runs, step-900 to step-10000: ")
    browser.show(page, width, scheme)
    assert browser.texts("#shown") == ["2 of 2 shown"]
    browser.all("select[name=status]")[0].send_keys("better")
    assert browser.texts("#shown") == ["1 of 2 shown"]
    browser.all("details.slice:not([hidden]) summary")[0].send_keys("\ue007")
    scales = [t for t in browser.texts(".chart figcaption") if t.startswith("softening scale")]
    assert scales == ["softening scale better"]
    marks = browser.run(
        'return [...document.querySelectorAll(\'details[open] svg[aria-label^="softening scale"] '
        ":is(circle, path)')].map((m) => [m.classList[0], m.querySelector('title').textContent])"
    )
    # files keep checks to all digits; 0.3 and 0.7 are outside 0.85 to 1.15
    assert [kind for kind, _ in marks] == ["failed", "failed", "passed"]
    assert [text.split(":")[0] for _, text in marks] == list(NAMES)
    assert_sound(browser, width)


def test_a_report_has_the_history_beside_its_landscapes(browser, folder, tmp_path):
    run = run_of(0.2, 9)
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        page = write_report(tmp_path, run, history=with_run(load_history(folder), run))
    browser.show(page, 1280, LIGHT, "#history")
    assert "this run" in browser.texts("#history table")[0]
    # its cards are no landscapes: the filter above does not count them
    assert browser.texts("#shown") == ["2 of 2 shown"]
    assert_sound(browser, 1280)


@pytest.mark.parametrize("run", [mixed_run(), make_run(references=())])
def test_the_badge_counts_what_passed(run):
    view = RunView(run)
    svg = ET.fromstring(badge_svg(view))
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    passed = sum(case.status == "passed" for case in run.cases)
    wanted = f"{passed} of {len(run.cases)} passed" if run.cases else "nothing judged"
    assert texts == ["energy landscapes", wanted]
    assert svg.get("aria-label") == f"energy landscapes: {wanted}"
