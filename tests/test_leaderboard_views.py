"""Views of the leaderboard in a browser: weights, models, elements, address, CSV, plot."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from urllib.parse import unquote

import leaderboard_runs as make
import numpy as np
import pytest
from browser import CONTRAST, DARK, LIGHT, assert_sound
from browser import browser as browser
from leaderboard_site import MATERIALS, column, names, runs, set_field
from leaderboard_site import ranking as ranking
from leaderboard_site import site as site

from symscape.leaderboard.bootstrap import bootstrap
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.presets import PRESETS
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.scores import combine
from symscape.questions.registry import QUESTIONS
from symscape.results.files import save_results

#: what the browser makes of the numbers in the page, without a look at the tables
JUDGE = """
    const numbers = JSON.parse(document.getElementById("numbers").textContent);
    const means = new averages.Averages(numbers);
    const all = numbers.materials.map((_, m) => m);
    const [weights, wanted] = arguments;
    const models = wanted.map((name) => numbers.models.findIndex((m) => m.name === name));
    const questions = models.map((model) => means.byQuestion(model, all));
    const scores = questions.map((own) => means.combine(own, weights));
    const made = new draws.Draws(means, all).intervals(models, scores, weights);
    return {
      questions, scores, ranks: averages.ranks(scores), intervals: made,
      coverage: models.map((model) => means.coverage(model, all, weights)),
    };
