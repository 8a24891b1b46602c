"""How much the scores depend on which materials happen to be in the library.

Materials are drawn with replacement (B. Efron, Ann. Stat. 7, 1 (1979)), the same for all models, so
that what is hard for every model does not blur the difference between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symscape.leaderboard.scores import combine, weighted_means

SAMPLES = 4000
SEED = 20260101
#: an interval needs at least this many materials
FEWEST_MATERIALS = 2
#: numbers of draws that are made together: 8 MiB
_NUMBERS_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class Intervals:
    """Percentile intervals, low and high in the last axis; NaN where there are too few materials.

    Parameters
    ----------
    overall
        Of the score, shape (n_models, 2).
    by_question
        Of the mean of each question, shape (n_models, n_questions, 2).
    samples
        The scores of all draws, shape (n_models, n_samples).
    """

    overall: np.ndarray
    by_question: np.ndarray
    samples: np.ndarray

    def ranks(self, chosen: np.ndarray, level: float = 0.95) -> np.ndarray:
        """Interval of the rank of each chosen model among the chosen ones, shape (n_chosen, 2).

        Parameters
        ----------
        chosen
            Indices of the models of one list.
        """
        scores = self.samples[chosen]
        if np.isnan(self.overall).any():
            return np.tile([1, len(chosen)], (len(chosen), 1))
        ranks = np.empty(scores.shape, dtype=int)
        for k, drawn in enumerate(scores.T):
            # who is ahead by more than rounding; sorting needs no table of all pairs
            behind = np.searchsorted(np.sort(drawn), drawn + 1e-12, side="right")
            ranks[:, k] = 1 + len(chosen) - behind
        tails = [50 * (1 - level), 100 - 50 * (1 - level)]
        ends: np.ndarray = np.percentile(ranks, tails, axis=1, method="inverted_cdf").T
        return ends.astype(int)


def bootstrap(
    by_material: np.ndarray,
    weights: np.ndarray,
    *,
    samples: int = SAMPLES,
    level: float = 0.95,
    seed: int = SEED,
) -> Intervals:
    """Intervals of scores over the choice of materials.

    Parameters
    ----------
    by_material
        Scores, shape (n_models, n_materials, n_questions), NaN where a question is not asked.
    weights
        Of the questions, shape (n_questions,).
    samples
        Number of draws.
    level
        Probability that an interval holds.
    """
    n_models, n_materials, n_questions = by_material.shape
    everything = np.ones((1, n_materials))
    values = np.swapaxes(by_material, 0, 1)
    means = weighted_means(values, everything)[:, 0]
    if n_materials < FEWEST_MATERIALS:
        nothing = np.full((n_models, n_questions, 2), np.nan)
        return Intervals(nothing[:, 0], nothing, np.full((n_models, 1), np.nan))
    draw = np.random.default_rng(seed)
    drawn = np.empty((n_models, samples, n_questions))
    scores = np.empty((n_models, samples))
    step = max(1, _NUMBERS_AT_ONCE // (n_materials + n_models * n_questions))
    for start in range(0, samples, step):
        part = slice(start, min(start + step, samples))
        counts = _drawn_counts(draw, n_materials, part.stop - part.start)
        drawn[:, part] = weighted_means(values, counts)
        scores[:, part] = combine(drawn[:, part], weights)
    # model by model: all draws of all models at once are many times a board's memory
    by_question = np.stack(
        [_interval(own.T, mean, level) for own, mean in zip(drawn, means, strict=True)]
    )
    few = (~np.isnan(by_material)).sum(axis=1) < FEWEST_MATERIALS
    by_question[few] = np.nan
    return Intervals(_interval(scores, combine(means, weights), level), by_question, scores)


def _drawn_counts(draw: np.random.Generator, n_materials: int, samples: int) -> np.ndarray:
    """How often each material is drawn, shape (n_samples, n_materials), floats.

    Both ways draw from the same distribution. Counting single draws is ten times as fast; the
    intervals of boards that are kept were drawn the other way.
    """
    if n_materials < _MANY_MATERIALS:
        equal = np.full(n_materials, 1 / n_materials)
        return draw.multinomial(n_materials, equal, samples).astype(float)
    counts = np.empty((samples, n_materials))
    for own in counts:
        own[:] = np.bincount(draw.integers(0, n_materials, n_materials), minlength=n_materials)
    return counts


#: from so many on, materials are drawn one by one
_MANY_MATERIALS = 1_000


def _interval(drawn: np.ndarray, mean: np.ndarray, level: float) -> np.ndarray:
    """Percentile interval over the last axis, widened to hold the mean."""
    tails = [50 * (1 - level), 100 - 50 * (1 - level)]
    # a question asked of few materials is missing from some draws, perhaps from all
    drawn = np.where(np.isnan(drawn).all(axis=-1, keepdims=True), mean[..., None], drawn)
    drawn = np.where(np.isnan(mean)[..., None], 0.0, drawn)
    low, high = np.nanpercentile(drawn, tails, axis=-1)
    ends: np.ndarray = np.stack([np.minimum(low, mean), np.maximum(high, mean)], axis=-1)
    return ends
