"""What a page's tables and figures offer: sorting, a search, CSV, SVG and PNG files."""

from __future__ import annotations

import base64
import csv
import io

import pytest
from browser import LIGHT
from browser import browser as browser
from report_page import draw_little
from test_explorer import page as page
from test_hull_report import run as hull_run

from symscape.page.report import write_report

run = hull_run
#: what a button's click would save: name and content, as base64
TAKE = """
    const [button, done] = arguments;
    const own = HTMLAnchorElement.prototype.click;
    HTMLAnchorElement.prototype.click = function () {
      const { download, href } = this;
      fetch(href).then((r) => r.arrayBuffer())
        .then((b) => done([download, btoa(String.fromCharCode(...new Uint8Array(b)))]))
        .catch((e) => done([String(e), ""]));
    };
    button.click();
    HTMLAnchorElement.prototype.click = own;
"""


def take(browser, button) -> tuple[str, bytes]:
    """Press a button and return the name and the content of the file that it offers."""
    browser.driver.set_script_timeout(20)
    name, content = browser.driver.execute_async_script(TAKE, button)
    return name, base64.b64decode(content)


@pytest.fixture(scope="module")
def hulls(run, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        return write_report(tmp_path_factory.mktemp("hulls"), run)


def opened(browser, path, part: str) -> None:
    """Show a page with every fold open, as a click on each would leave it."""
    browser.show(path, 1280, LIGHT)
    browser.run("for (const d of document.querySelectorAll('details')) d.open = true;")
    browser.driver.execute_async_script("setTimeout(arguments[0], 100)")
    assert browser.all(part)


def test_crystals_sort_by_a_column_and_back(browser, hulls):
    opened(browser, hulls, "table.sortable")
    (table,) = browser.all("table.sortable")

    def press(k: int) -> list[str]:
        table.find_elements("css selector", "thead button")[k].send_keys("\ue007")
        cells = table.find_elements("css selector", f"tbody tr > :nth-child({k + 1})")
        return [cell.text.replace("−", "-") for cell in cells]

    errors = [float(text) for text in press(5)]
    assert len(errors) > 3
    assert errors == sorted(errors)
    assert [float(text) for text in press(5)] == sorted(errors, reverse=True)
    heads = table.find_elements("css selector", "thead th")
    assert heads[5].get_attribute("aria-sort") == "descending"
    names = press(0)
    assert names == sorted(names, key=str.lower)
    assert not heads[5].get_attribute("aria-sort")


@pytest.mark.parametrize("word", ["im-3m", "Im3̅m"])
def test_crystals_are_found_by_a_word(browser, hulls, word):
    """Symbols as they are typed and as they are printed."""
    opened(browser, hulls, "table.sortable")
    field = browser.all(".part form.filter input[type=search]")[0]
    field.send_keys(word)
    rows = browser.all("table.sortable tbody tr")
    shown = [row.text for row in rows if row.is_displayed()]
    assert shown
    assert all("Im3̅m" in text for text in shown)
    assert browser.texts(".part form.filter output") == [f"{len(shown)} of {len(rows)}"]


def test_every_table_is_offered_as_csv(browser, hulls):
    opened(browser, hulls, "table")
    tables = browser.all("table")
    buttons = [b for b in browser.all("button.get") if b.text == "CSV"]
    assert len(buttons) == len(tables) > 3
    for table, button in zip(tables, buttons, strict=True):
        name, content = take(browser, button)
        assert name.endswith(".csv")
        rows = list(csv.reader(io.StringIO(content.decode())))
        cells = [
            len(tr.find_elements("css selector", "td, th"))
            for tr in table.find_elements("css selector", "tr")
        ]
        assert [len(row) for row in rows] == cells
    # numbers are numbers: no true minus, no words for what is missing
    (sortable,) = browser.all("table.sortable")
    button = sortable.find_element("xpath", "../following-sibling::button")
    _, content = take(browser, button)
    errors = [row[5] for row in csv.reader(io.StringIO(content.decode()))][1:]
    assert any(float(e) < 0 for e in errors)


def test_maps_are_offered_as_png_once_a_card_was_opened_by_hand(browser, page):
    browser.show(page, 1280, LIGHT)
    assert not [b for b in browser.all("button.get") if b.text == "PNG"]
    browser.all("details.slice summary")[0].send_keys("\ue007")
    browser.driver.execute_async_script("setTimeout(arguments[0], 100)")
    buttons = [b for b in browser.all(".maps button.get") if b.text == "PNG"]
    assert len(buttons) == len(browser.all(".maps canvas")) == 4
    name, content = take(browser, buttons[0])
    assert name.endswith(".png")
    assert content.startswith(b"\x89PNG")


def test_drawings_are_offered_as_svg_with_their_style(browser, tmp_path):
    from test_history import run_of

    from symscape.page.history_page import render_history_page
    from symscape.results.history import History, PastRun

    history = History(tuple(PastRun(f"step-{k}", run_of(k / 4, k)) for k in (1, 2, 4)))
    path = tmp_path / "history.html"
    path.write_text(render_history_page(history), encoding="utf-8")
    opened(browser, path, "figure svg")
    buttons = [b for b in browser.all("button.get") if b.text == "SVG"]
    assert len(buttons) == len(browser.all("figure svg"))
    name, content = take(browser, buttons[0])
    assert name.endswith(".svg")
    text = content.decode()
    assert text.startswith("<svg")
    assert "http://www.w3.org/2000/svg" in text
    # a variable of the page's style sheet would be black elsewhere
    assert "var(--" not in text.split("style=", 1)[1]
