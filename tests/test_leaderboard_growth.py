"""Boards of many cases: nothing is read more often than there are cases."""

from __future__ import annotations

import sys
from pathlib import Path

import leaderboard_runs as make
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symscape.leaderboard import bootstrap as bootstrap_module
from symscape.leaderboard import ranking as ranking_module
from symscape.leaderboard import scores as scores_module
from symscape.leaderboard.case_scores import case_values
from symscape.leaderboard.collect import Board, Entry, Unit
from symscape.leaderboard.ranking import RAW_METRICS, rank_board
from symscape.leaderboard.scores import ScoreTable


def board(n_materials):
    references = tuple(make.material(k) for k in range(n_materials))
    runs = [make.run(name, references, scale=scale) for name, scale in (("a", 0.9), ("b", 0.5))]
    return Board(tuple(Entry(run, Path(run.model.name)) for run in runs))


def test_raw_metrics_read_each_case_once(monkeypatch):
    own = board(5)
    read = []

    def reading(case):
        read.append((case.model, case.question, case.material, case.slice))
        return case_values(case)

    monkeypatch.setattr(ranking_module, "case_values", reading)
    ranking = rank_board(own)
    assert len(read) == len(set(read)) > 0
    assert {question for _, question, _, _ in read} <= {metric.question for metric in RAW_METRICS}
    # and every metric has what its case says
    places = {(u.material, u.slice): k for k, u in enumerate(ranking.table.units)}
    for m, entry in enumerate(own.entries):
        for case in entry.run.cases:
            for metric in (r for r in RAW_METRICS if r.question == case.question):
                found = ranking.raw_units[metric.name][m, places[case.material, case.slice]]
                wanted = case_values(case).get(metric.metric.name, np.nan)
                np.testing.assert_equal(found, wanted)


def calls_of(function, *arguments):
    """How many functions are called, Python's own included: no clock, no luck."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return count


def test_ranking_makes_no_table_of_all_cases_for_each_of_them():
    """Sets of all keys are made once a model, however many materials there are."""
    made = []

    class Keys(dict):
        def keys(self):
            made.append(len(self))
            return super().keys()

    own = board(6)
    judged = scores_module._judged_cases
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores_module, "_judged_cases", lambda run: Keys(judged(run)))
        rank_board(own)
    assert len(made) <= 2 * len(own.entries)


def test_calls_grow_with_the_materials():
    few, many = (calls_of(rank_board, board(n)) for n in (10, 40))
    assert many < 4.5 * few


def test_draws_in_pieces_are_the_same(monkeypatch):
    values = np.random.default_rng(3).random((3, 50, 2))
    values[:, ::7, 1] = np.nan
    whole = bootstrap_module.bootstrap(values, np.ones(2), samples=300)
    monkeypatch.setattr(bootstrap_module, "_NUMBERS_AT_ONCE", 56 * 77)
    parts = bootstrap_module.bootstrap(values, np.ones(2), samples=300)
    np.testing.assert_array_equal(parts.samples, whole.samples)
    np.testing.assert_array_equal(parts.by_question, whole.by_question)


@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 2)),
        elements=st.floats(-10, 10) | st.just(np.nan),
    ),
    st.randoms(),
)
def test_means_by_material_are_those_of_pandas(values, random):
    n_models, n_units, n = values.shape
    units = tuple(Unit(random.choice(["Al-Cu", "Mg-Si", "Ca"]), f"s{k}") for k in range(n_units))
    names = tuple(f"m{k}" for k in range(n_models))
    table = ScoreTable(names, units, (), values, np.isfinite(values))
    found = table.means_by_material(values)
    for q in range(n):
        frame = pd.DataFrame(values[:, :, q].T, index=[unit.material for unit in units])
        wanted = frame.groupby(level=0).mean().loc[list(table.materials)]
        np.testing.assert_allclose(found[:, :, q].T, wanted.to_numpy(), atol=1e-12)