"""


def listed(ranking, same=True):
    return ranking.ranked if same else ranking.others


def shown_scores(browser, table=0):
    return [float(t) for t in column(browser, browser.all("table.ranking")[table], "score")[0]]


# -- the browser's numbers are Python's -----------------------------------------------------------


@pytest.mark.parametrize("same", [True, False])
def test_default_is_what_leaderboard_json_says(browser, site, same):
    document = json.loads((site / "leaderboard.json").read_text())
    models = [m for m in document["models"] if m["ranked"] is same]
    weights = [q["weight"] for q in document["questions"]]
    browser.show(site / "index.html")
    found = browser.run(JUDGE, weights, [m["model"] for m in models])
    assert found["ranks"] == [m["rank"] for m in models]
    assert [round(score, 6) for score in found["scores"]] == [m["score"] for m in models]
    assert [round(share, 6) for share in found["coverage"]] == [m["coverage"] for m in models]
    for own, model in zip(found["questions"], models, strict=True):
        wanted = [model["questions"][q["question"]]["score"] for q in document["questions"]]
        assert [None if x is None else round(x, 6) for x in own] == wanted


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_scores_as_in_python(browser, site, ranking, preset):
    weights = preset.of(ranking.table.questions)
    by_question = np.array([s.questions for s in ranking.ranked])
    wanted = combine(by_question, weights)
    browser.show(site / "index.html", anchor=f"#preset={preset.name}")
    found = browser.run(JUDGE, weights.tolist(), [s.name for s in ranking.ranked])
    if not weights.any():
        assert found["scores"] == [None] * len(wanted)
        return
    np.testing.assert_allclose(found["scores"], wanted, rtol=1e-10)
    said = browser.texts("#view")
    assert (preset.why in "".join(said)) is (preset.name != "all")
    best = sorted(zip(-wanted, [s.name for s in ranking.ranked], strict=True))
    assert names(browser) == [name for _, name in best]
    np.testing.assert_allclose(shown_scores(browser), sorted(100 * wanted)[::-1], atol=0.051)
    stored = json.loads((site / "leaderboard.json").read_text())["models"]
    for record in stored[: len(wanted)]:
        at = [s.name for s in ranking.ranked].index(record["model"])
        assert record["presets"][preset.name] == pytest.approx(wanted[at], abs=1e-6)


def test_presets_name_questions_that_count():
    for preset in PRESETS:
        assert preset.weights or preset.name == "all"
        for name, weight in preset.weights.items():
            assert QUESTIONS[name].scoring is not None
            assert weight > 0
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)


def test_intervals_are_pythons_but_for_the_draws(browser, site, ranking):
    weights = ranking.table.weights
    browser.show(site / "index.html")
    found = browser.run(JUDGE, weights.tolist(), [s.name for s in ranking.ranked])
    own = bootstrap(ranking.table.by_material, weights)
    # of 1000 draws, 2.5 % are between 1.0 and 4.5 % with three standard deviations to spare
    bounds = np.percentile(own.samples, [1.0, 4.5, 95.5, 99.0], axis=1)
    for standing, interval in zip(ranking.ranked, found["intervals"], strict=True):
        low, high = interval["score"]
        from_low, to_low, from_high, to_high = bounds[:, standing.index]
        assert from_low - 1e-9 <= low <= min(to_low, standing.score) + 1e-9
        assert max(from_high, standing.score) - 1e-9 <= high <= to_high + 1e-9
        low, high = interval["rank"]
        assert 1 <= low <= standing.rank <= high <= len(ranking.ranked)


# -- weights and models ---------------------------------------------------------------------------


def set_slider(browser, question, value):
    browser.run(
        """
        const numbers = JSON.parse(document.getElementById("numbers").textContent);
        const q = numbers.questions.findIndex((own) => own.name === arguments[0]);
        const slider = document.querySelectorAll("#filters input[type=range]")[q];
        slider.value = arguments[1];
        slider.dispatchEvent(new Event("input", {bubbles: true}));
        """,
        question,
        value,
    )


def chosen(browser, field):
    return browser.run("return document.getElementById('filters').elements[arguments[0]].value",
                       field)  # fmt: skip


def test_sliders_weigh_and_the_address_brings_them_back(browser, site, ranking):
    questions = [q.name for q in ranking.table.questions]
    weights = ranking.table.weights.copy()
    weights[questions.index("saddles")] = 2.0
    weights[questions.index("smoothness")] = 0.0
    browser.show(site / "index.html")
    set_slider(browser, "saddles", 2)
    set_slider(browser, "smoothness", 0)
    assert chosen(browser, "preset") == "own"
    wanted = combine(np.array([s.questions for s in ranking.ranked]), weights)
    anchor = browser.run("return location.hash")
    assert "saddles%3A2" in anchor
    assert "smoothness" not in anchor
    for _ in range(2):
        np.testing.assert_allclose(shown_scores(browser), sorted(100 * wanted)[::-1], atol=0.051)
        browser.show(site / "index.html", anchor=anchor)
    browser.all("#filters button.reset")[0].click()
    assert chosen(browser, "preset") == "all"
    assert browser.run("return location.hash") == ""
    assert names(browser) == [s.name for s in ranking.ranked]
    assert browser.problems() == []


def test_weights_of_a_preset_are_called_by_its_name(browser, site, ranking):
    preset = next(p for p in PRESETS if p.name == "transitions")
    browser.show(site / "index.html")
    for question in (q.name for q in ranking.table.questions):
        set_slider(browser, question, preset.weights.get(question, 0))
    assert browser.run("return location.hash") == "#preset=transitions"


def test_one_question_alone(browser, site, ranking):
    k = [q.name for q in ranking.table.questions].index("saddles")
    browser.show(site / "index.html", anchor="#question=saddles")
    wanted = sorted((100 * float(s.questions[k]) for s in ranking.ranked), reverse=True)
    np.testing.assert_allclose(shown_scores(browser), wanted, atol=0.051)
    bright = "table.ranking thead th[data-question]:not(.off)"
    assert {text.lower() for text in browser.texts(bright)} == {"saddles"}


def test_hidden_models_leave_rows_columns_and_points(browser, site, ranking):
    browser.show(site / "index.html")
    first = ranking.ranked[0].name
    before = dict(zip(names(browser), shown_scores(browser), strict=True))
    browser.run(
        "const box = document.querySelector(`input[name=model][value='${arguments[0]}']`);"
        "box.checked = false; box.dispatchEvent(new Event('input', {bubbles: true}));",
        first,
    )
    anchor = browser.run("return location.hash")
    assert anchor == f"#hide={first}"
    for _ in range(2):
        rows = browser.all("table.ranking")[0].find_elements("css selector", "tbody tr")
        left = [row for row in rows if row.is_displayed()]
        assert len(left) == len(before) - 1
        # the others keep their ranks
        assert left[0].text.split()[0] == "2"
        heads = browser.texts("#material-table thead th.turned")
        assert not any(first in text for text in heads)
        assert browser.texts("#view") == ["1 model hidden; ranks are among all."]
        browser.show(site / "index.html", anchor=anchor)
    assert browser.problems() == []


# -- elements -------------------------------------------------------------------------------------

FORMULAS = [
    ("GaN", ["Ga", "N"]),
    ("gan", ["Ga", "N"]),
    ("SnO2", ["Sn", "O"]),
    ("CO", ["C", "O"]),
    ("Co", ["Co"]),
    ("Ti o", ["Ti", "O"]),
    ("K(NbO3)2, Na", ["K", "Nb", "O", "Na"]),
    ("", []),
    ("Xx", None),
]


@pytest.mark.parametrize("text,wanted", FORMULAS)
def test_formulas_are_read(browser, site, text, wanted):
    browser.show(site / "index.html")
    symbols = (
        "new Set([...document.querySelectorAll('[data-element]')].map((b) => b.dataset.element))"
    )
    assert browser.run(f"return elements.parse(arguments[0], {symbols})", text) == wanted


def test_every_element_reads_itself(browser, site):
    browser.show(site / "index.html")
    wrong = """
        const buttons = [...document.querySelectorAll("[data-element]")];
        const known = buttons.map((button) => button.dataset.element);
        const read = (text) => elements.parse(text, new Set(known)).join();
        const both = (s) => (s === "O" ? s : "O," + s);
        return known.filter((s) => read(s) !== s || read("O2" + s + "3") !== both(s));
    """
    assert browser.run(wrong) == []
    assert len(browser.all("[data-element]")) == 103


def test_gan_finds_nitrides_and_gallium(browser, tmp_path):
    materials = tuple(make.material(k) for k in range(8))
    made = make.with_crystals(make.run("m", materials), ("Al-N", "Mg-Si"))
    entry = Entry(made, save_results(tmp_path / "m.json", made))
    index = write_leaderboard(tmp_path / "board", rank_board(Board((entry,))))
    browser.show(index, anchor="#formula=GaN")
    assert browser.texts("#material-table tbody th a") == ["GaN"]
    assert [t.split("\n")[0] for t in browser.texts("#crystal-table tbody th")] == ["Al-N"]
    assert browser.texts("output[name=count]") == ["1 of 8 materials"]
    pressed = browser.run("return [...document.querySelectorAll('[aria-pressed=true]')]"
                          ".map((b) => b.dataset.element)")  # fmt: skip
    assert sorted(pressed) == ["Ga", "N"]


def test_periodic_table_writes_the_formula(browser, site):
    browser.show(site / "index.html")
    browser.all("#filters details")[0].find_element("css selector", "summary").click()
    for symbol in ("Ti", "O"):
        browser.all(f"button[data-element={symbol}]")[0].click()
    assert chosen(browser, "formula") == "Ti O"
    assert browser.run("return location.hash") == "#formula=Ti+O"
    browser.all("button[data-element=Ti]")[0].click()
    assert chosen(browser, "formula") == "O"
    assert browser.all("button[data-element=He]")[0].get_attribute("disabled")
    assert browser.problems() == []


def test_one_material_is_no_ranking(browser, site):
    browser.show(site / "index.html")
    assert browser.texts("#single") == []
    name = MATERIALS[2].formula
    assert [m.formula for m in MATERIALS].count(name) == 1
    browser.show(site / "index.html", anchor=f"#formula={name}")
    (text,) = browser.texts("#single")
    assert text.startswith("1 material: not a ranking.")
    ranks, _ = column(browser, browser.all("table.ranking")[0], "rank")
    assert set(ranks) == {""}


def test_one_material_that_counts_is_no_ranking(browser, site):
    """Crystals with the same elements are left as well, but nothing is asked of them here."""
    browser.show(site / "index.html", anchor="#formula=Si")
    assert browser.texts("#single") == []
    browser.show(site / "index.html", anchor="#formula=Si&weights=energies:1")
    (text,) = browser.texts("#single")
    assert text.startswith("1 material: not a ranking.")
    ranks, _ = column(browser, browser.all("table.ranking")[0], "rank")
    assert set(ranks) == {""}


def test_nothing_shows_rows_of_dashes(browser, site, ranking):
    browser.show(site / "index.html")
    rows = """
        const rows = [...document.querySelectorAll("table.sortable tbody tr")];
        const numbers = (row) => [...row.querySelectorAll("td.n")].map((c) => c.textContent.trim());
        return rows.filter((row) => row.checkVisibility() &&
            numbers(row).every((text) => text === "" || text === "–")).length;
    """
    shows = browser.run("return [...document.querySelector('select[name=show]').options]"
                        ".map((o) => o.value)")  # fmt: skip
    for show in shows:
        set_field(browser, "show", show)
        assert browser.run(rows) == 0, show
    for standing in ranking.standings:
        browser.show(site / "models" / f"{standing.name}.html")
        if standing.coverage == 1:
            assert browser.run(rows) == 0, standing.name


# -- layout ---------------------------------------------------------------------------------------


def test_headline_columns_are_seen_at_1280_pixels(browser, site):
    browser.show(site / "index.html", 1280)
    for title in ("MAE", "signed error", "softening", "rank corr."):
        _, head = column(browser, browser.all("table.ranking")[0], title)
        box = head.rect
        assert 0 <= box["x"] < box["x"] + box["width"] <= 1280, title


@pytest.mark.parametrize("width,scheme", [(1280, LIGHT), (390, DARK)])
def test_open_panels_are_sound(browser, site, width, scheme):
    browser.show(site / "index.html", width, scheme, anchor="#formula=TiO&preset=phonons")
    for panel in browser.all("#filters details"):
        browser.run("arguments[0].open = true", panel)
        assert_sound(browser, width)
        ratio, where = browser.run(CONTRAST, ".panel-below label, .panel-below button:enabled")
        assert ratio >= 4.5, where
        browser.run("arguments[0].open = false", panel)


# -- what is taken away ---------------------------------------------------------------------------


def taken(browser, button):
    """The file behind a button's link."""
    return browser.run(
        """
        let href = null;
        const click = HTMLAnchorElement.prototype.click;
        HTMLAnchorElement.prototype.click = function () { href = this.href; };
        arguments[0].click();
        HTMLAnchorElement.prototype.click = click;
        return href;
        """,
        button,
    )


