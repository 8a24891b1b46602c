"""Scores against numbers worked out by hand, and what must hold for any board."""

from __future__ import annotations

import math
from dataclasses import replace

import leaderboard_runs as make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaderboard_boards import A, B, C, board, save

from symscape.errors import ResultsFileError
from symscape.leaderboard.case_scores import case_values, score_of
from symscape.leaderboard.collect import load_board
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.scores import score_board
from symscape.questions.metric import Metric, Score
from symscape.questions.registry import QUESTIONS

LINEAR = Metric("m", "m", score=Score(1.0, 11.0, ""))


LOG = Metric("m", "m", score=Score(0.01, 10.0, "", logarithmic=True))


AROUND = Metric("m", "m", ideal=1.0, score=Score(0.0, 0.5, ""))


SCORED = {name: question for name, question in QUESTIONS.items() if question.scoring}


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
    values = case_values(replace(energies, windows=replace(energies.windows, judged="100")))
    assert values["mae"] == energies.windows.by_width["500"]["mae"]


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
