"""What the pages say of a model in words and small pictures: counts, cost, badge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import leaderboard_runs as make
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symscape.leaderboard.badge import badge_words, score_badge
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.cost import cost_of
from symscape.leaderboard.counts import counts_text
from symscape.leaderboard.pages import Pages, fact_text, raw_text
from symscape.leaderboard.presets import PRESETS
from symscape.leaderboard.provenance import Provenance, SpotCheck
from symscape.leaderboard.ranking import HEADLINE, RAW_METRICS, rank_board
from symscape.leaderboard.site import BoardSite
from symscape.models.registry import load_cards
from symscape.page.words import breakable_markup, formulas_markup

MATERIALS = tuple(make.material(k) for k in range(6))


def ranked(*runs):
    return rank_board(Board(tuple(Entry(run, Path(run.model.name)) for run in runs)))


def with_missing(counts):
    """A model that misses so many minima on each material; None where it was not judged."""
    parts = [
        make.run("m", (m,), **({} if n is None else {"minima": {"missing_minima": float(n)}}))
        for m, n in zip(MATERIALS, counts, strict=True)
    ]
    cases = [
        replace(c, status="error", metrics={}) if n is None and c.question == "minima" else c
        for part, n in zip(parts, counts, strict=True)
        for c in part.cases
    ]
    return replace(parts[0], cases=tuple(cases), references=MATERIALS)


MISSING = next(metric for metric in RAW_METRICS if metric.name == "minima.missing_minima")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.integers(0, 3), min_size=6, max_size=6))
def test_counts_are_told_one_by_one(counts):
    ranking = ranked(with_missing(counts))
    text = counts_text(ranking, ranking.standings[0], MISSING)
    known = [n for n in counts if n is not None]
    where = [m.formula for m, n in zip(MATERIALS, counts, strict=True) if n]
    noun = "material" if len(known) == 1 else "materials"
    if not known:
        assert text == ""
    elif not where:
        assert text == f"none in {len(known)} {noun}"
    else:
        assert text.startswith(f"{sum(known)}, in {len(where)} of {len(known)} {noun} (")
        assert sum(formula in text for formula in where) == min(len(where), 5)
        assert ("and 1 more" in text) is (len(where) == 6)


def test_one_missing_minimum_of_sixteen_is_not_zero():
    references = tuple(make.material(k) for k in range(8))
    good = make.run("m", references)
    lost = make.run("m", references[6:7], minima={"missing_minima": 1.0})
    cases = [c for c in good.cases if c.material != references[6].material]
    ranking = ranked(replace(good, cases=(*cases, *lost.cases)))
    text = counts_text(ranking, ranking.standings[0], MISSING)
    assert text == "1, in 1 of 8 materials (GaN)"


@given(st.sampled_from(RAW_METRICS), st.floats(-5, 4), st.sampled_from([-1, 1]))
def test_a_value_that_stands_alone_is_not_rounded_to_nothing(metric, power, sign):
    value = sign * 10**power
    text = fact_text(metric, value)
    assert float(text.replace("\N{MINUS SIGN}", "-")) != 0
    if abs(value) < 0.5 * 10**-metric.decimals:
        assert float(text.replace("\N{MINUS SIGN}", "-")) == pytest.approx(value, rel=0.051)
    else:
        assert text == raw_text(metric, value)
    assert fact_text(metric, 0.0) == raw_text(metric, 0.0)
    assert float(fact_text(metric, 1e-9)) == 0


def test_formulas_in_sentences_and_underscores_in_names_are_marked_up():
    text = str(formulas_markup("12, in 3 of 21 materials (Mg(OH)2, Ti3O5, Al) <b>"))
    assert text == (
        "12, in 3 of 21 materials (Mg(OH)<sub>2</sub>, Ti<sub>3</sub>O<sub>5</sub>, Al) &lt;b&gt;"
    )
    assert str(breakable_markup("7net-0_22May2024<i>")) == "7net-0_<wbr>22May2024&lt;i&gt;"


def test_headline_metrics_are_those_of_the_energies():
    assert [metric.name for metric in HEADLINE] == [
        "energies.mae",
        "energies.mean_signed_error",
        "energies.softening_scale",
        "energies.spearman",
    ]


# -- cost -----------------------------------------------------------------------------------------


def timed(name, **versions):
    made = make.run(name, MATERIALS[:2])
    return replace(made, versions={**made.versions, "cache": "off", **versions})


def test_times_of_one_kind_of_machine_are_compared():
    runs = timed("a", device="cpu"), timed("b", device="cpu"), make.run("c", MATERIALS[:2])
    cost = cost_of(ranked(*runs).standings)
    assert cost.of == "seconds"
    assert "1 without a time are left out" in cost.note


@pytest.mark.parametrize(
    "others,why",
    [
        ([timed("b", device="cuda")], "different machines"),
        ([timed("b", threads="8")], "different machines"),
        ([make.run("b", MATERIALS[:2])], "No two of these runs were timed"),
    ],
)
def test_times_that_can_not_be_compared_are_not(others, why):
    cost = cost_of(ranked(timed("a", device="cpu", threads="1"), *others).standings)
    assert cost.of == "parameters"
    assert why in cost.note


# -- badge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 0.8, 0.5, 0.1])
def test_badge_is_sound_svg_with_the_score(scale):
    ranking = ranked(make.run("m", MATERIALS, scale=scale))
    (standing,) = ranking.standings
    root = ElementTree.fromstring(score_badge(standing))
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(f"{space}text")]
    assert texts == ["symscape", f"{100 * standing.score:.1f} of 100"]
    assert root.find(f"{space}title").text == badge_words(standing)
    assert not any(element.tag.endswith(("script", "image")) for element in root.iter())


def test_badge_says_that_the_theory_is_another():
    ranking = ranked(make.run("a", MATERIALS), make.run("b", MATERIALS, theory="r2SCAN"))
    assert badge_words(ranking.others[0]).endswith("other theory")


# -- docs -----------------------------------------------------------------------------------------


def test_docs_name_every_preset_and_every_field_of_the_address():
    text = (Path(__file__).parents[1] / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    for preset in PRESETS[1:]:
        assert f"`{preset.name}`" in text
    for field in ("formula", "match", "system", "group", "question", "weights", "hide", "show"):
        assert f"{field}=" in text


# -- who submitted, who computed again ------------------------------------------------------------


def test_index_says_who_submitted_and_who_computed_again():
    run = make.run("m", MATERIALS[:2])
    check = SpotCheck("the keeper", "2026-11-22", 0.05, 1, 9, run.started, True)
    known = {"m": Provenance("a group", check)}
    board = Board((Entry(run, Path("m")),))
    texts = [
        Pages(BoardSite(rank_board(replace(board, provenance=own)), {})).index()
        for own in ({}, known)
    ]
    assert "submitted by" not in texts[0]
    assert "<td>a group</td><td>5 % by the keeper: agrees</td>" in texts[1].replace("\xa0", " ")


def test_a_page_tells_what_is_registered_today_of_the_weights_that_were_run():
    """Cards are corrected; results keep what was known when they were made."""
    known = load_cards()["chgnet"]
    used = replace(known, date="1999", licence="none")
    for card, told in ((used, known), (replace(used, checkpoint="mine.pth"), None)):
        ranking = ranked(replace(make.run("chgnet", MATERIALS[:2]), model=card))
        text = Pages(BoardSite(ranking, {})).model(ranking.standings[0])
        assert (known.licence in text) == (told is not None)
        assert ("<dd>1999</dd>" in text) == (told is None)
