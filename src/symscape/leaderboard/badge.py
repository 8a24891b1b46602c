"""A model's score as a small picture for a readme."""

from __future__ import annotations

from symscape.leaderboard.board_files import points_text
from symscape.leaderboard.ranking import Standing
from symscape.page.badge import draw_badge

#: left part, which says whose score it is
LABEL = "symscape"
#: from which score on which colour; white letters are read on each
_COLOURS = ((0.75, "#0b6b5a"), (0.5, "#0b5f8a"), (0.25, "#7a5300"), (0.0, "#8f3b1b"))


def badge_words(standing: Standing) -> str:
    """Say what the badge says: ``symscape: 83.4 of 100``."""
    return f"{LABEL}: {_value(standing)}"


def score_badge(standing: Standing) -> str:
    """Return the badge as SVG; it says so where the model stands beside the ranking."""
    colour = next(colour for least, colour in _COLOURS if standing.score >= least)
    return draw_badge(LABEL, _value(standing), colour)


def _value(standing: Standing) -> str:
    text = f"{points_text(standing.score, 1)} of 100"
    if not standing.checked:
        return f"{text}, not checked"
    return text if standing.same_theory else f"{text}, other theory"
