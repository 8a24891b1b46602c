"""What was worked out of the same files is not repeated; of any other file it is."""

from __future__ import annotations

import json

import leaderboard_library as make
import numpy as np
import pytest

from symscape.errors import ResultsFileError
from symscape.leaderboard import audit, scores
from symscape.leaderboard.collect import make_board, read_entries
from symscape.leaderboard.judged import FILE, load_judged, save_judged
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make.small_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def built(library, tmp_path_factory):
    """A leaderboard of two runs, written, and its ranking."""
    folder = tmp_path_factory.mktemp("built")
    paths = [
        make.save(folder, make.whole_run(library, name, scale))
        for name, scale in (("good", 0.9), ("soft", 0.6))
    ]
    ranking = rank_board(make_board(read_entries(paths), library))
    write_leaderboard(folder / "board", ranking)
    return folder / "board", ranking


def board_of(folder, library):
    files = [folder / "results"]
    return make_board(read_entries(files), library, judged=load_judged(folder))


def test_a_second_build_computes_nothing_and_says_the_same(built, library, monkeypatch):
    folder, first = built

    def never(*arguments, **options):
        raise AssertionError("computed again")

    monkeypatch.setattr(audit, "audit", never)
    monkeypatch.setattr(scores, "library_standards", never)
    second = rank_board(board_of(folder, library))
    assert [s.name for s in second.standings] == [s.name for s in first.standings]
    for one, other in zip(first.standings, second.standings, strict=True):
        assert other.score == pytest.approx(one.score, abs=1e-6)
    for one, other in zip(first.anchors, second.anchors, strict=True):
        assert (one.name, one.score) == (other.name, other.score)
        np.testing.assert_array_equal(one.questions, other.questions)


def test_a_file_that_was_changed_is_recomputed_and_refused(built, library, tmp_path):
    folder, _ = built
    path = folder / "results" / "good.json"
    text = path.read_text()
    document = json.loads(text)
    case = next(c for c in document["cases"] if c["question"] == "energies")
    windows = case["metrics"]["windows"]
    for own in windows.values():
        own["mae"] = 0.0
    path.write_text(json.dumps(document))
    try:
        with pytest.raises(ResultsFileError, match="mae in energies"):
            board_of(folder, library)
    finally:
        path.write_text(text)


def test_other_references_make_everything_new(built, library, tmp_path):
    folder, _ = built
    judged = load_judged(folder)
    assert judged is not None
    assert judged.library == library.digest
    from dataclasses import replace

    save_judged(tmp_path, replace(judged, code="0" * 64))
    assert load_judged(tmp_path) is None  # another version of the code may judge otherwise

    other = replace(judged, library="0" * 64)
    assert make_board(read_entries([folder / "results"]), library, judged=other).judged is None


def test_what_is_kept_survives_writing_and_a_damaged_file_is_named(built, tmp_path):
    folder, _ = built
    judged = load_judged(folder)
    save_judged(tmp_path, judged)
    assert load_judged(tmp_path) == judged
    (tmp_path / FILE).write_text('{"library": 3')
    with pytest.raises(ResultsFileError, match=r"judged\.json.*delete the file"):
        load_judged(tmp_path)
    assert load_judged(tmp_path / "nowhere") is None
