"""Scores against numbers worked out by hand, and what must hold for any board."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import leaderboard_runs as make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symscape.errors import ResultsFileError
from symscape.leaderboard.bootstrap import Intervals, bootstrap
from symscape.leaderboard.collect import Board, Entry, find_results, load_board
from symscape.leaderboard.ranking import RAW_METRICS, rank_board
from symscape.leaderboard.scores import case_values, combine, score_board, score_of, weighted_means
from symscape.questions.metric import Metric, Score
from symscape.questions.registry import QUESTIONS
from symscape.results.run_results import save_results

A, B, C = (make.material(k) for k in range(3))
LINEAR = Metric("m", "m", score=Score(1.0, 11.0, ""))
LOG = Metric("m", "m", score=Score(0.01, 10.0, "", logarithmic=True))
AROUND = Metric("m", "m", ideal=1.0, score=Score(0.0, 0.5, ""))
FEW = [0.0, 0.5, 1.0]
SCORED = {name: question for name, question in QUESTIONS.items() if question.scoring}


def board(*runs):
    """What loading does, without files."""
    entries = sorted((Entry(r, Path(f"{r.model.name}.json")) for r in runs), key=lambda e: e.name)
    return Board(tuple(entries))


def column(table, question):
    return [q.name for q in table.questions].index(question)


# -- one metric -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scale,value,expected",
    [
        (LINEAR, 0.0, 1.0),
        (LINEAR, 1.0, 1.0),
        (LINEAR, 6.0, 0.5),
        (LINEAR, -6.0, 0.5),
        (LINEAR, 11.0, 0.0),
        (LINEAR, 500.0, 0.0),
        (LINEAR, math.nan, 0.0),
        (LINEAR, math.inf, 0.0),
        (LOG, 0.0, 1.0),
        (LOG, 0.01, 1.0),
        (LOG, 0.1, 2 / 3),
        (LOG, 1.0, 1 / 3),
        (LOG, 10.0, 0.0),
        (LOG, math.nan, 0.0),
        (AROUND, 1.0, 1.0),
        (AROUND, 0.75, 0.5),
        (AROUND, 1.25, 0.5),
        (AROUND, 0.2, 0.0),
    ],
)
def test_metric_between_perfect_and_useless(scale, value, expected):
    assert score_of(scale, value) == pytest.approx(expected)


@pytest.mark.parametrize(
    "metric", [m for q in SCORED.values() for m in q.scored], ids=lambda m: m.name
)
@given(st.floats(0, 1e5), st.floats(0, 1e5))
@settings(deadline=None, max_examples=25)
def test_worse_never_scores_more(metric, one, other):
    near, far = sorted((one, other))
    assert 0 <= score_of(metric, metric.ideal - far) <= score_of(metric, metric.ideal - near) <= 1


def test_scales_name_metrics_of_the_suite_and_give_reasons():
    for question in SCORED.values():
        assert question.scoring.weight > 0
        assert question.scored
        for metric in question.scored:
            assert metric.ideal is not None
            assert metric.score.why.endswith((".", ")"))
            assert metric.score.perfect < metric.score.useless


# -- one case -------------------------------------------------------------------------------------


def test_soft_landscape_by_hand():
    """A model at 0.7 of DFT: its metrics follow from the grid, its score from them."""
    table = score_board(board(make.run("soft", (A,), scale=0.7)))
    window = A.relative[(A.relative <= 0.5) & ~A.masked]
    errors = 0.3 * 1000 * window
    scores = [
        np.clip((70 - errors.mean()) / 69, 0, 1),
        np.clip((250 - errors.max()) / 245, 0, 1),
        (0.5 - 0.3) / 0.5,
        1.0,
    ]
    assert table.cells[0, 0, column(table, "energies")] == pytest.approx(np.mean(scores), abs=1e-4)


def test_violation_is_the_largest_of_its_question():
    table = score_board(
        board(make.run("m", (A,), invariance={"rotation": 0.002, "space_group": 0.05}))
    )
    assert table.cells[0, 0, column(table, "invariance")] == pytest.approx(2 / 3)


def test_nan_among_contracts_is_no_pass():
    made = make.run("m", (A,), invariance={"rotation": math.nan})
    other = make.run("n", (A,))
    table = score_board(board(made, other))
    assert table.cells[:, 0, column(table, "invariance")].tolist() == [0.0, 1.0]


def test_number_that_another_model_has_counts_as_useless():
    """No matched minimum, no displacement: what the others have, this one lacks."""
    lost = make.run("lost", (A,), minima={"missing_minima": 1.0})
    cases = tuple(
        replace(c, metrics={"missing_minima": 1.0, "spurious_minima": 0.0})
        if c.question == "minima"
        else c
        for c in lost.cases
    )
    table = score_board(board(replace(lost, cases=cases), make.run("right", (A,))))
    # missing 0, spurious 1, displacement 0, depth 0
    assert table.cells[:, 0, column(table, "minima")].tolist() == [0.25, 1.0]


def test_points_without_energy_count_as_useless():
    made = make.run("holes", (A,))
    (energies,) = (c for c in made.cases if c.question == "energies")
    grid = [[None] * len(row) if i < 3 else row for i, row in enumerate(energies.energies)]
    cases = tuple(replace(c, energies=grid) if c is energies else c for c in made.cases)
    table = score_board(board(replace(made, cases=cases)))
    valid = np.isfinite(A.relative) & ~A.masked
    share = valid[3:].sum() / valid.sum()
    assert table.cells[0, 0, column(table, "energies")] == pytest.approx(share, abs=1e-3)
    assert table.cells[0, 0, column(table, "minima")] == pytest.approx(share)
    assert table.cells[0, 0, column(table, "invariance")] == 1.0


def test_windowed_metrics_are_those_of_the_stated_window():
    (energies,) = (c for c in make.run("m", (A,), scale=0.9).cases if c.question == "energies")
    values = case_values(replace(energies, metrics={**energies.metrics, "window": "100"}))
    assert values["mae"] == energies.metrics["windows"]["500"]["mae"]


# -- many cases -----------------------------------------------------------------------------------


def test_means_over_slices_then_materials_then_questions():
    second = replace(A, slice="X_x-Y_y")
    made = make.run(
        "m", (A, second, B), questions=("smoothness",), smoothness={"max_jump": 10, "max_kink": 0}
    )
    # the second material is perfect, the second slice of the first one too
    cases = tuple(
        make.case("smoothness", made.reference(c), "m")
        if c.question == "smoothness" and (c.material, c.slice) != (A.material, A.slice)
        else c
        for c in made.cases
    )
    table = score_board(board(replace(made, cases=cases)))
    q = column(table, "smoothness")
    assert table.by_material[0, :, q].tolist() == pytest.approx(
        [1.0 if m == B.material else (2 / 3 + 1) / 2 for m in table.materials]
    )
    assert table.by_question[0, q] == pytest.approx(((2 / 3 + 1) / 2 + 1) / 2)
    energies = table.by_question[0, column(table, "energies")]
    assert energies == pytest.approx(1.0, abs=1e-3)
    assert table.overall[0] == pytest.approx((energies + table.by_question[0, q]) / 2)


def test_questions_count_with_their_weights():
    made = make.run("m", (A,), invariance={"rotation": 9.0}, forces={"relative_force_error": 1.0})
    table = score_board(board(made))
    expected = {q.name: 1.0 for q in table.questions} | {"invariance": 0.0, "forces": 0.5}
    weights = [SCORED[name].scoring.weight for name in expected]
    mean = np.average(list(expected.values()), weights=weights)
    assert table.overall[0] == pytest.approx(mean, abs=1e-3)


def test_skipped_questions_score_zero_and_lower_the_coverage():
    lazy = make.run("lazy", (A, B), questions=("minima",))
    table = score_board(board(lazy, make.run("whole", (A, B, C))))
    asked = 3 * (1 + len(make.PERFECT))
    assert table.coverage.tolist() == [pytest.approx(4 / asked), 1.0]
    q = column(table, "saddles")
    assert table.by_question[:, q].tolist() == [0.0, 1.0]
    assert table.by_question[0, column(table, "minima")] == pytest.approx(2 / 3)


def test_what_nobody_is_asked_does_not_count():
    without = tuple(q for q in make.PERFECT if q != "saddles")
    one = make.run("one", (A,))
    other = make.run("one", (B,), questions=without)
    both = replace(one, cases=one.cases + other.cases, references=(A, B))
    table = score_board(board(both))
    q = column(table, "saddles")
    at = [s.material for s in table.slices].index(B.material)
    assert math.isnan(table.cells[0, at, q])
    assert table.by_question[0, q] == 1.0
    assert table.coverage[0] == 1.0


def test_case_that_could_not_be_judged_is_a_skipped_one():
    made = make.run("m", (A,))
    broken = tuple(
        make.case("saddles", A, "m", status="error") if c.question == "saddles" else c
        for c in made.cases
    )
    absent = tuple(c for c in made.cases if c.question != "saddles")
    whole = make.run("whole", (A,))
    tables = [score_board(board(replace(made, cases=cases), whole)) for cases in (broken, absent)]
    np.testing.assert_array_equal(tables[0].cells, tables[1].cells)
    assert tables[0].coverage.tolist() == tables[1].coverage.tolist()


qualities = st.floats(0, 300)


@given(st.lists(st.tuples(qualities, qualities), min_size=1, max_size=3), st.randoms())
@settings(deadline=None, max_examples=20)
def test_order_of_files_and_cases_changes_nothing(values, random):
    runs = [
        make.run(
            f"m{k}", (A, B), minima={"max_depth_error": depth}, saddles={"max_barrier_error": climb}
        )
        for k, (depth, climb) in enumerate(values)
    ]
    shuffled = []
    for made in runs:
        cases = list(made.cases)
        random.shuffle(cases)
        shuffled.append(replace(made, cases=tuple(cases)))
    random.shuffle(shuffled)
    one, other = rank_board(board(*runs)), rank_board(board(*shuffled))
    assert [s.name for s in one.standings] == [s.name for s in other.standings]
    np.testing.assert_array_equal(one.table.cells, other.table.cells)
    np.testing.assert_array_equal(one.intervals.overall, other.intervals.overall)


@given(
    st.sets(st.tuples(st.sampled_from(tuple(make.PERFECT)), st.booleans()), max_size=6),
    qualities,
)
@settings(deadline=None, max_examples=25)
def test_skipping_never_raises_a_score(skipped, climb):
    bad = {"minima": {"max_depth_error": climb}, "saddles": {"max_barrier_error": climb}}
    made = make.run("m", (A, B), scale=0.8, **bad)
    left = tuple(c for c in made.cases if (c.question, c.material == A.material) not in skipped)
    others = make.run("other", (A, B))
    full = score_board(board(made, others))
    less = score_board(board(replace(made, cases=left), others))
    assert less.overall[0] <= full.overall[0] + 1e-12
    assert less.coverage[0] <= full.coverage[0]


def test_crystals_are_units_beside_slices():
    good = make.with_crystals(make.run("good", (A,)))
    bad = make.with_crystals(make.run("bad", (A,)), above_hull_mae=35.5, wrong_order_share=0.25)
    none = make.run("none", (A,))
    table = score_board(board(good, bad, none))
    assert [unit.id for unit in table.units] == [
        A.id, "Al-Cu-hull", "Mg-Si-hull", "crystals-all",
    ]  # fmt: skip
    assert table.slices == (A,)
    assert table.materials == (A.material, "Al-Cu", "Mg-Si", "crystals")
    q = column(table, "hull")
    # formation 1, above hull 0.5, order 0.5, ground states 1
    assert table.by_question[:, q].tolist() == [0.75, 1.0, 0.0]
    assert table.by_question[:, column(table, "stability")].tolist() == [1.0, 1.0, 0.0]
    # a slice is not asked about hulls, nor a hull about minima
    assert np.isnan(table.cells[:, 0, q]).all()
    assert np.isnan(table.cells[:, 1:, column(table, "minima")]).all()
    assert table.coverage[2] == pytest.approx(7 / 10)


def test_crystals_of_another_version_are_not_mixed(tmp_path):
    one = make.with_crystals(make.run("one", (A,)))
    other = make.with_crystals(make.run("other", (A,)), digest="d" * 64)
    with pytest.raises(ResultsFileError, match="another version of the reference crystals"):
        load_board([save(tmp_path, one), save(tmp_path, other)])


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
    ranking = rank_board(
        board(
            make.run("far", (A, B), theory="r2SCAN"),
            make.run("soft", (A, B), scale=0.6),
            make.run("good", (A, B), scale=0.97, theory="pbe"),
            make.run("unsaid", (A, B), theory="unknown", scale=0.9),
        )
    )
    assert [(s.name, s.rank) for s in ranking.ranked] == [("good", 1), ("soft", 2)]
    assert [(s.name, s.rank) for s in ranking.others] == [("far", 1), ("unsaid", 2)]


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


# -- files ----------------------------------------------------------------------------------------


def save(folder, made):
    return save_results(folder / made.model.name / "results.json", made)


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


def changed(made, **changes):
    return replace(made, **changes)


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
