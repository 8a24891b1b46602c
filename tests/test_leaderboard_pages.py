"""The pages in a real browser: the leaderboard's, and the report of one run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product

import leaderboard_runs as make
import numpy as np
import pytest
from browser import CONTRAST, DARK, LIGHT, assert_sound
from browser import browser as browser
from leaderboard_site import MATERIALS, column, names, runs, set_field
from leaderboard_site import ranking as ranking
from leaderboard_site import site as site
from report_runs import mixed_run

from symscape.figures.colour_scales import landscape_scales
from symscape.figures.panels import colour_map
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.maps import map_data
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.scores import score_board
from symscape.page.report import write_report
from symscape.results.files import save_results

VIEWS = tuple(product((1280, 390), (LIGHT, DARK)))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("report") / "soft", mixed_run())


# -- every page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("width,scheme", VIEWS)
@pytest.mark.parametrize(
    "page", ["index.html", "models/lazy.html", "models/other.html", "materials/PbTiO3-P4mm.html"]
)
def test_page_is_sound(browser, site, page, width, scheme):
    browser.show(site / page, width, scheme)
    assert_sound(browser, width)
    ratio, where = browser.run(CONTRAST, "p, td, th, small, dt, dd, li, a, label, h1, h2, strong")
    assert ratio >= 4.5, where


@pytest.mark.parametrize("width,scheme", VIEWS)
def test_report_of_a_run_is_sound(browser, report, width, scheme):
    browser.show(report, width, scheme)
    assert_sound(browser, width)
    ratio, where = browser.run(CONTRAST, "p, td, th, small, dt, dd, li, a, h1, h2, strong")
    assert ratio >= 4.5, where


def test_schemes_differ(browser, site, report):
    for page in (site / "index.html", report):
        colours = []
        for scheme in (LIGHT, DARK):
            browser.show(page, 1280, scheme)
            colours.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
        assert colours[0] != colours[1]


@pytest.mark.parametrize("width", [1280, 390])
def test_what_a_link_leads_to_is_not_under_the_filters(browser, site, width):
    browser.show(site / "index.html", width)
    links = "return [...document.querySelectorAll('.jump a')].map((a) => a.hash.slice(1))"
    for anchor in browser.run(links):
        top, below = browser.run(
            "const head = document.getElementById(arguments[0]);"
            "head.scrollIntoView({behavior: 'instant'});"
            "const bar = document.querySelector('.filters');"
            "const over = getComputedStyle(bar).position === 'sticky';"
            "return [head.getBoundingClientRect().top,"
            " over ? bar.getBoundingClientRect().bottom : 0]",
            anchor,
        )
        assert top >= below - 1, anchor


# -- sorting and filtering ------------------------------------------------------------------------


def test_columns_sort_both_ways(browser, site):
    browser.show(site / "index.html")
    table = browser.all("table.ranking")[0]
    before, head = column(browser, table, "saddles")
    numbers = [float(text) for text in before]
    assert numbers != sorted(numbers)
    head.find_element("css selector", "button").click()
    after, head = column(browser, table, "saddles")
    assert [float(t) for t in after] == sorted(numbers, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.find_element("css selector", "button").click()
    after, head = column(browser, table, "saddles")
    assert [float(t) for t in after] == sorted(numbers)
    assert head.get_attribute("aria-sort") == "ascending"
    column(browser, table, "model")[1].find_element("css selector", "button").click()
    assert names(browser) == sorted(names(browser))
    assert browser.problems() == []


def test_unknown_values_stay_at_the_end(browser, site):
    browser.show(site / "models" / "lazy.html")
    table = browser.all("#material-table")[0]
    for _ in range(2):
        column(browser, table, "MAE")[1].find_element("css selector", "button").click()
        assert column(browser, table, "MAE")[0][-1] == "–"


def expected(chosen):
    """Scores over some materials and systems, worked out in Python from runs on these alone."""
    entries = []
    for made in sorted(runs(), key=lambda r: r.model.name):
        cases = tuple(c for c in made.cases if c.material in chosen)
        references = tuple(r for r in made.references if r.material in chosen)
        entries.append(Entry(replace(made, cases=cases, references=references), None))
    table = score_board(Board(tuple(entries)))
    return dict(zip(table.models, table.overall, strict=True))


FILTERS = [
    ({"formula": "Ti o", "match": "all"}, lambda s: {"Ti", "O"} <= set(_elements(s.formula))),
    ({"formula": "TiN"}, lambda s: {"Ti", "N"} & set(_elements(s.formula))),
    ({"system": "tetragonal"}, lambda s: s.crystal_system == "tetragonal"),
    ({"group": "166"}, lambda s: s.spacegroup_number == 166),
    (
        {"formula": "O", "system": "orthorhombic"},
        lambda s: "O" in _elements(s.formula) and s.crystal_system == "orthorhombic",
    ),
]


def _elements(formula):
    return re.findall("[A-Z][a-z]?", formula)


def shown_materials(browser) -> list[str]:
    """Names of the materials whose rows are left."""
    rows = browser.all("#material-table tbody th")
    return [row.get_attribute("data-v") for row in rows if row.is_displayed()]


@pytest.mark.parametrize("fields,fits", FILTERS, ids=["all", "any", "system", "group", "two"])
def test_filters_average_over_what_is_left(browser, site, fields, fits):
    browser.show(site / "index.html")
    for name, value in fields.items():
        set_field(browser, name, value)
    left = [s.material for s in MATERIALS if fits(s)]
    assert 0 < len(left) < len(MATERIALS)
    assert browser.texts("output[name=count]") == [f"{len(left)} of {len(MATERIALS)} materials"]
    assert sorted(shown_materials(browser)) == sorted(left)
    # a chemical system has elements, but no space group
    systems = ["Ti-O"] if "Ti" in fields.get("formula", "") else []
    scores = expected([*left, *systems])
    for table, members in ((0, {"mixed", "even", "lazy"}), (1, {"other"})):
        listed = names(browser, table)
        assert set(listed) == members
        assert listed == sorted(listed, key=lambda name: -scores[name])
        shown, _ = column(browser, browser.all("table.ranking")[table], "score")
        np.testing.assert_allclose(
            [float(text) for text in shown], [100 * scores[n] for n in listed], atol=0.11
        )
    assert browser.problems() == []


def test_order_changes_with_the_materials_and_comes_back(browser, site, ranking):
    browser.show(site / "index.html")
    whole = names(browser)
    body = "return document.querySelector('table.ranking tbody').innerText"
    before = browser.run(body)
    assert whole == [s.name for s in ranking.ranked]
    set_field(browser, "system", "orthorhombic")
    assert names(browser) != whole
    browser.all("#filters button.reset")[0].click()
    assert names(browser) == whole
    assert browser.run(body) == before
    assert browser.texts("output[name=count]") == [f"{len(MATERIALS)} materials"]


def test_nothing_left_is_no_error(browser, site):
    browser.show(site / "index.html")
    set_field(browser, "formula", "Xx")
    assert browser.texts("output[name=count]") == ["There is no such element."]
    assert browser.texts("#nothing") == ["None of these materials is asked what counts here."]
    assert browser.texts("table.ranking") == []
    assert browser.problems() == []


def test_metric_is_chosen_and_kept_in_the_address(browser, site, ranking):
    browser.show(site / "index.html")
    set_field(browser, "show", "energies.mae")
    anchor = browser.run("return location.hash")
    assert anchor == "#show=energies.mae"
    for _ in range(2):
        model = next(s for s in ranking.standings if s.name == "even")
        raw = ranking.raw_units["energies.mae"][model.index]
        wanted = dict(zip((u.material for u in ranking.table.units), raw, strict=True))
        shown, _ = column(browser, browser.all("#material-table")[0], "even")
        rows = shown_materials(browser)
        np.testing.assert_allclose([float(t) for t in shown], [wanted[r] for r in rows], atol=0.06)
        # the address alone brings it back
        browser.show(site / "index.html", anchor=anchor)
    set_field(browser, "show", "saddles")
    assert column(browser, browser.all("#material-table")[0], "lazy")[0][-1] in ("100", "0")


def test_model_page_filters(browser, site):
    browser.show(site / "models" / "even.html")
    set_field(browser, "formula", "Ti")
    shown = [r for r in browser.all("#material-table tbody tr") if r.is_displayed()]
    assert len(shown) == sum("Ti" in s.formula for s in MATERIALS)


# -- maps -----------------------------------------------------------------------------------------


def test_maps_show_the_model_that_was_chosen(browser, site):
    browser.show(site / "materials" / "PbTiO3-P4mm.html", anchor="#even")
    captions = ".maps figcaption"
    dft, model, _ = browser.texts(captions)
    assert dft.startswith("DFT (PBE)")
    assert model.startswith("even")
    browser.all("a.pick[data-model=mixed]")[0].click()
    # the maps are drawn anew once the address has changed
    browser.wait_for(
        f"return document.querySelectorAll('{captions}')[1]?.textContent.trim().startsWith('mixed')"
    )
    browser.run(
        "const s = document.querySelector('.second'); s.value = 'even';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert [t.split(" ")[0] for t in browser.texts(captions)] == ["DFT", "mixed", "mixed", "even",
                                                                 "even"]  # fmt: skip
    labels = [c.get_attribute("aria-label") for c in browser.all(".viewer canvas")]
    assert len(labels) == 7
    assert all(labels)
    assert browser.problems() == []


def test_maps_have_the_colours_of_the_figures(browser, site, ranking):
    """Pixels at grid points against matplotlib's colours of the same layers."""
    browser.show(site / "materials" / "PbTiO3-P4mm.html", anchor="#even")
    reference = next(s for s in ranking.table.slices if s.material == "PbTiO3-P4mm")
    entry = next(e for e in ranking.board.entries if e.name == "even")
    data = map_data(reference, entry)
    scales = landscape_scales(data)
    wanted = (
        (0, data.reference, scales[0], "viridis"),
        (1, data.model, scales[0], "viridis"),
        (2, data.error, scales[1], "RdBu_r"),
    )
    pixel = """
        const canvas = document.querySelectorAll(".maps canvas")[arguments[0]];
        const w = canvas.width - 50 - 16, h = canvas.height - 6 - 36 - 38;
        const x = 50 + arguments[1] * w, y = 6 + (1 - arguments[2]) * h;
        return [...canvas.getContext("2d").getImageData(Math.floor(x), Math.floor(y), 1, 1).data];
    """
    checked = 0
    for panel, grid, scale, name in wanted:
        low, high = scale.limits
        middles = (scale.shades[1:] + scale.shades[:-1]) / 2
        for i, j in product(range(2, 11), range(2, 7)):
            value = 1000 * grid[i, j]
            layer = np.searchsorted(scale.shades, value) - 1
            # beside a border between layers, interpolation decides
            beside = np.abs(scale.shades - value).min() < 0.2 * (middles[1] - middles[0])
            if not (0 <= layer < len(middles)) or beside or (i, j) == data.minimum:
                continue
            share = (middles[layer] - low) / (high - low)
            colour = np.array(colour_map(name)(share, bytes=True)[:3], dtype=int)
            got = np.array(browser.run(pixel, panel, i / 12, j / 8)[:3])
            checked += 1
            close = np.abs(got - colour).max() <= 6
            # a contour line, which is darker, may cross the pixel
            assert close or (got < colour + 2).all(), (panel, i, j, got, colour)
    assert checked > 30


