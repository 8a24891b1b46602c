"""What ranking costs as boards get larger."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import leaderboard_runs as make
import pytest

from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.ranking import rank_board

#: what ranking 500 models of 200 cases, or 10 of 100,000, may take: seconds of CPU, and MB with
#: Python and the board itself
MOST_S, MOST_MB = 10.0, 500.0
#: by what ranking four times the cases may cost more
PROMISED = 6.0


def board(n_models: int, n_materials: int) -> Board:
    """Models that differ, each with seven cases a material."""
    first = make.material(0)
    references = tuple(
        replace(first, material=f"{first.material}-{k}", digest=f"{k:064x}")
        for k in range(n_materials)
    )
    runs = []
    for m in range(n_models):
        one = make.run(f"model-{m:03d}", (first,), scale=0.5 + 0.03 * m)
        cases = tuple(replace(c, material=r.material) for r in references for c in one.cases)
        runs.append(replace(one, references=references, cases=cases))
    return Board(tuple(Entry(run, Path(run.model.name)) for run in runs))


@pytest.mark.speed
def test_ranking_grows_with_the_cases(benchmark, capsys):
    """Ten models, 1,750 and 7,000 cases each; CPU time, the fastest of two."""
    spent = []
    for n_materials in (250, 1000):
        own, times = board(10, n_materials), []
        for _ in range(2):
            begin = time.process_time()
            rank_board(own)
            times.append(time.process_time() - begin)
        spent.append(min(times))
    benchmark.pedantic(rank_board, (own,), rounds=1)
    with capsys.disabled():
        print(f"\n{1e6 * spent[1] / 70_000:.1f} microseconds a case; {spent[1] / spent[0]:.1f}x")
    assert spent[1] < PROMISED * spent[0]


@pytest.mark.speed
@pytest.mark.parametrize(("n_models", "n_materials"), [(10, 14286), (500, 29)])
def test_large_boards_are_ranked_in_seconds_and_megabytes(n_models, n_materials, capsys):
    """In a process of their own, whose peak memory is then theirs; CPU time of ranking."""
    code = f"""
import resource, sys, time
sys.path[:0] = {[str(Path(__file__).parent), str(Path(make.__file__).parent)]}
from test_speed_board import board, rank_board
own = board({n_models}, {n_materials})
begin = time.process_time()
rank_board(own)
print(time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    with capsys.disabled():
        print(f"\n{n_models} x {7 * n_materials}: {seconds:.1f} s, {megabytes:.0f} MB")
    assert seconds < MOST_S
    assert megabytes < MOST_MB
