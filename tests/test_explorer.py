"""Pages that answer: pointer, keyboard, filter, the crystal in 3-D."""

from __future__ import annotations

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
from symscape.references.store import load_reference
from symscape.results.structure import StructureSummary, summarize_structure

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


def test_the_crystal_is_shown_when_it_is_asked_for(browser, page):  # noqa: F811
    browser.show(page, 1280, LIGHT, "#AbO3-P4mm-Ab_z-O_z")
    assert not browser.run("return Boolean(globalThis.$3Dmol)")
    browser.all(".orbits button")[0].send_keys("\ue007")
    browser.driver.set_script_timeout(30)
    shown = browser.driver.execute_async_script(
        """
        const done = arguments[0];
        const wait = () => document.querySelector(".stage canvas") ? done(true) :
            document.querySelector(".stage").textContent ? done("no WebGL") : setTimeout(wait, 50);
        wait();
        """
    )
    if shown == "no WebGL":
        pytest.skip("this Chromium has no WebGL")
    assert browser.problems() == []


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
