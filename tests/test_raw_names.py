"""No page shows a name as files have it: P6_3mc, P-3m1, Be_z, above_hull_mae_fixed, B_h."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import leaderboard_runs as make
import numpy as np
import pytest
from report_page import draw_little
from report_runs import judged_case, make_run, reference_summary
from test_equation_of_state_figures import soft as soft
from test_hull_report import run as hulls  # noqa: F401
from test_several import RIGID

from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.page.history_page import render_history_page
from symscape.page.landscape_page import ComparedSlice, LandscapePage, render_landscape_page
from symscape.page.report import write_report
from symscape.page.words import prototype_markup
from symscape.questions.registry import QUESTIONS
from symscape.results.files import save_results
from symscape.results.history import History, PastRun
from symscape.results.run_results import BaselineSummary
from symscape.science.landscape.several import compare_energies
from symscape.science.landscape.similar import LibraryDistances

METRICS = {m.name: m for q in QUESTIONS.values() for m in (*q.metrics, *q.derived)}
TITLES = " ".join(
    [m.title for m in METRICS.values()] + [q.title for q in QUESTIONS.values()]
).casefold()
#: what a key would look like with its underscores taken away
SPACED = {
    spaced for name in METRICS if "_" in name if (spaced := name.replace("_", " ")) not in TITLES
}
#: words of plain English among them
ENGLISH = {"space group", "cell choice", "force gradient", "stress strain", "failed crystals"}


def shown(page: str) -> str:
    """What a browser shows of a page and reads aloud; code is there to be copied."""
    text = re.sub(r"<(script|style|code)\b.*?</\1>", "", page, flags=re.S)
    spoken = re.findall(r'\b(?:alt|title|aria-label|placeholder)="([^"]*)"', text)
    text = re.sub(r"</?(?:sub|sup|i|b|small)>", "", text)
    return unescape(re.sub(r"<[^>]*>", " ", text) + "\n".join(spoken))


def raw_names(page: str) -> list[str]:
    """Words with an underscore, symbols without bars, keys of metrics with spaces in them."""
    text = shown(page)
    words = set(re.findall(r"\S*\w_\w\S*", text))
    words |= set(re.findall(r"(?<!\w)[ABCFIPR][abcdmn]?-[1346]\S*", text))
    return sorted(words | {s for s in SPACED - ENGLISH if re.search(rf"\b{s}\b", text)})


def slices() -> tuple:
    """Materials whose files have underscores in all places where names can have any."""
    one = reference_summary(
        "BeO-P6_3mc", ("Be_z", "O_z"), formula="BeO", spacegroup_number=186,
        spacegroup_symbol="P6_3mc",
    )  # fmt: skip
    two = reference_summary(
        "MgF2-P4_2mnm", ("F_x", "volume"), formula="MgF2", spacegroup_number=136,
        spacegroup_symbol="P4_2/mnm",
    )  # fmt: skip
    three = reference_summary(
        "Mg3Sb2-P-3m1", ("Mg2_z", "Sb_z"), formula="Mg3Sb2", spacegroup_number=164,
        spacegroup_symbol="P-3m1",
    )  # fmt: skip
    return one, two, three


@pytest.fixture(scope="module")
def pages(tmp_path_factory, soft, hulls) -> dict[str, str]:  # noqa: F811
    """Every kind of page, of landscapes, crystals and curves alike."""
    folder, references = tmp_path_factory.mktemp("names"), slices()
    cases = [judged_case(reference, scale) for reference in references for scale in (0.4,)]
    every = (*cases, *(replace(c, model="soft") for c in (*hulls.cases, *soft.run.cases)))
    run = make_run(*every, references=references)
    gone = tuple(f"Se-P3_121-Se_x-volume: {name}" for name in QUESTIONS)
    against = replace(run, baseline=BaselineSummary("earlier", "old", 0.1, gone=gone))
    history = History(tuple(PastRun(f"step-{k}", run) for k in (1, 2)))
    board = [
        replace(made, cases=(*made.cases, *(replace(c, model=name) for c in every[2:])))
        for name in ("first", "second")
        for made in [make.with_crystals(make.run(name, references, scale=0.8))]
    ]
    entries = [Entry(r, save_results(folder / f"{r.model.name}.json", r)) for r in board]
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        report = write_report(folder / "report", run, history=history)
        compared = write_report(folder / "compared", against)
        index = write_leaderboard(folder / "board", rank_board(Board(tuple(entries))))
    comparisons = [
        ComparedSlice(compare_energies(one, {"a": surface, "b": 2 * surface}))
        for one in RIGID[:2]
        for surface in [np.linspace(0, 0.1, one.shape[0] * one.shape[1]).reshape(one.shape)]
    ]
    library = LibraryDistances(("BeO-P6_3mc-Be_z-O_z",), {"a": 1.0, "b": 2.0}, {("a", "b"): 3.0})
    landscape = LandscapePage("NaCl", comparisons, {}, library=library)
    found: dict[str, Path] = {
        "report": report,
        "baseline": compared,
        "board": index,
        "model": index.parent / "models" / "first.html",
        "material": index.parent / "materials" / "BeO-P6_3mc.html",
    }
    return {
        **{name: path.read_text("utf-8") for name, path in found.items()},
        "history": render_history_page(history),
        "landscape": render_landscape_page(landscape),
    }


KINDS = ("report", "baseline", "board", "model", "material", "history", "landscape")


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_shows_a_name_as_files_have_it(pages, kind):
    assert raw_names(pages[kind]) == []


def test_what_stands_on_the_pages_in_their_place(pages):
    text = shown(pages["report"])
    assert "BeO P63mc" in re.sub(r"\s+", " ", text)
    assert "z(Be), z(O)" in text
    assert "Mg3Sb2 P3̅m1" in re.sub(r"\s+", " ", text)
    # the hull's table of crystals, and the elements
    assert "CrB (Bh)" in text
    assert "Titanium, Ti: epsilon" in text
    board = shown(pages["board"])
    assert 0 < board.index("group 4") < board.index("group 11")
    assert "Se-P3₁21 x(Se), volume" in shown(pages["baseline"])


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>P6_3mc</p>", ["P6_3mc"]),
        ('<img alt="over Be_z">', ["Be_z"]),
        ("<p>Mg3Sb2 P-3m1</p>", ["P-3m1"]),
        ("<td>above hull mae fixed</td>", ["above hull mae", "above hull mae fixed"]),
        ("<p>(A_i)</p>", ["(A_i)"]),
        ("<code>Be_z</code><script>a_b</script>", []),
        ("<p>P6<sub>3</sub>mc, softening scale</p>", []),
    ],
)
def test_the_scan_finds_what_it_is_for(page, found):
    assert raw_names(page) == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Po (A_i)", "Po (A<sub>i</sub>)"),
        ("WC (B_h)", "WC (B<sub>h</sub>)"),
        ("TiAl3 (D0_22)", "TiAl3 (D0<sub>22</sub>)"),
        ("<b> (L1_2)", "&lt;b&gt; (L1<sub>2</sub>)"),
    ],
)
def test_structure_types_are_typeset(name, text):
    assert prototype_markup(name) == text
