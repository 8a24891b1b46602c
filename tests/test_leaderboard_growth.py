"""Boards of many cases: nothing is read more often than there are cases."""

from __future__ import annotations

from pathlib import Path

import leaderboard_runs as make
import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symscape.leaderboard import ranking as ranking_module
from symscape.leaderboard.collect import Board, Entry, Unit
from symscape.leaderboard.ranking import RAW_METRICS, rank_board
from symscape.leaderboard.scores import ScoreTable, case_values


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
