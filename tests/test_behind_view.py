"""Crystals behind failures are drawn: before and after relaxation, on one scale, and their hull."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.cell import Cell
from browser import LIGHT, assert_sound
from browser import browser as browser
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_behind import run as behind_run
from test_hull_relax import EMT_MODEL

from symscape.models.evaluate import Evaluator
from symscape.page.behind_view import crystals_behind
from symscape.page.crystal_drawing import SIZE, draw_change
from symscape.page.hull_drawing import draw_hull
from symscape.page.hull_view import HullView
from symscape.page.report import write_report
from symscape.page.view import RunView
from symscape.questions.behind_shapes import with_shapes
from symscape.questions.shapes import CrystalShape, crystal_shape
from symscape.science.hull.relax import cell_changes, relax_with, relaxed_geometries

run = behind_run


def parsed(drawing):
    """Circles within the cell, the lengths of its edges, and what all reaches, of a drawing."""
    svg = ET.fromstring(str(drawing))
    # neighbours beyond the cell are pale
    balls = [e for e in svg.iter("circle") if e.get("class") == "inside"]
    numbers = [[float(e.get(k)) for k in ("cx", "cy", "r")] for e in balls]
    lines = [e for e in svg.iter("line") if e.get("class") == "edge"]
    ends = np.array([[float(e.get(k)) for k in ("x1", "y1", "x2", "y2")] for e in lines])
    x, y, r = np.array([[float(e.get(k)) for k in ("cx", "cy", "r")] for e in svg.iter("circle")]).T
    reach = np.concatenate([x - r, x + r, y - r, y + r, ends.ravel()])
    return np.array(numbers), np.linalg.norm(ends[:, :2] - ends[:, 2:], axis=1), reach


cells = arrays(float, (3, 3), elements=st.floats(-1, 1)).map(lambda a: 6 * np.eye(3) + a)


@given(
    cells,
    arrays(float, (3, 3), elements=st.floats(-2, 2)),
    st.floats(0.7, 1.6),
)
def test_both_drawings_have_one_scale_and_stay_within_their_frame(cell, positions, stretch):
    before = Atoms("AsSeO", scaled_positions=positions, cell=cell, pbc=True)
    after = before.copy()
    after.set_cell(stretch * cell, scale_atoms=True)
    drawings = draw_change(crystal_shape(before, after), "<As>")
    (atoms, edges, reach), (atoms_after, edges_after, reach_after) = map(parsed, drawings)
    assert len(edges) == len(edges_after) == 12
    # places are rounded to a tenth of a unit
    assert edges_after == pytest.approx(stretch * edges, abs=0.5)
    assert len(atoms) == len(atoms_after) >= 3
    for places in (reach, reach_after):
        assert places.min() > 0
        assert places.max() < SIZE


def test_neighbours_beyond_the_cell_show_how_atoms_are_joined():
    """Arsenic's two atoms have three neighbours each, none of them in the same primitive cell."""
    arsenic = Atoms(
        "As2",
        scaled_positions=[[0.2271] * 3, [-0.2271] * 3],
        cell=Cell.new([4.131, 4.131, 4.131, 54.12, 54.12, 54.12]),
        pbc=True,
    )
    grown = arsenic.copy()
    grown.set_cell(1.3 * arsenic.cell.array, scale_atoms=True)
    drawings = [str(d) for d in draw_change(crystal_shape(arsenic, grown), "As")]
    assert [d.count('class="inside"') for d in drawings] == [2, 2]
    assert [d.count('class="outside"') for d in drawings] == [6, 6]
    # six bonds of 2.52 angstrom, which are none when the crystal has grown by 30 per cent
    assert drawings[0].count('class="bond"') >= 6
    assert drawings[1].count('class="bond"') == 0


def test_atoms_on_faces_are_drawn_on_the_opposite_ones_too():
    corner = bulk("Cu", "sc", 3.0)
    atoms, _, _ = parsed(draw_change(crystal_shape(corner), "Cu")[0])
    assert len(atoms) == 8
    # a little below zero is the same corner
    corner.set_scaled_positions([[-1e-9, 1e-9, 0.0]])
    assert len(parsed(draw_change(crystal_shape(corner), "Cu")[0])[0]) == 8


CUBE = ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0))
FLAT = ((1.0, 0, 0), (1.0, 0, 0), (0, 0, 1.0))


