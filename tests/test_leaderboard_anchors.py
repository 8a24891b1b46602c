"""A model that knows everything scores 100, one that knows nothing 0, question by question."""

from __future__ import annotations

from dataclasses import replace

import leaderboard_library as make
import numpy as np
import pytest

from symscape.leaderboard.anchors import SEED, Anchors, _drawn
from symscape.leaderboard.collect import Board, Entry, load_board
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.scores import score_board


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make.small_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def anchors(library):
    return Anchors(library)


def run_of(library, cases, name):
    """An anchor as any other submitted run."""
    run = make.whole_run(library, name)
    return replace(run, cases=tuple(replace(case, model=name) for case in cases.values()))


@pytest.fixture(scope="module")
def board(library, anchors, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    runs = {
        "perfect": anchors.perfect.cases,
        "constant": anchors.constant.cases,
        "noise": anchors._answered("noise", _drawn(7)),
    }
    made = [run_of(library, cases, name) for name, cases in runs.items()]
    made += [
        make.whole_run(library, "soft", 0.8),
        make.whole_run(library, "rough", 0.8, noise=0.02),
    ]
    entries = [Entry(run, make.save(folder, run)) for run in made]
    return Board(tuple(sorted(entries, key=lambda e: e.name)), library=library)


def test_every_question_gives_all_to_dft_and_nothing_to_a_constant(board, library):
    table = score_board(board)
    assert {q.name for q in table.questions} == {asked.question for asked in library.asked}
    perfect, constant = (table.models.index(name) for name in ("perfect", "constant"))
    asked = table.asked
    np.testing.assert_allclose(table.cells[perfect][asked], 1.0, atol=1e-6)
    np.testing.assert_allclose(table.cells[constant][asked], 0.0, atol=1e-6)


def test_anchors_are_the_ends_of_the_ranking(board):
    ranking = rank_board(board)
    assert [s.name for s in ranking.standings][:3] == ["perfect", "soft", "rough"]
    by_name = {s.name: s.score for s in ranking.standings}
    assert by_name["perfect"] == pytest.approx(1.0, abs=1e-6)
    assert by_name["constant"] == pytest.approx(0.0, abs=1e-6)
    # of two slices, chance may match a minimum; over the whole library it averages out
    assert by_name["noise"] < 0.15
    shown = {a.name: a.score for a in ranking.anchors}
    assert shown["perfect"] == pytest.approx(1.0, abs=1e-6)
    assert shown["constant"] == pytest.approx(0.0, abs=1e-6)
    assert 0 <= shown["noise"] < 0.15


@pytest.mark.parametrize("question", ["smoothness", "invariance", "conservative_forces"])
def test_form_counts_as_much_as_the_landscape_that_it_stands_on(board, question):
    """Without kinks, but soft: what has nothing to do with DFT earns no more than what has."""
    table = score_board(board)
    column = [q.name for q in table.questions].index(question)
    landscape = [k for k, q in enumerate(table.questions)
                 if q.name in ("energies", "minima", "saddles", "forces")]  # fmt: skip
    for model in ("soft", "constant"):
        cells = table.cells[table.models.index(model)]
        slices = len(table.slices)
        assert (cells[:slices, column] <= np.nanmax(cells[:slices][:, landscape], axis=1)).all()


def test_what_is_asked_comes_from_the_library(library, tmp_path):
    """A run that leaves out a question is not asked less."""
    whole = make.whole_run(library, "whole", 0.8)
    lazy = make.whole_run(library, "lazy", 0.7)
    lazy = replace(
        lazy, cases=tuple(c for c in lazy.cases if c.question not in ("forces", "relaxation"))
    )
    alone = load_board([make.save(tmp_path, lazy)], library)
    both = load_board([make.save(tmp_path, run) for run in (lazy, whole)], library)
    scores = {s.name: s for s in rank_board(both).standings}
    (only,) = rank_board(alone).standings
    assert only.score == pytest.approx(scores["lazy"].score, abs=1e-12)
    assert only.coverage == scores["lazy"].coverage < 1
    assert scores["whole"].coverage == 1


def test_noise_that_is_shown_is_not_the_noise_that_sets_the_scale(anchors):
    shown = _drawn(SEED)(np.arange(5.0))
    assert not any(np.allclose(shown, _drawn(SEED + 1 + k)(np.arange(5.0))) for k in range(3))


def test_add_validates_files_and_builds(library, tmp_path, monkeypatch):
    """What is refused is not filed; what is in order is filed, and the tables hold it."""
    from typer.testing import CliRunner

    from symscape.cli import app
    from symscape.models import registry

    good = make.whole_run(library, "good", 0.9)
    bad = replace(make.whole_run(library, "bad", 0.7), started="2099-01-01T00:00:00")
    cards = {run.model.name: run.model for run in (good, bad)}
    monkeypatch.setattr(registry, "load_cards", lambda: cards)
    folder, references = tmp_path / "board", str(tmp_path / "references")
    make.small_library(tmp_path / "references")

    def add(run):
        path = str(make.save(tmp_path, run))
        arguments = ["leaderboard", "add", path, "-o", str(folder), "--references", references]
        return CliRunner().invoke(app, arguments)

    refused = add(bad)
    assert refused.exit_code != 0
    assert "a day to come" in str(refused.exception)
    assert not folder.exists()
    outcome = add(good)
    assert outcome.exit_code == 0, outcome.output
    assert [path.name for path in (folder / "results").iterdir()] == ["good.json"]
    assert "good" in (folder / "leaderboard.csv").read_text()
