"""Scores on references that only the keeper has stand beside the others."""

from __future__ import annotations

import csv
from dataclasses import replace

import leaderboard_library as make
import pytest
from browser import browser as browser
from leaderboard_site import column, names, runs
from leaderboard_site import ranking as ranking
from leaderboard_site import site as site
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ResultsFileError
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.held_back import held_back_scores
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.write import write_leaderboard
from symscape.results.run_results import save_results


def test_a_model_that_is_right_in_public_alone_is_seen(tmp_path):
    """It is soft where nobody looks; another is the same in both."""
    public, kept = (
        make.small_library(tmp_path / name / "references") for name in ("public", "kept")
    )
    for folder, library, scales in (
        ("public", public, {"fitted": 0.98, "honest": 0.8}),
        ("kept", kept, {"fitted": 0.6, "honest": 0.8}),
    ):
        (tmp_path / folder / "results").mkdir()
        for name, scale in scales.items():
            make.save(tmp_path / folder / "results", make.whole_run(library, name, scale))
    typed = ["leaderboard", str(tmp_path / "public" / "results"), "-o", str(tmp_path / "board")]
    typed += ["--references", str(tmp_path / "public" / "references")]
    ran = CliRunner().invoke(app, [*typed, "--held-back", str(tmp_path / "kept")])
    assert ran.exit_code == 0, ran.output
    text = (tmp_path / "board" / "leaderboard.csv").read_text(encoding="utf-8")
    rows = {row["model"]: row for row in csv.DictReader(text.splitlines())}
    score, there = (
        {name: float(row[column]) for name, row in rows.items()}
        for column in ("score", "held_back_score")
    )
    assert there["honest"] == pytest.approx(score["honest"], abs=1e-4)
    assert there["fitted"] < score["fitted"] - 0.1
    assert "Held back" in (tmp_path / "board" / "models" / "fitted.html").read_text()


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ResultsFileError, match="holds no results"):
        held_back_scores(tmp_path)


def test_the_board_has_a_column_of_the_scores_held_back(browser, tmp_path):
    """It is sorted by, taken along as CSV, and no part of the score."""
    entries = tuple(Entry(r, save_results(tmp_path / f"{r.model.name}.json", r)) for r in runs())
    board = Board(entries)
    first, second, *unscored = [s.name for s in rank_board(board).ranked]
    kept = replace(board, held_back={first: 0.25, second: 0.5})
    browser.show(write_leaderboard(tmp_path / "board", rank_board(kept)))
    table = browser.all("table.ranking")[0]
    assert column(browser, table, "held back")[0] == ["25", "50", *("" for _ in unscored)]
    column(browser, table, "held back")[1].find_element("css selector", "button").click()
    assert names(browser)[:2] == [second, first]
    text = browser.run("return download.csvOf(document.getElementById('ranking-1'))")
    rows = {row["model"]: row for row in csv.DictReader(text.splitlines())}
    assert float(rows[first]["held back"]) == 0.25
    best = rank_board(board).ranked[0]
    assert float(rows[first]["score"]) == pytest.approx(best.score, abs=1e-6)
    browser.show(tmp_path / "board" / "models" / f"{first}.html")
    assert "25.0 on references that only the keeper" in browser.texts("body")[0]
    assert browser.problems() == []


def test_a_board_without_has_no_such_column(browser, site):
    browser.show(site / "index.html")
    heads = browser.run("return [...document.querySelectorAll('thead th')].map(h => h.textContent)")
    assert not any("held back" in head for head in heads)
    assert browser.texts("#held-back")[0].startswith("Held back: a keeper can score")
