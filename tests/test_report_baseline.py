"""What a report says of the baseline, of known failures and of cases that are about no slice."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from report_page import Page
from report_runs import CARD, judged_case, make_run, reference_summary
from test_report_page import CHROMIUM, browse

from symscape.errors import ResultsFileError
from symscape.figures.landscape_figure import draw_baseline
from symscape.page.changes import change_rows, count_changes
from symscape.page.html import render_page
from symscape.page.report import landscape_data, write_figures, write_report
from symscape.page.summary import summary_markdown
from symscape.page.view import RunView
from symscape.questions.case import CaseResult, Check
from symscape.questions.minima import MinimaDetail
from symscape.questions.named_points import GridDetail
from symscape.questions.notes import Notes
from symscape.results.files import load_results, save_results
from symscape.results.run_results import BaselineSummary
from symscape.verdict.baseline import judge_against

#: errors are 0.1 and 0.5 times DFT's energies; of all metrics it moved by most of its tolerance
SHIFT = "mean absolute error 23.2 → 115.9 meV/atom"
BASELINE = BaselineSummary("runs/main", "soft-1", 0.1, "f00d", ("Gone-P1-Ab_z-O_z",))


def against(reference, scale, old):
    """A case judged by an earlier one of another softness; new without."""
    before = None if old is None else judged_case(reference, old, shift=-9.0)
    return judge_against(judged_case(reference, scale), before)[0]


@pytest.fixture(scope="module")
def compared():
    """One slice worse, one better, one the same, one new."""
    names = ("Worse-P1", "Better-P1", "Same-P1", "New-P1")
    references = tuple(reference_summary(name) for name in names)
    scales = ((0.5, 0.9), (0.9, 0.5), (0.5, 0.5), (1.0, None))
    cases = [against(r, *pair) for r, pair in zip(references, scales, strict=True)]
    return replace(make_run(*cases, references=references), baseline=BASELINE)


@pytest.fixture(scope="module")
def folder(compared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    write_report(folder, compared)
    return folder


def test_every_case_is_a_row_and_so_is_what_is_gone(compared):
    rows = change_rows(RunView(compared))
    assert [(row.change, row.id.partition("-")[0]) for row in rows] == [
        ("worse", "Worse"),
        ("better", "Better"),
        ("new", "New"),
        ("gone", "Gone"),
        ("same", "Same"),
    ]
    assert set(count_changes(rows).values()) == {1}
    assert rows[0].text == SHIFT
    assert rows[1].text == "mean absolute error 115.9 → 23.2 meV/atom"
    assert change_rows(RunView(replace(compared, baseline=None))) == []


def with_notes(case, **changes):
    return replace(case, notes=replace(case.notes, **changes))


def test_what_got_worse_by_an_unknown_amount_comes_first(compared):
    case = compared.cases[-1]
    known = case.notes.baseline
    metrics = list(known.metrics)
    metrics[1] = replace(metrics[1], new=math.nan, worsening=math.inf)
    changed = with_notes(case, baseline=replace(known, metrics=tuple(metrics)))
    run = replace(compared, cases=(*compared.cases[:-1], changed))
    (row,) = (row for row in change_rows(RunView(run)) if row.change == "worse")
    assert row.metrics[0].metric == metrics[1].metric


def test_the_page_shows_both_landscapes_of_what_changed(compared, folder):
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert "1 of 4 landscapes worse than the baseline soft-1" in page.text
    shown = [a["src"] for a in page.all("img") if "-baseline" in a["src"]]
    assert shown == [f"figures/{name}-P1-Ab_z-O_z-baseline.png" for name in ("Worse", "Better")]
    for image in page.all("img"):
        assert image["alt"]
        assert image["loading"] == "lazy"
        assert (folder / image["src"]).is_file()
    order = ["Since the baseline", "1 worse", "1 gone", "runs/main, model soft-1", "Gone-P1"]
    places = [page.text.index(words) for words in [*order, "Worse than the baseline"]]
    assert places == sorted(places)
    # value before, value now, tolerance, and by how much of it the value is worse
    assert re.search(r"softening scale 0\.900 0\.500 0\.85 to 1\.15 \+267 %", page.text)
    assert "worse Relative energies" not in page.text  # one question needs no heading
    cards = [a for a in page.all("details") if "data-changed" in a]
    # one line each, and of these the browser shows what changed
    assert not any("open" in a for a in cards)
    changed = [a["id"] for a in cards if a["data-changed"] == "1"]
    assert "Better-P1-Ab_z-O_z" in changed
    assert len(changed) < len(cards)
    (box,) = (a for a in page.all("input") if a.get("name") == "changed")
    assert "checked" in box


def test_the_page_is_well_formed_and_the_summary_tells_the_same(compared, folder):
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert page.open == []
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "1 worse, 1 better, 1 new, 1 gone, 1 same." in text
    assert f"| worse | Worse P4mm z(Ab), z(O) | Relative energies | {SHIFT} |" in text


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package chromium)")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_holds_in_a_browser(folder, tmp_path, width):
    found, console = browse(folder / "index.html", tmp_path, width)
    assert console == ""
    assert found["broken"] == []
    assert found["spills"] == []
    assert found["overflow"] <= 0


def test_the_baseline_stays_with_the_results(compared, tmp_path):
    path = save_results(tmp_path / "results.json", compared)
    back = load_results(path)
    assert back.baseline == BASELINE
    assert change_rows(RunView(back))[0].text == SHIFT
    spoilt = path.read_text(encoding="utf-8").replace('"change": "worse"', '"change": "odd"')
    path.write_text(spoilt, encoding="utf-8")
    with pytest.raises(ResultsFileError, match=r"detail\.baseline\.change"):
        load_results(path)


def test_a_baseline_of_another_grid_is_refused(compared, tmp_path):
    case = compared.cases[-1]
    changed = with_notes(case, baseline=replace(case.notes.baseline, energies=((0.0,),)))
    run = replace(compared, cases=(*compared.cases[:-1], changed))
    with pytest.raises(ResultsFileError, match="baseline's energies"):
        load_results(save_results(tmp_path / "results.json", run))


def test_both_surfaces_share_a_zero_and_a_scale(compared):
    view = RunView(compared)
    (item,) = (item for item in view.slices if item.material == "Worse-P1")
    data = landscape_data(view, item)
    assert data.baseline[data.minimum] == data.model[data.minimum] == 0
    known = np.isfinite(data.reference)
    assert np.allclose(data.baseline[known], 0.9 * data.reference[known], atol=3e-6)
    figure = draw_baseline(data)
    panels = {axes.get_label(): axes for axes in figure.axes}
    old, new, change = (panels[name].collections[0] for name in ("baseline", "model", "error"))
    assert np.array_equal(old.levels, new.levels)
    low, high = change.get_clim()
    assert low == -high


def test_a_baseline_below_the_zero_is_filled(compared):
    """The scale holds the baseline too: no part of its map stays blank."""
    view = RunView(compared)
    (item,) = (item for item in view.slices if item.material == "Worse-P1")
    data = landscape_data(view, item)
    deep = replace(data, baseline=data.baseline - 0.02)
    axes = {a.get_label(): a for a in draw_baseline(deep).axes}["baseline"]
    filled = axes.collections[0]
    # within the scale, or told by the colour below it
    lowest = 1000 * np.nanmin(deep.baseline)
    assert filled.levels[0] <= lowest or filled.extend in ("min", "both")


def declared(case, until="2999-01-01"):
    return with_notes(case, known_failure="too soft", known_failure_expires=until)


def statuses(run):
    return [case.status for item in RunView(run).slices for case in item.cases]


def test_known_failures_are_told_apart_until_they_expire():
    reference = reference_summary()
    bad, good = judged_case(reference, 0.5), judged_case(reference, 1.0)

    def run(case):
        return make_run(case, references=(reference,))

    assert statuses(run(declared(bad))) == ["known"]
    assert statuses(run(declared(good))) == ["surprise"]
    # the day of the run counts, not that of the report
    assert statuses(run(declared(bad, "2026-11-21"))) == ["known"]
    assert statuses(run(declared(bad, "2026-11-20"))) == ["failed"]
    assert statuses(run(declared(good, "2026-11-20"))) == ["passed"]
    assert RunView(run(declared(bad))).status == "passed"
    assert RunView(run(declared(good))).status == "failed"


def test_the_page_gives_the_reason_and_the_day():
    soft, fine = reference_summary("Soft-P1"), reference_summary("Fine-P1")
    run = make_run(
        declared(judged_case(soft, 0.5)),
        declared(judged_case(fine, 1.0), "2027-03-31"),
        references=(soft, fine),
    )
    page = Page(render_page(RunView(run), {}))
    assert (
        "1 failed as declared, 1 passed although declared a known failure" in RunView(run).sentence
    )
    assert "Declared a known failure until 2999-01-01: Too soft." in page.text
    assert "Passed, but declared a known failure: remove the declaration" in page.text
    assert page.text.index("until 2027-03-31") < page.text.index("until 2999-01-01")
    text = summary_markdown(run)
    assert "| failed as declared | Soft P4mm z(Ab)" in text
    assert "| passed unexpectedly | Fine P4mm z(Ab)" in text
    assert "too soft | 2999-01-01 |" in text


def test_a_day_that_is_none_is_refused(tmp_path):
    reference = reference_summary()
    run = make_run(declared(judged_case(reference), "soon"), references=(reference,))
    with pytest.raises(ResultsFileError, match="known_failure_expires"):
        load_results(save_results(tmp_path / "results.json", run))


def test_cases_about_a_crystal_have_a_place():
    """A case without a slice: no figure, its own heading, counted by another noun."""
    reference = reference_summary()
    checks = (Check("rotation", 0.5, (-0.1, 0.1), "meV/atom", False),)
    crystal = CaseResult("invariance", "soft", "NaCl-Fm-3m", "", "failed", checks)
    view = RunView(make_run(judged_case(reference, 1.0), crystal, references=(reference,)))
    assert [item.about for item in view.slices] == ["crystals", "slices"]
    assert view.slices[0].id == "NaCl-Fm-3m"
    assert view.sentence.startswith("1 of 2 landscapes and crystal groups outside tolerance")
    page = Page(render_page(view, {}))
    assert (
        "failed: NaCl-Fm3̅m rotation 0.50 meV/atom Name of its tests: soft-NaCl-Fm-3m" in page.text
    )
    group = replace(crystal, question="underprediction", material="crystals", slice="n_wyckoff-3-4")
    (item,) = RunView(make_run(group, references=())).slices
    assert item.axis_labels == ("3–4 free Wyckoff coordinates",)
    alone = RunView(make_run(replace(crystal, status="passed"), references=()))
    assert alone.sentence == "The crystal group is within tolerance"


def test_questions_that_passed_stand_folded_beside_those_that_did_not():
    reference = reference_summary()
    energies = judged_case(reference, 0.5)
    fine = CaseResult(
        "smoothness", "soft", reference.material, reference.slice, "passed",
        (Check("max_kink", 3.0, (-50.0, 50.0), "meV/atom/angstrom", True),),
        notes=Notes(warnings=("only three lines scanned",)),
    )  # fmt: skip
    run = make_run(energies, fine, references=(reference,), card=CARD)
    (item,) = RunView(run).slices
    assert [case.case.question for case in item.told] == ["energies"]
    assert [case.case.question for case in item.folded] == ["smoothness"]
    page = Page(render_page(RunView(run), {}))
    folds = [a for a in page.all("details") if "class" not in a]
    assert len(folds) == 1
    assert "open" not in folds[0]
    # one heading for the slice, and the remark with its question
    assert page.text.count("soft-AbO3-P4mm-Ab_z-O_z") == 1
    assert page.text.index("Smoothness") < page.text.index("Only three lines scanned.")


def test_a_slice_weighs_little(tmp_path):
    """Maps, cuts and the topology of a fine grid; the largest slices weigh some 240 kB."""
    reference = reference_summary(n=(31, 31))
    geometry = GridDetail(((0.002, 0.0), (0.0, 0.002)), (None, None), 5.0)
    minima = CaseResult(
        "minima", "soft", reference.material, reference.slice, "passed",
        detail=MinimaDetail(geometry),
    )  # fmt: skip
    run = make_run(judged_case(reference), minima, references=(reference,))
    write_figures(tmp_path, RunView(run))
    files = list((tmp_path / "figures").iterdir())
    assert len(files) == 5
    assert sum(path.stat().st_size for path in files) < 250_000
