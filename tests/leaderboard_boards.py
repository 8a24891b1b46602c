"""Boards of made-up runs."""

from __future__ import annotations

from pathlib import Path

import leaderboard_runs as make

from symscape.leaderboard.collect import Board, Entry
from symscape.results.files import save_results

A, B, C = (make.material(k) for k in range(3))


def board(*runs):
    """What loading does, without files."""
    entries = sorted((Entry(r, Path(f"{r.model.name}.json")) for r in runs), key=lambda e: e.name)
    return Board(tuple(entries))


def save(folder, made):
    return save_results(folder / made.model.name / "results.json", made)
