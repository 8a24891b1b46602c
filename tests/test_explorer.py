"""Pages that answer: pointer, keyboard, filter, the crystal in 3-D."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import DARK, LIGHT, assert_sound, browser  # noqa: F401
from report_page import draw_little
from report_runs import judged_case, make_run, reference_summary

from symscape.page.explorer import explorer_json
from symscape.page.report import write_report
from symscape.page.view import RunView
from symscape.references.landscape_files import load_reference
from symscape.results.run_results import BaselineSummary
from symscape.results.structure import StructureSummary, summarize_structure
from symscape.verdict.baseline import judge_against

STORED = Path(__file__).parents[1] / "references"
#: two atoms that move by one and two times the axes, in a cubic cell of 4 angstrom
CRYSTAL = StructureSummary(
    symbols=("Ab", "O"),
    orbits=("Ab 1a", "O 1a"),
    positions=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
    moves=(((0.0, 0.0, 1.0), (0.0, 0.0, 0.0)), ((0.0, 0.0, 0.0), (0.0, 0.0, 2.0))),
    origins=(0.0, 0.0),
    cells=((4.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 4.0),),
)


@pytest.mark.parametrize(
    "name", ["GeTe-R3m/ca-Ge_z", "PbTiO3-P4mm/Ti_z-O_z", "CO2-Pa-3/O_x-volume"]
)
def test_every_geometry_can_be_rebuilt_from_the_summary(name):
    the_slice = load_reference(STORED / f"{name}.json").slice
    summary = summarize_structure(the_slice)
    built = the_slice.structures(primitive=False)
    moves, positions = np.array(summary.moves), np.array(summary.positions)
    for k in (0, len(built) // 3, len(built) - 1):
        values = the_slice.grid_values[k]
        index = np.unravel_index(k, the_slice.shape)
        row = 0 if summary.cell_axis is None else index[summary.cell_axis]
        cell = np.array(summary.cells[row]).reshape(3, 3)
        u, v = values - np.array(summary.origins)
        found = (positions + u * moves[0] + v * moves[1]) @ cell
        np.testing.assert_allclose(found, built.arrays(k)[1], atol=1e-4)
        np.testing.assert_allclose(cell, built.arrays(k)[2], atol=1e-5)


def test_nothing_from_a_file_ends_the_script():
    reference = reference_summary("</script><b>-P1")
    text = explorer_json(RunView(make_run(judged_case(reference), references=(reference,))))
    assert "<" not in text
    assert "script" in text


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    one = replace(reference_summary("AbO3-P4mm"), structure=CRYSTAL)
    two = reference_summary("Fine-P4mm", formula="CaO")
    run = make_run(judged_case(one, 0.5), judged_case(two, 1.0), references=(one, two))
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        return write_report(tmp_path_factory.mktemp("explorer"), run)


@pytest.mark.parametrize(("width", "scheme"), [(1280, LIGHT), (390, DARK)])
def test_pointer_and_keys_move_the_point(browser, page, width, scheme):  # noqa: F811
    browser.show(page, width, scheme, "#AbO3-P4mm-Ab_z-O_z")
    (readout,) = browser.texts(".readout")
    assert "z(Ab) = −0.1000, z(O) = 0.0000: DFT 0.0, model 0.0, error 0.0 meV/atom" in readout
    assert "closest pair Ab–O" in readout
    canvas = browser.all(".explorer canvas")[0]
    canvas.send_keys("\ue014")
    (moved,) = browser.texts(".readout")
    # one step of the grid to the right, where the model has half of DFT's energy
    assert "z(Ab) = −0.0750" in moved
    browser.run(
        "const f = arguments[0].getBoundingClientRect();"
        "arguments[0].dispatchEvent(new PointerEvent('pointermove', "
        "{clientX: f.left + f.width / 2, clientY: f.top + f.height / 2}));",
        canvas,
    )
    (middle,) = browser.texts(".readout")
    assert "z(Ab) = 0.0000, z(O) = 0.0000: DFT 300.0, model 150.0, error −150.0" in middle
    assert_sound(browser, width)


#: columns and rows of a canvas that are black from end to end: the cross-hair
BLACK = """
    const { width, height } = arguments[0];
    const data = arguments[0].getContext("2d").getImageData(0, 0, width, height).data;
    const dark = (x, y) => [0, 1, 2].every((c) => data[4 * (y * width + x) + c] < 110);
    const [xs, ys] = [width, height].map((n) => [...Array(n).keys()]);
    return [
      xs.filter((x) => ys.every((y) => dark(x, y))).map((x) => x / width),
      ys.filter((y) => xs.every((x) => dark(x, y))).map((y) => 1 - y / height),
    ];
