"""Pictures of curves and of the periodic table."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import leaderboard_runs as make
import numpy as np
import pytest
from curve_models import REFERENCES, all_electron
from matplotlib import colormaps
from matplotlib.colors import to_hex

from symscape.figures.curves_figure import CurvePair, draw_curves
from symscape.figures.periodic_table import ElementNote, ElementTable, element_cell
from symscape.figures.periodic_table_svg import periodic_table_markup, periodic_table_svg
from symscape.leaderboard.collect import Board, Entry
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.models.card import ModelCard
from symscape.page.curves_page import curve_figures, curve_tables, render_curves, write_curves
from symscape.page.curves_view import CurvesView
from symscape.page.html import render_page
from symscape.page.view import RunView
from symscape.questions.equation_of_state import judge_equation_of_state
from symscape.questions.known import NotJudged
from symscape.questions.prototype_differences import judge_prototype_differences
from symscape.questions.subjects import ElementalPrototype, ElementGroup
from symscape.references.birch_murnaghan import BirchMurnaghan
from symscape.references.equations import load_equations
from symscape.results.files import save_results
from symscape.results.run_results import RunResults
from symscape.verdict.tolerances import load_tolerances

MATERIALS = (make.material(0),)


def curve(volume: float) -> BirchMurnaghan:
    """Return one curve with its minimum at a volume."""
    return BirchMurnaghan(*(np.array([value]) for value in (-3.0, volume, 0.7, 4.0)))


def test_every_element_has_a_cell_of_its_own():
    assert len({element_cell(number) for number in range(1, 119)}) == 118


VALUES = {22: 0.5, 26: -2.25, 2: float("nan")}
SVG = "{http://www.w3.org/2000/svg}"


def test_a_table_shows_what_is_judged():
    table = ElementTable(VALUES, "error <%>", "a & b", "in words", top=3, signed=True)
    picture = periodic_table_svg(table)
    root = ElementTree.fromstring(picture.text)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"+0.50", "−2.25", "none", "error <%>", "a & b", "Ti"} <= set(texts)
    assert root.find(f"{SVG}title").text == "in words"
    assert (root.get("width"), root.get("height")) == (str(picture.width), str(picture.height))
    judged = [r.get("fill") for r in root.iter(f"{SVG}rect") if r.get("class") == "judged"]
    shares = [(VALUES[n] + 3) / 6 for n in (22, 26)]
    assert judged == ["#ffffff", *(to_hex(colormaps["RdBu_r"](share)) for share in shares)]


def test_on_a_page_every_element_says_what_is_known_of_it():
    notes = {22: ElementNote('half "right" & <wrong>', "#Ti"), 43: ElementNote("not judged, alas")}
    table = ElementTable(VALUES, "error", "title", "words", top=3, signed=True, notes=notes)
    root = ElementTree.fromstring(periodic_table_markup(table))
    assert root.get("aria-label") == "title: words"
    cells = {cell.get("aria-label"): cell for cell in root if cell.get("class") == "cell"}
    assert len(cells) == 103
    assert cells['Titanium, Ti: half "right" & <wrong>'].get("href") == "#Ti"
    assert cells["Technetium, Tc: not judged, alas"].get("href") is None
    assert "Uranium, U: not judged" in cells
    # one stop of the tab key, at the first element that has a value
    stops = [words for words, cell in cells.items() if cell.get("tabindex") == "0"]
    assert len(stops) == 1
    assert stops[0].startswith("Helium")


def test_curves_are_drawn_from_their_own_minima():
    pairs = [CurvePair("Ti-BCC", curve(17.0), curve(v), "") for v in (17.0, 17.5, np.nan)]
    figure = draw_curves(pairs, "model")
    dft, model = figure.axes[1].lines
    at = dft.get_xdata()
    assert dft.get_ydata().min() == pytest.approx(0, abs=1e-9)
    assert at[dft.get_ydata().argmin()] == pytest.approx(1)
    assert at[model.get_ydata().argmin()] == pytest.approx(17.5 / 17, abs=0.002)
    assert np.isnan(figure.axes[2].lines[1].get_ydata()).all()


def run_of(*cases):
    card = ModelCard("m", "test")
    return RunResults(card, "", tuple(cases), (), {}, "2026-01-01T00:00:00+00:00", 1.0, "default")


@pytest.fixture(scope="module")
def soft():
    """Results of a model that is too large and half as stiff, on two groups and one prototype."""
    equations = load_equations([REFERENCES])
    known = {"model": "m", "missing": [], "digest": "d", "tolerances": load_tolerances()}
    found = []
    for group, own in (("group-4", (22, 40, 72)), ("group-11", (29, 47, 79))):
        chosen = equations[np.isin(equations.elements, own)]
        curves = all_electron(chosen)
        spoilt = BirchMurnaghan(
            curves.energy, 1.05 * curves.volume, 0.5 * curves.bulk_modulus, curves.derivative
        )
        for values in (spoilt.energy, spoilt.volume, spoilt.bulk_modulus, spoilt.derivative):
            values[chosen.names.index("XO3")] = np.nan
        subject = ElementGroup(group, tuple(dict.fromkeys(chosen.symbols)))
        entry = NotJudged("it is none of ours", ("Ra-BCC",))
        case = judge_equation_of_state(chosen, spoilt, subject, not_judged=(entry,), **known)
        found.append(case)
    elements = equations[~equations.oxide & np.isin(equations.elements, (22, 40, 72))]
    energies = 0.5 * all_electron(elements).energy
    found.append(
        judge_prototype_differences(elements, energies, ElementalPrototype("BCC"), **known)
    )
    return CurvesView(run_of(*found))


def test_a_report_says_what_is_wrong_by_element(soft):
    rows = {row.symbol: row for row in soft.elements}
    assert list(rows) == ["Ti", "Cu", "Zr", "Ag", "Hf", "Au"]
    assert (rows["Ti"].judged, rows["Ti"].no_minimum) == (10, 1)
    assert rows["Zr"].no_minimum == 0
    assert rows["Zr"].slope == pytest.approx(0.5, abs=1e-3)
    assert rows["Zr"].signed_error < 0
    assert np.isnan(rows["Cu"].signed_error)
    assert len(soft.worst()) == 10
    epsilons = [curve.epsilon for curve in soft.worst()]
    assert epsilons == sorted(epsilons, reverse=True)
    assert "0 of 60 equations of state are good" in soft.sentence
    assert "2 have no minimum" in soft.sentence
    (entry,) = soft.not_judged
    assert entry == NotJudged("it is none of ours", ("Ra-BCC",))


def test_tables_hold_every_judged_crystal(soft):
    tables = curve_tables(soft)
    assert len(tables["equations_of_state"]) == 60
    known = tables["equations_of_state"].set_index("crystal").loc["Cu-FCC"]
    assert known["volume_error_percent"] == pytest.approx(5, abs=1e-3)
    assert known["bulk_modulus_dft_GPa"] == pytest.approx(142, abs=3)
    assert tables["prototype_differences"]["error_meV_per_atom"].max() < 0


def test_a_report_without_equations_of_state_has_no_section():
    view = CurvesView(run_of())
    assert curve_tables(view) == {}
    assert curve_figures(view) == {}
    assert render_curves(view, {}, None) == ""


def test_cases_that_keep_nothing_have_no_rows(soft):
    cases = [replace(case, detail=None) for case in soft.run.cases]
    assert CurvesView(run_of(*cases)).elements == ()


def test_pictures_are_drawn_once_and_removed_with_what_they_show(soft, tmp_path):
    pictures = write_curves(tmp_path, soft)
    assert set(pictures) == {"worst"}
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / "figures").iterdir()}
    assert len(drawn) == 2
    write_curves(tmp_path, soft)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "figures").iterdir()} == drawn
    page = render_page(RunView(soft.run), {}, {}, pictures)
    assert 'src="figures/curves-worst.png"' in page
    assert page.count('<svg class="periodic"') == 2
    assert "Not judged, because" in page
    (prototype,) = (c for c in soft.run.cases if c.question == "prototype_differences")
    write_curves(tmp_path, CurvesView(run_of(prototype)))
    assert list((tmp_path / "figures").iterdir()) == []


def test_elements_lead_to_their_rows_and_those_to_their_cards(soft):
    page = render_page(RunView(soft.run), {})
    for symbol in ("Ti", "Cu", "Zr", "Ag", "Hf", "Au"):
        assert f'href="#element-{symbol}"' in page
        assert f'<tr id="element-{symbol}">' in page
    assert "Titanium, Ti: epsilon" in page
    assert "the median of 10 crystals, 1 without a minimum near DFT" in page
    assert "Radium, Ra: not judged, it is none of ours" in page
    groups = {case.material: case.slice for case in soft.run.cases}
    assert f'<a href="#group-4-{groups["group-4"]}">group 4</a>' in page


def ranking_of(folder, soft):
    """A leaderboard of a model that was judged on equations of state, and one that was not."""
    board = [make.run("plain", MATERIALS), make.run("judged", MATERIALS)]
    judged = tuple(replace(case, model="judged") for case in soft.run.cases)
    board[1] = replace(board[1], cases=board[1].cases + judged)
    entries = [Entry(r, save_results(folder / f"{r.model.name}.json", r)) for r in board]
    return rank_board(Board(tuple(sorted(entries, key=lambda e: e.name))))


def test_the_leaderboard_shows_periodic_tables_of_models_that_have_them(soft, tmp_path):
    ranking = ranking_of(tmp_path, soft)
    index = write_leaderboard(tmp_path / "board", ranking)
    pictures = sorted(path.name for path in (tmp_path / "board" / "elements").iterdir())
    assert pictures == ["judged-epsilon.svg"]
    assert 'src="elements/judged-epsilon.svg"' in index.read_text()
    pages = {path.stem: path.read_text() for path in (tmp_path / "board" / "models").iterdir()}
    assert pages["judged"].count('<svg class="periodic"') == 2
    assert 'href="#equation_of_state-group-4"' in pages["judged"]
    assert '<tr id="equation_of_state-group-4">' in pages["judged"]
    assert 'href="#crystals-prototype_differences"' in pages["judged"]
    assert '<h3 id="crystals-prototype_differences">' in pages["judged"]
    assert "<svg" not in pages["plain"]
    # a group of the periodic table is found by its elements
    units = {unit.material: unit for unit in ranking.table.units}
    assert units["group-4"].elements == ("Ti", "Zr", "Hf")
    assert units["BCC"].elements == ()
    assert units["BCC"].title == "BCC"
    # what one model was asked, all are: the other one scores nothing there
    names = [question.name for question in ranking.table.questions]
    row = ranking.table.models.index("plain")
    assert ranking.table.by_question[row, names.index("equation_of_state")] == 0
