"""Scores on references that only the keeper has stand beside the others."""

from __future__ import annotations

import csv

import leaderboard_library as make
import pytest
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ResultsFileError
from symscape.leaderboard.held_back import held_back_scores


def test_a_model_that_is_right_in_public_alone_is_seen(tmp_path):
    """It is soft where nobody looks; another is the same in both.

    Within 2 % of DFT, numbers would be taken for DFT's own.
    """
    public, kept = (
        make.small_library(tmp_path / name / "references") for name in ("public", "kept")
    )
    for folder, library, scales in (
        ("public", public, {"fitted": 0.95, "honest": 0.8}),
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
