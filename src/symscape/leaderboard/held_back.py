"""Scores on references that only the keeper of a leaderboard has, beside those on the public ones.

Who recognizes the public structures scores worse on slightly strained copies of them.
"""

from __future__ import annotations

from pathlib import Path

from symscape.errors import ResultsFileError
from symscape.leaderboard.collect import filed_results, make_board, read_entries
from symscape.leaderboard.library import load_library
from symscape.leaderboard.ranking import rank_board


def held_back_scores(folder: Path) -> dict[str, float]:
    """Return the score of each model that was run on a library of its own, between 0 and 1.

    Parameters
    ----------
    folder
        With the library in ``references/`` and the runs on it in ``results/``.

    Raises
    ------
    ResultsFileError
        If there are no results, or one does not follow from its own energies.
    ReferenceFileError
        If the references are refused.
    """
    files = filed_results(folder)
    if not files:
        raise ResultsFileError(
            f"{folder}: holds no results/*.json; run the suite on its references."
        )
    library = load_library([folder / "references"])
    ranking = rank_board(make_board(read_entries(files), library))
    return {standing.name: standing.score for standing in ranking.standings}