def test_maps_are_read_out(browser, site, ranking):
    browser.show(site / "materials" / "PbTiO3-P4mm.html", anchor="#even")
    assert browser.texts(".readout") == ["Point at a map to read its numbers."]
    browser.run(
        """
        const canvas = document.querySelector(".maps canvas");
        const box = canvas.getBoundingClientRect();
        const at = {clientX: box.left + 50 + (box.width - 66) / 2,
                    clientY: box.top + 6 + (box.height - 80) / 2, bubbles: true};
        canvas.dispatchEvent(new PointerEvent("pointermove", at));
        """
    )
    reference = next(s for s in ranking.table.slices if s.material == "PbTiO3-P4mm")
    energy = 1000 * reference.relative[6, 4]
    (text,) = browser.texts(".readout")
    assert text.startswith("z(Ab) = 0, z(O) = 0: ")
    assert f"DFT {energy:.1f}, even {0.8 * energy:.1f} meV/atom" in text


def test_maps_follow_the_colour_scheme(browser, site):
    browser.show(site / "materials" / "PbTiO3-P4mm.html", scheme=LIGHT)
    script = "return document.querySelector('.cuts canvas').toDataURL()"
    light = browser.run(script)
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": DARK}]},
    )
    browser.run("return new Promise((done) => setTimeout(done, 100))")
    assert browser.run(script) != light
    assert browser.problems() == []


