"""Pictures of all views, to be looked at: of the stored results, at three widths, light and dark.

``tox run -e pages`` draws them into ``.tox/pages/views``. Elsewhere they are skipped: they take
minutes, and what can be tested about pages is tested in the other files.
"""

from __future__ import annotations

import base64
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from accessible import axe_problems
from browser import DARK, LIGHT, Browser, assert_sound
from browser import browser as browser

from symscape.leaderboard.collect import load_board
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.page.history_page import render_history_page
from symscape.page.report import write_report
from symscape.references.landscape_files import load_reference
from symscape.results.files import load_results
from symscape.results.history import load_history
from symscape.results.run_results import BaselineSummary, RunResults
from symscape.results.structure import summarize_structure
from symscape.verdict.baseline import judge_against

FOLDER = os.environ.get("SYMSCAPE_VIEWS")
STORED = Path(__file__).parents[1] / "reports" / "leaderboard" / "results"
#: a results.json of CHGNet with the geometries of its crystals, which the board's files leave out
OWN = Path(os.environ.get("SYMSCAPE_VIEWS_RESULTS", STORED / "chgnet.json"))
WIDTHS = (1280, 1440, 390)
#: pixels; a longer page is cut off
TALLEST = 4000
pytestmark = pytest.mark.skipif(FOLDER is None, reason="SYMSCAPE_VIEWS names no folder for them")

#: pages scroll smoothly, which a picture can't wait for
AT_ONCE = "scrollIntoView({behavior: 'instant'});"
OPEN_PART = (
    "const part = document.getElementById('{0}');"
    "for (let at = part; at; at = at.parentElement) if (at.matches('details')) at.open = true;"
    f"part.{AT_ONCE}"
)
CRYSTALS = (
    OPEN_PART.replace("{0}", "Al-As-hull")
    + f"(document.querySelector('#Al-As-hull h5') ?? part).{AT_ONCE}"
)
#: a card draws its maps, and the button, once it has been opened
THREE_D = OPEN_PART + (
    "setTimeout(() => {"
    "document.querySelector('#{0} .orbits button').click();"
    "document.querySelector('#{0} .stage').scrollIntoView({behavior: 'instant', block: 'end'});"
    "}, 300);"
)


@dataclass(frozen=True)
class View:
    """One picture: a page, what is done to it first, and whether it is one screen or all of it."""

    name: str
    page: str
    script: str = ""
    screen: bool = True


VIEWS = (
    View("report", "report"),
    View("report-landscape", "report", OPEN_PART.replace("{0}", "GeTe-R3m-ca-Ge_z")),
    View("report-3d", "report", THREE_D.replace("{0}", "GeTe-R3m-ca-Ge_z")),
    View("report-list", "report", f"document.getElementById('landscapes').{AT_ONCE}"),
    View("report-hull-card", "report", OPEN_PART.replace("{0}", "Al-As-hull")),
    View("report-crystals", "report", CRYSTALS),
    View("report-hulls", "report", OPEN_PART.replace("{0}", "hulls")),
    View("report-elements", "report", OPEN_PART.replace("{0}", "curves")),
    View("report-underprediction", "report", OPEN_PART.replace("{0}", "underprediction")),
    View("report-history", "report", OPEN_PART.replace("{0}", "history")),
    View("report-not-judged", "report", "scrollTo(0, document.body.scrollHeight)"),
    View("baseline", "baseline"),
    View("baseline-landscape", "baseline", OPEN_PART.replace("{0}", "GeTe-R3m-ca-Ge_z")),
    View("history", "history", "document.querySelector('details').open = true"),
    View("board", "board", screen=False),
    *(
        View(f"board-{part}", "board", f"document.getElementById('{part}').{AT_ONCE}")
        for part in ("cost-head", "materials", "crystals", "elements", "method", "versions")
    ),
    View("model", "model"),
    View("model-elements", "model", f"document.getElementById('elements').{AT_ONCE}"),
    View("model-crystals", "model", "document.body.scrollIntoView(false)"),
    View("material", "material", screen=False),
)


def with_structures(run: RunResults) -> RunResults:
    """The same run with the crystals of its slices, which older files lack."""
    stored = STORED.parents[2] / "references"
    known = (
        replace(
            reference,
            structure=summarize_structure(
                load_reference(stored / reference.material / f"{reference.slice}.json").slice
            ),
        )
        for reference in run.references
    )
    return replace(run, references=tuple(known))


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """The stored run of CHGNet with its history, against an earlier version, and the board."""
    folder = Path(os.environ.get("SYMSCAPE_VIEWS_PAGES") or tmp_path_factory.mktemp("views"))
    history = load_history(STORED)
    run, earlier = (
        with_structures(load_results(path)) for path in (OWN, STORED / "chgnet-0.2.0.json")
    )
    before = {(c.question, c.material, c.slice): c for c in earlier.cases}
    cases = [judge_against(c, before.get((c.question, c.material, c.slice)))[0] for c in run.cases]
    compared = replace(
        run, cases=tuple(cases), baseline=BaselineSummary("earlier", earlier.model.name, 0.1)
    )
    (folder / "history.html").write_text(render_history_page(history), encoding="utf-8")
    board = write_leaderboard(
        folder / "board", rank_board(load_board([STORED], None, separate=True))
    )
    return {
        "report": write_report(folder / "report", run, history=history, jobs=2),
        "baseline": write_report(folder / "baseline", compared, jobs=2),
        "history": folder / "history.html",
        "board": board,
        "model": board.parent / "models" / "chgnet.html",
        "material": board.parent / "materials" / "GeTe-R3m.html",
    }


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_picture(browser, pages, view, width, scheme):
    browser.show(pages[view.page], width, scheme)
    if view.script:
        browser.run(view.script)
    assert_sound(browser, width)
    if width != WIDTHS[1]:
        # to the style sheets it is the same as the first, so that axe-core sees the same page
        assert axe_problems(browser) == []
    # pictures that are decoded, and the crystal, take a moment until they are on the screen
    time.sleep(1.0)
    folder = Path(FOLDER or "")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{view.name}-{width}-{scheme}.png"
    path.write_bytes(picture(browser, width, screen=view.screen))
    assert path.stat().st_size > 10_000


def picture(browser: Browser, width: int, *, screen: bool) -> bytes:
    """PNG of the screen, or of the page from its top."""
    options: dict[str, object] = {"format": "png"}
    if not screen:
        tall = browser.run("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST), "scale": 1}
        options |= {"captureBeyondViewport": True, "clip": clip}
    return base64.b64decode(
        browser.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
    )


@pytest.mark.parametrize("page", ["report", "baseline"])
def test_a_report_is_small_and_opens_in_two_seconds(browser, pages, page):
    """4 MB of page and script, pictures apart, and 2 s until it is loaded."""
    path = pages[page]
    seconds = browser.seconds_to_open(path)
    print(f"{page}: {path.stat().st_size / 1e6:.2f} MB, loaded in {seconds:.2f} s")
    assert path.stat().st_size < 4e6
    assert seconds < 2.0
