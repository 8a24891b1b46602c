"""Every kind of page against axe-core in both themes, and the order of the tab key."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import leaderboard_runs
import numpy as np
import pytest
from accessible import axe_problems, tab_order
from browser import DARK, LIGHT
from browser import browser as browser
from report_page import draw_little
from report_runs import make_run, mixed_run
from test_history import run_of
from test_hull_report import run as hull_run
from test_leaderboard_pages import ranking as ranking
from test_leaderboard_pages import site as site
from test_report_baseline import compared as compared
from test_several import RIGID

from symscape.page.history_page import render_history_page
from symscape.page.landscape_page import ComparedSlice, LandscapePage, render_landscape_page
from symscape.page.report import write_report
from symscape.results.history import History, PastRun
from symscape.science.landscape.several import compare_energies

#: all that is folded is opened, so that axe-core looks at it too
OPEN = "for (const d of document.querySelectorAll('details')) d.open = true;"
run = hull_run


@pytest.fixture(scope="module")
def pages(tmp_path_factory, compared, run, site) -> dict[str, Path]:
    """A page of each kind, pictures left out."""
    folder = tmp_path_factory.mktemp("pages")
    history = History(tuple(PastRun(f"step-{k}", run_of(k / 4, k)) for k in (1, 2, 4)))
    (folder / "history.html").write_text(render_history_page(history), encoding="utf-8")
    surface = np.linspace(0, 0.1, RIGID[0].shape[0] * RIGID[0].shape[1]).reshape(RIGID[0].shape)
    compared_models = compare_energies(RIGID[0], {"a": surface, "b": 2 * surface})
    landscape = LandscapePage("NaCl", [ComparedSlice(compared_models)], {})
    (folder / "landscape.html").write_text(render_landscape_page(landscape), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        reports = {
            "failures": write_report(folder / "mixed", mixed_run(), history=history),
            "baseline": write_report(folder / "compared", compared),
            "hulls": write_report(folder / "hulls", run),
            "nothing": write_report(folder / "nothing", make_run(references=())),
        }
    board = {
        name: site / path
        for name, path in (
            ("board", "index.html"),
            ("model", "models/even.html"),
            ("material", f"materials/{leaderboard_runs.material(0).material}.html"),
        )
    }
    own = {name: folder / f"{name}.html" for name in ("history", "landscape")}
    return {**reports, **board, **own}


KINDS = (
    "failures", "baseline", "hulls", "nothing", "history", "landscape", "board", "model",
    "material",
)  # fmt: skip


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
