"""A board of four models, its pages, and what a reader does with them in a browser."""

from __future__ import annotations

from dataclasses import replace

import leaderboard_runs as make
import pytest

from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.results.files import save_results

MATERIALS = tuple(make.material(k) for k in range(6))


def runs():
    """Four models whose order depends on the materials; one of another level of theory."""
    first, last = MATERIALS[:3], MATERIALS[3:]
    mixed = make.with_crystals(make.run("mixed", first), ("Ti-O", "Mg-Si"))
    worse = make.run("mixed", last, scale=0.55, minima={"missing_minima": 1.0})
    return [
        replace(mixed, cases=mixed.cases + worse.cases, references=MATERIALS),
        make.with_crystals(
            make.run("even", MATERIALS, scale=0.8, saddles={"max_barrier_error": 20.0}),
            ("Ti-O", "Mg-Si"),
            above_hull_mae=30.0,
        ),
        make.run("lazy", MATERIALS[:5], scale=0.95, questions=("minima", "saddles")),
        make.run("other", MATERIALS, scale=0.9, theory="r2SCAN"),
    ]


@pytest.fixture(scope="module")
def ranking(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    entries = [Entry(r, save_results(folder / f"{r.model.name}.json", r)) for r in runs()]
    return rank_board(Board(tuple(sorted(entries, key=lambda e: e.name))))


@pytest.fixture(scope="module")
def site(ranking, tmp_path_factory):
    return write_leaderboard(tmp_path_factory.mktemp("board"), ranking).parent


def names(browser, table=0):
    """Models in the order in which a list shows them."""
    rows = browser.all("table.ranking")[table].find_elements("css selector", "tbody th a")
    return [row.text for row in rows]


def column(browser, table, title):
    """Texts of one column of a table, in the order shown; and its head."""
    heads = table.find_elements("css selector", "thead th")
    titles = [head.get_attribute("textContent").strip().split("\n")[0] for head in heads]
    k = next(i for i, text in enumerate(titles) if text.startswith(title))
    rows = table.find_elements("css selector", "tbody tr")
    cells = [row.find_elements("css selector", "td, th")[k] for row in rows if row.is_displayed()]
    return [cell.text for cell in cells], heads[k]


def set_field(browser, name, value):
    """Type into a field or choose from it, as a user's input event."""
    browser.run(
        """
        const field = document.getElementById("filters").elements[arguments[0]];
        field.value = arguments[1];
        field.dispatchEvent(new Event("input", {bubbles: true}));
        """,
        name,
        value,
    )