"""


def test_the_cross_hair_is_on_all_maps_at_once(browser, page):  # noqa: F811
    browser.show(page, 1280, LIGHT, "#AbO3-P4mm-Ab_z-O_z")
    maps = browser.all(".maps canvas")
    assert len(maps) == 4
    # the axes have 13 and 9 values; the DFT minimum is the third and the fifth of them
    for keys, u, v in (("", 2, 4), ("\ue014\ue014\ue013", 4, 5)):
        maps[1].send_keys(keys)
        for canvas in maps:
            across, up = browser.run(BLACK, canvas)
            assert across
            assert np.allclose(across, u / 12, atol=0.01)
            assert up
            assert np.allclose(up, v / 8, atol=0.01)


def test_the_cuts_go_through_the_pointed_point(browser, page):  # noqa: F811
    browser.show(page, 1280, LIGHT, "#AbO3-P4mm-Ab_z-O_z")
    # from (-0.1, 0) four steps to the middle and one up: DFT 300 + 20 * 0.025^2 eV, the model half
    browser.all(".maps canvas")[0].send_keys("\ue014" * 4 + "\ue013")
    assert "DFT 312.5, model 156.2" in browser.texts(".readout")[0]
    cuts = browser.all(".cuts > div")
    assert len(cuts) == 2
    for cut in cuts:
        words = cut.text.replace("−", "-")
        low, high = map(float, re.search(r"(\S+) to (\S+) meV/atom", words).groups())
        (line,) = cut.find_elements("css selector", "svg line")
        here = float(line.get_attribute("x1"))
        for curve, energy in zip(
            cut.find_elements("css selector", "polyline"), (312.5, 156.2), strict=True
        ):
            points = [
                tuple(map(float, p.split(","))) for p in curve.get_attribute("points").split()
            ]
            (y,) = (y for x, y in points if x == here)
            # the caption is rounded to 1 meV/atom, the drawing is 100 pixels high
            assert low + (110 - y) / 100 * (high - low) == pytest.approx(energy, abs=2.0)


def test_a_slider_parts_the_baseline_from_the_model(browser, tmp_path):  # noqa: F811
    reference = reference_summary("AbO3-P4mm", masked=None, missing=None)
    now, before = judged_case(reference, 0.5), judged_case(reference, -0.5)
    run = replace(
        make_run(judge_against(now, before)[0], references=(reference,)),
        baseline=BaselineSummary("main", "soft-1", 0.1),
    )
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        page = write_report(tmp_path, run)
    browser.show(page, 1280, LIGHT, "#AbO3-P4mm-Ab_z-O_z")
    assert_sound(browser, 1280)
    captions = browser.texts(".maps small")
    # below the zero the baseline has energies that neither DFT nor the model has: the scale too
    assert "baseline left, model right, −" in captions[4]
    model, both = browser.all(".maps canvas")[1], browser.all(".maps canvas")[4]
    (slider,) = browser.all(".explorer input[type=range]")

    def same() -> tuple[bool, bool]:
        left, right = (browser.run(SAME, model, both, side) for side in (0, 1))
        return left, right

    assert same() == (False, True)
    slider.send_keys("\ue011")  # Home: all of it the model
    assert same() == (True, True)
    slider.send_keys("\ue010")  # End: all of it the baseline
    assert same() == (False, False)


#: whether two maps look the same in their left or right quarter
SAME = """
    const [a, b] = [0, 1].map((k) => arguments[k].getContext("2d")
      .getImageData(arguments[2] * 150, 0, 50, 200).data);
    return a.every((x, k) => x === b[k]);
"""


def test_cards_can_be_filtered(browser, page):  # noqa: F811
    browser.show(page)
    assert browser.texts("#shown") == ["2 of 2 shown"]
    browser.all("#filter input[type=search]")[0].send_keys("fine")
    assert browser.texts("#shown") == ["1 of 2 shown"]
    assert browser.all("#AbO3-P4mm-Ab_z-O_z")[0].get_attribute("hidden")
    browser.all("#filter button")[0].send_keys("\ue007")
    browser.run(
        "const s = document.querySelector('select[name=status]'); s.value = 'failed';"
        "s.dispatchEvent(new Event('input', {bubbles: true}));"
    )
    assert browser.texts("#shown")[0].startswith("1 of 2")