def test_csv_holds_the_view(browser, site, ranking):
    browser.show(site / "index.html", anchor="#question=saddles&hide=lazy")
    text = unquote(taken(browser, browser.all("button[data-csv=ranking-1]")[0]).partition(",")[2])
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["model"] for row in rows] == [name for name in names(browser) if name]
    k = [q.name for q in ranking.table.questions].index("saddles")
    for row in rows:
        standing = next(s for s in ranking.standings if s.name == row["model"])
        assert float(row["score"]) == pytest.approx(standing.questions[k], abs=1e-9)
        mae = standing.raw["energies.mae"]
        assert float(row["MAE (meV/atom)"]) == pytest.approx(mae, rel=1e-3)
    assert browser.problems() == []


def test_cells_of_csv_are_no_formulas(browser, site):
    browser.show(site / "index.html")
    browser.run("document.querySelector('#material-table tbody th').dataset.v = '=1+1'")
    text = browser.run("return download.csvOf(document.getElementById('material-table'))")
    assert "'=1+1," in text


def test_plot_has_a_point_for_each_model_with_a_cost(browser, tmp_path):
    entries = []
    for k, made in enumerate(runs()):
        card = replace(made.model, parameters=10**5 * 4**k if k < 3 else 0)
        own = replace(made, model=card)
        entries.append(Entry(own, save_results(tmp_path / f"{k}.json", own)))
    index = write_leaderboard(tmp_path / "board", rank_board(Board(tuple(entries))))
    browser.show(index)
    assert len(browser.all("#cost circle")) == 3
    assert {t.text for t in browser.all("#cost svg > text")} > {r.model.name for r in runs()[:3]}
    browser.show(index, 390, DARK, anchor=f"#hide={runs()[0].model.name}")
    assert len(browser.all("#cost circle")) == 2
    assert_sound(browser, 390)


def test_badge_line_can_be_taken(browser, site, ranking):
    standing = ranking.ranked[0]
    browser.show(site / "models" / f"{standing.name}.html")
    (line,) = browser.texts("#badge-line")
    assert line == (
        f"[![symscape: {100 * standing.score:.1f} of 100](badges/{standing.name}.svg)]"
        f"(models/{standing.name}.html)"
    )