# -- size -----------------------------------------------------------------------------------------

MOST_BYTES = 25_000_000
#: what the first page may weigh with all thumbnails of 36 materials, and how long pages may take
MOST_BYTES_OF_36, MOST_SECONDS = 4_000_000, 2.0


def test_hundred_materials_and_ten_models_stay_small(browser, tmp_path, capsys):
    made = make.big_runs(10, 100)
    # one file in place of ten that differ in digits only: writing them is not what is tested
    file = save_results(tmp_path / "results.json", made[-1])
    ranking = rank_board(Board(tuple(Entry(r, file) for r in made)))
    index = write_leaderboard(tmp_path / "board", ranking)
    sizes = {}
    for path in index.parent.rglob("*"):
        if path.is_file():
            top = path.relative_to(index.parent).parts[0]
            sizes[top] = sizes.get(top, 0) + path.stat().st_size
    assert sum(sizes.values()) < MOST_BYTES
    assert sizes["index.html"] + sizes["assets"] + 0.36 * sizes["thumbs"] < MOST_BYTES_OF_36
    lines = [f"{sum(sizes.values()) / 1e6:.1f} MB: {json.dumps(sizes)}"]
    for page in ("index.html", "models/model-03.html", "materials/PbTiO3-P4mm.html"):
        seconds = browser.seconds_to_open(index.parent / page)
        assert seconds < MOST_SECONDS
        lines.append(f"{page}: {1000 * seconds:.0f} ms to load")
        assert browser.problems() == []
    browser.show(index)
    assert len(browser.all("#material-table tbody tr")) == 100
    with capsys.disabled():
        print("", *lines, sep="\n  ")
