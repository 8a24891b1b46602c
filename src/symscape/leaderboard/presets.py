"""Weights of the questions for those who want a potential for one thing, said once.

The board's own weights stand with each question; a preset asks some of the questions only. Pages
offer them, leaderboard.json holds the scores, and the browser averages with the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symscape.leaderboard.case_scores import scoring_of
from symscape.questions.question import Question


@dataclass(frozen=True)
class Preset:
    """A choice of weights.

    Parameters
    ----------
    name
        As in the page's address: ``phase-diagrams``.
    title
        In words.
    why
        What the questions have to do with it, as half a sentence.
    weights
        Question to weight; those that are not named have none. Empty: the board's own.
    """

    name: str
    title: str
    why: str
    weights: Mapping[str, float]

    def of(self, questions: Sequence[Question]) -> np.ndarray:
        """Weights of questions, shape (n_questions,)."""
        if not self.weights:
            return np.array([scoring_of(question).weight for question in questions])
        return np.array([self.weights.get(question.name, 0.0) for question in questions])


PRESETS: tuple[Preset, ...] = (
    Preset("all", "all questions", "the weights of the board", {}),
    Preset(
        "phonons",
        "phonons",
        "frequencies follow from curvature: softening of energies and forces, and no kinks",
        {"energies": 1.0, "forces": 1.0, "smoothness": 1.0},
    ),
    Preset(
        "phase-diagrams",
        "phase diagrams",
        "which phases there are: formation energies, energies above hull, who is stable",
        {"hull": 1.0, "stability": 1.0},
    ),
    Preset(
        "transitions",
        "transitions",
        "where phases lie and what separates them: minima and saddles",
        {"minima": 1.0, "saddles": 1.0},
    ),
    Preset(
        "paper-one",
        "paper one: landscapes",
        "symmetry-restricted landscapes, arXiv:2602.02237: energies, minima, saddles, smoothness",
        {"energies": 1.0, "minima": 1.0, "saddles": 1.0, "smoothness": 1.0},
    ),
    Preset(
        "paper-two",
        "paper two: underprediction",
        "underprediction from symmetry, arXiv:2507.15190: hulls, and bias by free parameters",
        {"hull": 1.0, "underprediction": 1.0},
    ),
)
