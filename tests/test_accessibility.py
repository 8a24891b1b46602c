"""Every kind of page against axe-core in both themes, and the order of the tab key."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import leaderboard_runs
import numpy as np
import pytest
from accessible import axe_problems, tab_order
from browser import DARK, LIGHT
from browser import browser as browser
from report_page import draw_little
from report_runs import judged_case, make_run, mixed_run, reference_summary
from test_equation_of_state_figures import soft as soft
from test_history import run_of
from test_hull_report import run as hull_run
from test_leaderboard_pages import ranking as ranking
from test_leaderboard_pages import site as site
from test_report_baseline import compared as compared
from test_report_baseline import declared
from test_several import RIGID

from symscape import leaderboard
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.page import html
from symscape.page.history_page import render_history_page
from symscape.page.landscape_page import ComparedSlice, LandscapePage, render_landscape_page
from symscape.page.report import write_report
from symscape.page.unfinished import set_aside
from symscape.questions.case import Check
from symscape.results.files import save_results
from symscape.results.history import History, PastRun
from symscape.science.landscape.overlay import DftPoints, point_errors
from symscape.science.landscape.several import compare_energies
from symscape.science.landscape.similar import LibraryDistances

#: all that is folded is opened, so that axe-core looks at it too
OPEN = "for (const d of document.querySelectorAll('details')) d.open = true;"
run = hull_run


def landscapes(folder: Path) -> dict[str, Path]:
    """The page of ``symscape landscape``: plain, and unfinished with all that it can have."""
    one = RIGID[0]
    surface = np.linspace(0, 0.1, one.shape[0] * one.shape[1]).reshape(one.shape)
    comparison = compare_energies(one, {"a": surface, "b": 2 * surface})
    values = np.array([[axis.values[k] for axis in one.axes] for k in (0, 2, 3)])
    points = DftPoints(values, np.array([0.0, 0.1, 0.2]), ("first", "second", "third"))
    errors = tuple(point_errors(points, {n: np.array([0.0, 0.2, 0.1]) for n in ("a", "b")}))
    full = ComparedSlice(comparison, points, errors, (0.0, 0.0))
    found = Check("rotation", 3.0, (None, 0.1), "meV/atom", passed=False)
    made = {
        "landscape": LandscapePage("NaCl", [ComparedSlice(comparison)], {}),
        "pending": LandscapePage(
            "NaCl", [full], {"c": "it has no weights"}, contracts={"a": (found,), "b": (found,)},
            library=LibraryDistances(("BeO-P6_3mc-Be_z-O_z",), {"a": 1.0, "b": 2.0},
                                     {("a", "b"): 3.0}),
            pending="model b",
        ),
    }  # fmt: skip
    paths = {name: folder / f"{name}.html" for name in made}
    for name, path in paths.items():
        path.write_text(render_landscape_page(made[name]), encoding="utf-8")
    return paths


def whole_run(run, soft):
    """All subjects and verdicts: slices, hulls, curves, declared failures, another functional."""
    names = ("Known-P1", "Repaired-P1", "Far-P-3m1")
    known, repaired, far = (reference_summary(name) for name in names)
    far = replace(far, level_of_theory="r2SCAN", spacegroup_symbol="P-3m1")
    cases = [
        declared(judged_case(known, 0.5)),
        declared(judged_case(repaired, 1.0)),
        judged_case(far, 0.4),
        *(replace(case, model="soft") for case in (*run.cases, *soft.run.cases)),
    ]
    made = make_run(*cases, references=(known, repaired, far))
    return replace(made, baseline_notes=("The baseline is of another version.",))


def full_board(folder: Path, run, soft) -> Path:
    """A board of models that were asked about landscapes, hulls and equations of state."""
    entries = []
    for name in ("first", "second"):
        made = leaderboard_runs.run(name, (leaderboard_runs.material(0),), scale=0.8)
        made = leaderboard_runs.with_crystals(made)
        curves = (replace(case, model=name) for case in soft.run.cases)
        made = replace(made, cases=(*made.cases, *curves))
        entries.append(Entry(made, save_results(folder / f"{name}.json", made)))
    return write_leaderboard(folder / "board", rank_board(Board(tuple(entries)))).parent


@pytest.fixture(scope="module")
def pages(tmp_path_factory, compared, run, soft, site) -> dict[str, Path]:
    """A page of each kind, pictures left out."""
    folder = tmp_path_factory.mktemp("pages")
    history = History(tuple(PastRun(f"step-{k}", run_of(k / 4, k)) for k in (1, 2, 4)))
    (folder / "history.html").write_text(render_history_page(history), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        reports = {
            "failures": write_report(folder / "mixed", mixed_run(), history=history),
            "baseline": write_report(folder / "compared", compared),
            "hulls": write_report(folder / "hulls", run),
            "nothing": write_report(folder / "nothing", make_run(references=())),
            "whole": write_report(folder / "whole", whole_run(run, soft), relief=True),
            "unfinished": write_report(folder / "unfinished", make_run(references=())),
        }
        set_aside(folder / "unfinished", "soft", "2026-11-21T07:40:12+00:00")
        full = full_board(folder, run, soft)
    board = {
        name: site / path
        for name, path in (
            ("board", "index.html"),
            ("model", "models/even.html"),
            ("material", f"materials/{leaderboard_runs.material(0).material}.html"),
        )
    }
    board |= {
        "board of crystals": full / "index.html",
        "model on crystals": full / "models" / "first.html",
    }
    own = {"history": folder / "history.html", **landscapes(folder)}
    return {**reports, **board, **own}


KINDS = (
    "failures", "baseline", "hulls", "nothing", "whole", "unfinished", "history", "landscape",
    "pending", "board", "model", "material", "board of crystals", "model on crystals",
)  # fmt: skip


def test_every_template_is_among_them():
    """A page of a new kind comes from a template of its own, which must be looked at here, too."""
    folders = (Path(html.__file__).parent, Path(leaderboard.__file__).parent)
    whole = {
        path.name
        for folder in folders
        for path in (folder / "templates").glob("*.j2")
        if "<html" in path.read_text(encoding="utf-8")
    }
    # base.html.j2 is that of the board's three
    assert whole == {
        "index.html.j2", "history_page.html.j2", "landscape.html.j2", "base.html.j2",
    }  # fmt: skip


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_core_finds_nothing(browser, pages, kind, scheme):
    browser.show(pages[kind], 1280, scheme)
    browser.run(OPEN)
    assert axe_problems(browser) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_tab_key_goes_down_the_page(browser, pages, kind):
    browser.show(pages[kind], 390, LIGHT)
    boxes = tab_order(browser)
    # nothing may lie wholly above its predecessor, but to the right of it, in the same row
    jumps = [(a, b) for a, b in pairwise(boxes) if b[1] < a[0] - 1 and b[2] < a[3]]
    assert jumps == []
