"""The committed leaderboard: made from its own results, by this version of the code."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from symscape.cli import app
from symscape.leaderboard.board_files import leaderboard_csv
from symscape.leaderboard.collect import make_board, read_entries
from symscape.leaderboard.library import load_library
from symscape.leaderboard.provenance import load_provenance
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.submission import AGREEING
from symscape.leaderboard.timing import load_timings
from symscape.models.registry import load_cards

FOLDER = Path(__file__).parents[1] / "reports" / "leaderboard"
AGAIN = "run: symscape leaderboard reports/leaderboard -o reports/leaderboard"


@pytest.fixture(scope="module")
def library():
    return load_library([FOLDER.parents[1] / "references"])


@pytest.fixture(scope="module")
def ranking(library):
    entries = read_entries([FOLDER])
    board = make_board(entries, library, provenance=load_provenance(FOLDER))
    return rank_board(replace(board, timings=load_timings(FOLDER)))


def rows(text):
    return list(csv.DictReader(text.splitlines()))


def test_tables_follow_from_the_results(ranking):
    stored = rows((FOLDER / "leaderboard.csv").read_text(encoding="utf-8"))
    made = rows(leaderboard_csv(ranking))
    assert [row.keys() for row in stored] == [row.keys() for row in made], AGAIN
    for one, other in zip(stored, made, strict=True):
        for name, text in one.items():
            try:
                assert float(text) == pytest.approx(float(other[name]), rel=1e-4, abs=1e-6), AGAIN
            except ValueError:
                assert text == other[name], AGAIN


def test_pages_are_built_of_the_results_alone(ranking, tmp_path):
    """They are not committed: one command makes them of what is."""
    found = CliRunner().invoke(
        app, ["leaderboard", "--believe", str(FOLDER / "results"), "-o", str(tmp_path)]
    )
    assert found.exit_code == 0, found.output
    names = {s.name for s in ranking.standings}
    assert {path.stem for path in (tmp_path / "models").glob("*.html")} == names
    assert len(list((tmp_path / "materials").glob("*.html"))) == len(ranking.board.materials)
    # a name may say where it breaks
    index = (tmp_path / "index.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert all(f">{name}</a>" in index for name in names)


def test_models_are_registered_as_they_were_run(ranking):
    cards = load_cards()
    for entry in ranking.board.entries:
        card = cards[entry.name]
        for field in AGREEING:
            assert getattr(entry.run.model, field) == getattr(card, field)


def test_every_model_has_published_values_or_says_that_there_are_none(ranking):
    cards = load_cards()
    for entry in ranking.board.entries:
        card = cards[entry.name]
        assert bool(card.published) != bool(card.not_published), entry.name
    assert not any(cards[s.name].published for s in ranking.unchecked)


def test_fifteen_models_of_five_families_reproduce_published_values(ranking):
    cards = load_cards()
    checked = [s for s in ranking.standings if s.checked]
    assert all(cards[s.name].published for s in checked)
    assert len(checked) >= 15
    assert len({s.entry.run.model.family for s in checked}) >= 5


def test_every_model_was_asked_everything(ranking):
    assert {standing.coverage for standing in ranking.standings} == {1.0}


def test_scores_of_the_whole_library_begin_where_knowledge_does(ranking):
    scores = {anchor.name: anchor.score for anchor in ranking.anchors}
    assert scores["perfect"] == pytest.approx(1.0, abs=1e-6)
    assert scores["constant"] == pytest.approx(0.0, abs=1e-6)
    assert 0 <= scores["noise"] < 0.05
    assert all(scores["noise"] < standing.score for standing in ranking.standings)


def test_spot_checks_agreed():
    checks = {name: known.checked for name, known in load_provenance(FOLDER).items()}
    assert all(check.agreed for check in checks.values() if check)
    assert any(checks.values())


def test_nothing_of_the_machine_is_told():
    for path in FOLDER.rglob("*"):
        if path.suffix in (".html", ".json", ".md", ".csv", ".js"):
            text = path.read_text(encoding="utf-8")
            assert "/root/" not in text
            assert "/home/" not in text
