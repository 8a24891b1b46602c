"""What chance gives is worth nothing: noise of any kind scores 0 on every question of the library.

The models answer the whole library that the project carries, as a board's models do.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from symscape.leaderboard.anchors import Anchors, unmoved
from symscape.leaderboard.answers import Answers, crystals_table, judge_again, judge_crystals
from symscape.leaderboard.case_scores import Standard
from symscape.leaderboard.chance import RankCorrelation, credits_of
from symscape.leaderboard.collect import Unit
from symscape.leaderboard.curves import curve_answers, judge_curves
from symscape.leaderboard.library import asked_of, load_library
from symscape.leaderboard.scores import library_standards, score_cases
from symscape.questions.energies import judge_energies
from symscape.questions.registry import QUESTIONS
from symscape.science.equation_of_state.fit import fit
from symscape.science.hull.phases import formation_energies
from symscape.verdict.tolerances import load_tolerances

REFERENCES = Path(__file__).parents[1] / "references"
#: numbers of zero mean and unit scatter; the last has neither
DISTRIBUTIONS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: rng.uniform(-1.7, 1.7, size=shape),
    "one of two": lambda rng, shape: rng.choice([-1.0, 1.0], size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape) - 1.6,
    "heavy tails": lambda rng, shape: rng.standard_t(2, size=shape),
}
TOLERANCES = load_tolerances("default")


@pytest.fixture(scope="module")
def library():
    return load_library([REFERENCES])


def white(rng, draw, coordinates):
    """Another number for each point."""
    return draw(rng, np.broadcast_shapes(*(c.shape for c in coordinates)))


def smooth(rng, draw, coordinates):
    """Waves, the shortest as long as half of an axis."""
    return sum(
        draw(rng, ()) * np.cos(sum(rng.uniform(0, 6) * c for c in coordinates) + rng.uniform(0, 7))
        for _ in range(6)
    )


def quadratic(rng, draw, coordinates):
    """A quadratic form: a valley, a hill or a saddle about the middle."""
    return sum(draw(rng, ()) * a * b for a in coordinates for b in coordinates)


def affine(rng, draw, coordinates):
    """A plane."""
    return sum(draw(rng, ()) * c for c in coordinates)


KINDS = {kind.__name__: kind for kind in (white, smooth, quadratic, affine)}


def noisy(library, kind, draw, amplitude, mean, seed):
    """What a model answers that knows nothing.

    Parameters
    ----------
    mean
        Of the energies of each slice and of all formation energies: DFT's or 0.
    """
    rng = np.random.default_rng(seed)
    grids = {}
    for key, reference in library.by_slice.items():
        n, m = reference.energies.shape
        u, v = np.linspace(-1, 1, n)[:, None], np.linspace(-1, 1, m)[None]
        own = mean * np.nanmean(reference.relative) + amplitude * kind(rng, draw, (u, v))
        grids[key] = np.where(reference.valid, own, np.nan)
    described = library.described
    dft = formation_energies(described).to_numpy()
    volume = described["volume"].to_numpy()
    own = amplitude * kind(rng, draw, ((volume - volume.mean()) / volume.std(),))
    formation = dict(zip(described["id"], own + mean * dft.mean(), strict=True))
    relaxed = {
        name: unmoved(formation[name], int(group))
        for name, group in zip(described["id"], described["space_group"], strict=True)
    }
    volumes = library.equations.sampled_volumes()
    around = (volumes / volumes.mean(axis=1, keepdims=True) - 1) / 0.06
    # each crystal on its own, as volumes of one have nothing to do with another's
    own = np.stack([kind(rng, draw, (x,)) for x in around])
    curves = curve_answers(fit(volumes, amplitude * own), library.equations)
    return Answers(grids=grids, formation=formation, relaxed=relaxed, curves=curves)


def telling_cases(answers, library):
    """Verdicts on energies, hulls and equations of state, which decide what all others count."""
    cases = [
        judge_energies(library.by_slice[key], grid, TOLERANCES, model="noise")
        for key, grid in answers.grids.items()
    ]
    table = crystals_table(answers, library)
    cases += judge_crystals(table, library, TOLERANCES, "noise").values()
    cases += judge_curves(answers.curves, answers.card, library.equations, TOLERANCES, "noise")
    return {tuple(asked_of(case)): case for case in cases}


def asked(library):
    """What is asked of everybody, as far as credits follow from it."""
    return {tuple(a): Standard(frozenset({"spearman"})) for a in library.asked}


noise = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(KINDS)).map(KINDS.get),
        "draw": st.sampled_from(sorted(DISTRIBUTIONS)).map(DISTRIBUTIONS.get),
        "amplitude": st.floats(-3, 1).map(lambda x: 10**x),
        "mean": st.sampled_from([0.0, 1.0]),
        "seed": st.integers(0, 2**32 - 1),
    }
)


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(noise)
def test_noise_of_any_kind_has_no_credit(library, drawn):
    cases = telling_cases(noisy(library, **drawn), library)
    assert credits_of(cases, asked(library)) == {"slices": 0.0, "crystals": 0.0, "curves": 0.0}


def test_noise_scores_0_on_every_question(library):
    anchors = Anchors(library)
    standards = library_standards(anchors)
    units = [Unit(*key) for key in sorted({key[1:] for key in standards})]
    questions = [q for name, q in QUESTIONS.items() if name in {key[0] for key in standards}]
    own = noisy(library, quadratic, DISTRIBUTIONS["normal"], 0.2, 1.0, 7)
    for found in (judge_again(own, library, TOLERANCES, "noise"), anchors.noise.cases):
        cases = {tuple(key): case for key, case in found.items()}
        assert {key[0] for key in cases} >= {"minima", "saddles", "hull", "stability"}
        cells = score_cases(cases, units, questions, standards)
        np.testing.assert_array_equal(cells[~np.isnan(cells)], 0.0)
        # it is not that nothing was matched: where nobody asks how it ranks, chance is worth a lot
        unasked = {key: standard for key, standard in standards.items() if key[0] != "energies"}
        assert np.nanmax(score_cases(cases, units, questions, unasked)) > 0.2


def test_a_soft_model_and_dft_itself_have_all_of_it(library):
    for scale in (0.4, 1.0):
        answers = Anchors(library).answers(lambda energies, scale=scale: scale * energies)
        cases = telling_cases(answers, library)
        assert set(credits_of(cases, asked(library)).values()) == {1.0}


@pytest.mark.parametrize("n", [101, 901])
def test_chance_does_not_reach_what_it_is_held_against(n):
    """Independent ranks scatter by 1/sqrt(n - 1): five of these come up once in millions."""
    rng = np.random.default_rng(n)
    found = [spearmanr(*rng.normal(size=(2, n))).statistic for _ in range(400)]
    chance = RankCorrelation(0.0, n).chance
    assert chance == pytest.approx(5 / math.sqrt(n - 1))
    assert max(found) < chance
    assert np.std(found) == pytest.approx(chance / 5, rel=0.15)


def test_credit_grows_from_chance_to_a_quarter_beyond():
    assert [RankCorrelation(r, 21).credit for r in (-1.0, 0.0, 0.5, 0.625, 0.75, 1.0)] == [
        0.0, 0.0, 0.0, 0.5, 1.0, 1.0,
    ]  # fmt: skip
    # of two materials nothing can be told but that most pairs of points are in order
    assert RankCorrelation(0.9, 1).chance == RankCorrelation(0.9, 2).chance == 0.5
    assert RankCorrelation(0.2, 626).credit == 0.0
    assert RankCorrelation(0.3, 626).credit == pytest.approx(0.4)


def test_whoever_answers_nothing_has_no_credit_and_whoever_is_not_asked_loses_none(library):
    standards = asked(library)
    assert set(credits_of({}, standards).values()) == {0.0}
    assert set(credits_of({}, {}).values()) == {1.0}
    # two points of a slice have no order that a correlation could tell
    without = {key: replace(own, wanted=frozenset({"mae"})) for key, own in standards.items()}
    assert credits_of({}, without) == {"slices": 1.0, "crystals": 0.0, "curves": 0.0}
