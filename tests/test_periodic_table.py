"""The periodic tables of a report and of a model's page: pointer, arrow keys, links, themes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from accessible import axe_problems
from browser import DARK, LIGHT, assert_sound
from browser import browser as browser
from test_equation_of_state_figures import ranking_of
from test_equation_of_state_figures import soft as soft

from symscape.leaderboard.publish import write_leaderboard
from symscape.page.report import write_report

chains = pytest.importorskip(
    "selenium.webdriver.common.action_chains", reason="selenium is not installed"
)

RIGHT, LEFT, UP, DOWN, ENTER = "\ue014", "\ue012", "\ue013", "\ue015", "\ue007"


@pytest.fixture(scope="module")
def pages(tmp_path_factory, soft) -> dict[str, Path]:
    """A report and a model's page of the same results."""
    folder = tmp_path_factory.mktemp("periodic")
    index = write_leaderboard(folder / "board", ranking_of(folder, soft))
    return {
        "report": write_report(folder / "report", soft.run),
        "board": index.parent / "models" / "judged.html",
    }


def cell(browser, words: str, table: int = 0):
    """The cell of an element in one of the two tables."""
    return browser.all(f'.periodic [aria-label^="{words}"]')[table]


def readout(browser, table: int = 0) -> str:
    return browser.texts(".element-map .readout")[table]


def told(browser, name: str, table: int = 0) -> str:
    """What is told while the pointer is on an element; again while the page still scrolls."""
    target = cell(browser, name, table)
    for k in range(30):
        browser.run("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", target)
        # a pointer that stays where it is tells the page of nothing
        chains.ActionChains(browser.driver).move_to_element_with_offset(target, k % 5, 0).perform()
        texts = browser.texts(".element-map .readout")
        if texts[table].startswith(name):
            # what is told of one table is not told of the other
            assert name not in texts[1 - table]
            return texts[table]
        time.sleep(0.1)
    raise AssertionError(f"nothing is told of {name}: {texts}")


def show(browser, pages, kind, width=1280, scheme=LIGHT):
    browser.show(pages[kind], width, scheme, "#curves")
    # a page scrolls smoothly to its anchor, and a pointer would meet what is passing by
    browser.wait_for("const y = window.before; window.before = scrollY; return y === scrollY")


@pytest.mark.parametrize("kind", ["report", "board"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, LIGHT), (390, DARK)])
def test_a_pointer_tells_of_an_element(browser, pages, soft, kind, width, scheme):
    show(browser, pages, kind, width, scheme)
    assert readout(browser).startswith("Point at an element")
    assert_sound(browser, width)
    rows = {row.symbol: row for row in soft.elements}
    for name, symbol in (("Titanium", "Ti"), ("Copper", "Cu")):
        known = f"{name}, {symbol}: epsilon {rows[symbol].epsilon:.2f}, the median of 10 crystals"
        assert told(browser, name).startswith(known)
    assert told(browser, "Radium") == "Radium, Ra: not judged, it is none of ours"
    error = f"{rows['Zr'].signed_error:.0f}".replace("-", "−")
    known = f"Zirconium, Zr: {error} meV/atom, the mean over 1 proto"
    assert told(browser, "Zirconium", 1).startswith(known)


@pytest.mark.parametrize("kind", ["report", "board"])
def test_arrow_keys_go_from_element_to_element(browser, pages, kind):
    show(browser, pages, kind)
    stops = browser.all('.periodic .cell[tabindex="0"]')
    assert len(stops) == 2
    at = stops[0]
    assert at.get_attribute("aria-label").startswith("Titanium")
    for key, words in (
        (RIGHT, "Vanadium"), (DOWN, "Niobium"), (LEFT, "Zirconium"), (UP, "Titanium"),
        # above titanium is nothing
        (UP, "Titanium"), (LEFT, "Scandium"), (LEFT, "Calcium"), (UP, "Magnesium"),
        (RIGHT, "Aluminium"),
    ):  # fmt: skip
        at.send_keys(key)
        at = browser.driver.switch_to.active_element
        assert at.get_attribute("aria-label").startswith(words), (key, words)
        assert readout(browser).startswith(words)
    # the tab key comes back to where it was left
    first, second = browser.all('.periodic .cell[tabindex="0"]')
    assert first.get_attribute("aria-label").startswith("Aluminium")
    assert second.get_attribute("aria-label").startswith("Titanium")


def test_in_a_report_an_element_leads_to_its_row_and_its_group(browser, pages):
    show(browser, pages, "report")
    target = cell(browser, "Copper")
    target.send_keys(ENTER)
    (row,) = browser.all("#element-Cu")
    assert row.is_displayed()
    link = row.find_element("css selector", "a")
    assert link.text == "group 11"
    card = browser.all(link.get_attribute("href")[link.get_attribute("href").index("#") :])
    assert len(card) == 1
    # the readout has the same address, for those who point
    assert browser.all('.element-map .readout a[href="#element-Cu"]')


def test_on_a_models_page_an_element_leads_to_the_row_of_its_group(browser, pages):
    show(browser, pages, "board")
    cell(browser, "Copper").send_keys(ENTER)
    assert browser.run("return location.hash") == "#equation_of_state-group-11"
    assert browser.all("tr#equation_of_state-group-11")


@pytest.mark.parametrize("kind", ["report", "board"])
@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_letters_are_read_in_both_themes(browser, pages, kind, scheme):
    show(browser, pages, kind, 1280, scheme)
    least, where = browser.run(SVG_CONTRAST)
    assert least >= 4.5, where
    assert axe_problems(browser) == []


#: least contrast between a letter of a periodic table and the cell, or the page, behind it
SVG_CONTRAST = """
    function luminance(colour) {
      const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((c) => {
        const x = c / 255;
        return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    const paper = getComputedStyle(document.body).backgroundColor;
    let least = [21, ""];
    for (const text of document.querySelectorAll(".periodic text")) {
      const box = text.closest(".cell")?.querySelector("rect");
      const behind = box ? getComputedStyle(box).fill : paper;
      const pair = [getComputedStyle(text).fill, behind].map(luminance);
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      if (ratio < least[0]) least = [ratio, text.outerHTML + behind];
    }
    return least;
"""