@pytest.mark.parametrize(
    "shape",
    [
        CrystalShape(("Xx9",), CUBE, ((0.0, 0, 0),), None, None),
        CrystalShape((), CUBE, (), None, None),
        CrystalShape(("Cu",), FLAT, ((0.0, 0, 0),), None, None),
        CrystalShape(("Cu", "Cu"), CUBE, ((0.0, 0, 0),), None, None),
    ],
)
def test_what_is_no_crystal_is_refused(shape):
    with pytest.raises(ValueError, match=r"crystal|cell|reshape"):
        draw_change(shape, "strange")


def test_relaxed_geometries_are_those_that_relaxations_end_at():
    images = [bulk("Cu", "fcc", 3.7), bulk("Al", "fcc", 3.9), bulk("Xe", "fcc", 6.0)]
    found = relaxed_geometries(images, Evaluator(EMT_MODEL))
    assert found[2] is None  # EMT knows no xenon
    for before, after in zip(images[:2], found[:2], strict=True):
        volume, _ = cell_changes(before.cell.array, after.cell.array)
        assert volume == pytest.approx(relax_with(before, EMT()).volume_change, abs=1e-6)
        assert abs(volume) > 0.01


def shaped(run):
    """The same run with arsenic that doubled, as `with_shapes` leaves it."""
    arsenic = bulk("As", "sc", 3.1)
    grown = bulk("As", "sc", 3.1 * 1.82 ** (1 / 3))
    shapes = {"As-A7": crystal_shape(arsenic, grown)}
    cases = tuple(
        replace(c, notes=replace(c.notes, shapes=shapes)) if c.question == "relaxation" else c
        for c in run.cases
    )
    return replace(run, cases=cases)


def test_failed_cases_carry_the_crystals_behind_them(run):
    (relaxation,) = (case for case in run.cases if case.question == "relaxation")
    copper = SimpleNamespace(id="As-A7", to_atoms=lambda: bulk("Cu", "fcc", 3.7))
    other = SimpleNamespace(id="not-behind", to_atoms=lambda: bulk("Cu", "fcc", 3.7))
    crystals, potential = [copper, other], Evaluator(EMT_MODEL)
    made = with_shapes(relaxation, crystals, potential)
    assert set(made.notes.shapes) == {"As-A7"}
    shape = made.notes.shapes["As-A7"]
    assert np.linalg.det(shape.relaxed_cell) == pytest.approx(3.59**3 / 4, rel=2e-3)
    (hull,) = (case for case in run.cases if case.question == "hull")
    # energies at DFT's geometry need no relaxation
    (alone,) = with_shapes(hull, crystals, potential).notes.shapes.values()
    assert alone.relaxed_cell is None


def test_the_hull_has_both_lines_and_names_what_failed(run):
    table = HullView(run).system("Al-As")
    drawing = draw_hull("Al-As", table, {"As-Po"})
    assert [mark.name for mark in drawing.failed] == ["As-Po"]
    # DFT has it 20 meV/atom above A7, the model 300 below: lower on the screen is larger
    assert drawing.failed[0].model > drawing.failed[0].dft
    assert drawing.failed[0].right
    for who in ("dft", "model"):
        corners = [tuple(map(float, c.split(","))) for c in drawing.lines[who].split()]
        assert corners == sorted(corners)
        stable = table[table[f"above_hull_{who}"] < 1e-3]
        assert len(corners) == len(stable)
    assert draw_hull("Al-As-Se", table, ()) is None


def test_the_card_shows_each_crystal_once_with_all_reasons(run):
    view = RunView(shaped(run))
    (item,) = (item for item in view.slices if item.material == "Al-As")
    behind = crystals_behind(item, HullView(view.run))
    names = [crystal.id for crystal in behind.crystals]
    assert len(names) == len(set(names))
    (arsenic,) = (crystal for crystal in behind.crystals if crystal.id == "As-A7")
    assert any("82 %" in reason for reason in arsenic.reasons)
    assert ("volume", "", "+82.0 %") in [(f.title, f.dft, f.model) for f in arsenic.facts]
    assert arsenic.before is not None
    assert arsenic.after is not None


def test_links_to_crystals_lead_somewhere_and_open_their_card(browser, run, tmp_path):
    page = write_report(tmp_path, shaped(run))
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r'id="([^"]+)"', text))
    links = set(re.findall(r'href="#([^"]+)"', text))
    assert links <= targets
    assert any(link.endswith("--As-A7") for link in links)
    browser.show(page, 1280, LIGHT, "#Al-As-hull--As-A7")
    assert browser.all("#Al-As-hull--As-A7")[0].is_displayed()
    assert len(browser.all("#Al-As-hull--As-A7 svg.crystal")) == 2
    assert_sound(browser, 1280)
