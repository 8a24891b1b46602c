"""Uncertainty, lists and ranks of the leaderboard, and the files it is made from."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import leaderboard_runs as make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from leaderboard_boards import A, B, C, board, save

from symscape.errors import ResultsFileError
from symscape.leaderboard import ranking
from symscape.leaderboard.badge import badge_words
from symscape.leaderboard.board_files import leaderboard_markdown
from symscape.leaderboard.bootstrap import Intervals, bootstrap
from symscape.leaderboard.collect import find_results, load_board
from symscape.leaderboard.ranking import RAW_METRICS, rank_board
from symscape.leaderboard.scores import combine, score_board, weighted_means
from symscape.models.card import ModelCard, PublishedValue

# -- uncertainty ----------------------------------------------------------------------------------


@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 2**16))
@settings(deadline=None, max_examples=30)
def test_intervals_hold_the_mean_and_stay_within_the_scores(n_materials, n_models, seed):
    rng = np.random.default_rng(seed)
    scores = rng.random((n_models, n_materials, 3))
    scores[:, rng.random(n_materials) < 0.4, 1] = np.nan
    weights = np.array([1.0, 1.0, 0.5])
    found = bootstrap(scores, weights, samples=200)
    means = weighted_means(np.swapaxes(scores, 0, 1), np.ones((1, n_materials)))[:, 0]
    overall = combine(means, weights)
    assert (found.overall[:, 0] <= overall).all()
    assert (overall <= found.overall[:, 1]).all()
    assert np.nanmin(scores) - 1e-12 <= found.overall.min()
    assert found.overall.max() <= np.nanmax(scores) + 1e-12


def test_interval_of_a_mean_is_that_of_the_central_limit():
    """100 materials, uniform scores: 1.96 standard errors on either side."""
    scores = np.random.default_rng(3).random((1, 100, 1))
    low, high = bootstrap(scores, np.ones(1), samples=20000).overall[0]
    error = scores.std() / 10
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.05)
    assert (high + low) / 2 == pytest.approx(scores.mean(), abs=0.2 * error)


def test_equal_materials_leave_no_uncertainty_and_one_material_an_unknown_one():
    same = np.full((2, 5, 1), 0.4)
    assert bootstrap(same, np.ones(1)).overall.tolist() == [[pytest.approx(0.4)] * 2] * 2
    assert np.isnan(bootstrap(same[:, :1], np.ones(1)).overall).all()


def test_ranks_know_what_is_sure():
    """One model is better on every material; two take turns."""
    rng = np.random.default_rng(1)
    base = 0.5 * rng.random((1, 12, 1))
    turns = np.where(np.arange(12) % 2 == 0, 0.1, -0.1)[None, :, None]
    scores = np.concatenate([base + 0.3, base + turns / 2, base - turns / 2])
    ranks = bootstrap(scores, np.ones(1)).ranks(np.arange(3))
    assert ranks[0].tolist() == [1, 1]
    assert ranks[1].tolist() == ranks[2].tolist() == [2, 3]


# -- lists ----------------------------------------------------------------------------------------


def test_other_level_of_theory_is_another_list():
    found = rank_board(
        board(
            make.run("far", (A, B), theory="r2SCAN"),
            make.run("soft", (A, B), scale=0.6),
            make.run("good", (A, B), scale=0.97, theory="pbe"),
            make.run("unsaid", (A, B), theory="unknown", scale=0.9),
        )
    )
    assert [(s.name, s.rank) for s in found.ranked] == [("good", 1), ("soft", 2)]
    assert [(s.name, s.rank) for s in found.others] == [("far", 1), ("unsaid", 2)]


@pytest.mark.parametrize("theory", ["PBE", "r2SCAN"])
def test_registered_models_without_a_published_value_are_not_ranked(theory, monkeypatch):
    value = PublishedValue("Si", "energy", -1.0, 0.1, "x")
    cards = {
        "good": ModelCard("good", "ase", published=(value,)),
        "best": ModelCard("best", "ase", not_published="nothing was found"),
    }
    monkeypatch.setattr(ranking, "load_cards", lambda: cards)
    found = rank_board(
        board(
            make.run("best", (A, B), theory=theory),
            make.run("good", (A, B), scale=0.9),
            make.run("my own", (A, B), scale=0.5),
        )
    )
    assert [(s.name, s.rank) for s in found.ranked] == [("good", 1), ("my own", 2)]
    assert [s.name for s in found.unchecked] == ["best"]
    assert found.others == ()
    assert [(own.has_ranks, len(own.standings)) for own in found.lists] == [(True, 2), (False, 1)]
    # it stands beside them with its score, and nowhere with a rank
    assert found.unchecked[0].score > found.ranked[0].score
    text = leaderboard_markdown(found)
    assert "## Loaded, not checked against published values" in text
    (row,) = [line for line in text.splitlines() if "| best" in line]
    assert row.startswith("|  | best")
    assert badge_words(found.unchecked[0]).endswith("not checked")


def test_equal_models_share_a_rank():
    ranking = rank_board(board(*(make.run(name, (A, B)) for name in "abc")))
    assert [s.rank for s in ranking.standings] == [1, 1, 1]


def test_raw_metrics_are_means_over_materials():
    second = replace(A, slice="X_x-Y_y")
    references = (A, second, B)
    made = make.run("m", references)
    values = {A.id: 0.1, second.id: 0.3, B.id: 0.6}
    cases = tuple(
        replace(c, metrics={**c.metrics, "max_displacement": values[f"{c.material}-{c.slice}"]})
        if c.question == "minima"
        else c
        for c in made.cases
    )
    (standing,) = rank_board(board(replace(made, cases=cases))).standings
    assert standing.raw["minima.max_displacement"] == pytest.approx((0.2 + 0.6) / 2)
    assert set(standing.raw) == {metric.name for metric in RAW_METRICS}


def test_speed_is_known_only_without_the_cache():
    made = make.run("m", (A,))
    assert math.isnan(rank_board(board(made)).standings[0].seconds_per_point)
    timed = replace(made, versions={**made.versions, "cache": "off"})
    points = int((np.isfinite(A.relative) & ~A.masked).sum())
    (standing,) = rank_board(board(timed)).standings
    assert standing.seconds_per_point == pytest.approx(1.5 / points)
    assert 0 < standing.speed < 1


def test_files_and_folders(tmp_path):
    one, other = (save(tmp_path, make.run(name, (A,))) for name in ("one", "two"))
    assert find_results([one]) == [one]
    assert find_results([tmp_path]) == [one, other]
    assert find_results([tmp_path / "one", one]) == [one]
    flat = tmp_path / "board" / "results"
    flat.mkdir(parents=True)
    (flat / "one.json").write_bytes(one.read_bytes())
    assert find_results([tmp_path / "board"]) == [flat / "one.json"]
    with pytest.raises(ResultsFileError, match="no such results file"):
        find_results([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsFileError, match=r"holds no results\.json"):
        find_results([tmp_path / "empty"])


@pytest.mark.parametrize(
    "change,reason",
    [
        ({"versions": {"symscape": "0.0.9"}}, r"made by symscape 0\.0\.9, new by 0\.1\.0"),
        ({"references": (replace(A, digest="f" * 64),)}, "another version of the reference"),
        ({"tolerances": "mine.toml"}, "tolerances of its own"),
    ],
)
def test_versions_are_not_mixed(tmp_path, change, reason):
    new = replace(make.run("new", (A,)), started="2026-12-01T00:00:00+00:00")
    old = replace(make.run("old", (A,)), **change)
    paths = [save(tmp_path, new), save(tmp_path, old)]
    for order in (paths, paths[::-1]):
        with pytest.raises(ResultsFileError, match=reason):
            load_board(order)
        found = load_board(order, separate=True)
        assert [entry.name for entry in found.entries] == ["new"]
        (aside,) = found.asides
        assert aside.entry.name == "old"


def test_model_can_not_stand_twice(tmp_path):
    first = save(tmp_path / "a", make.run("m", (A,)))
    second = save(tmp_path / "b", make.run("m", (A,), scale=0.5))
    with pytest.raises(ResultsFileError, match="m has another results file"):
        load_board([first, second])


def test_results_survive_the_file(tmp_path):
    runs = [make.run("one", (A, B), scale=0.8), make.run("two", (B, C))]
    direct = score_board(board(*runs))
    read = score_board(load_board([save(tmp_path, made) for made in runs]))
    np.testing.assert_allclose(read.cells, direct.cells, atol=1e-6)
    assert json.loads((tmp_path / "one" / "results.json").read_text())["model"]["name"] == "one"


@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 8), st.integers(1, 12)),
        elements=st.integers(0, 4).map(float),
    )
)
@settings(deadline=None)
def test_ranks_of_draws_count_who_is_ahead(samples):
    """Ties, which are many here, share the better rank."""
    n_models = len(samples)
    intervals = Intervals(np.zeros((n_models, 2)), np.zeros((n_models, 1, 2)), samples)
    ranks = 1 + (samples[None] > samples[:, None]).sum(axis=1)
    found = intervals.ranks(np.arange(n_models), level=1.0)
    assert (found == np.stack([ranks.min(axis=1), ranks.max(axis=1)], axis=1)).all()
