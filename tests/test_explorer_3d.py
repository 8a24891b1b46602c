"""The crystal of a card in 3-D: atoms by orbit, arrows of those that move, the pointed point."""

from __future__ import annotations

import re

import pytest
from browser import LIGHT, browser  # noqa: F401
from test_explorer import page as page

CARD = "#AbO3-P4mm-Ab_z-O_z"
#: 3Dmol.js as it is, but what is drawn is also written down
RECORD = """
    let own;
    Object.defineProperty(globalThis, "$3Dmol", {
      configurable: true,
      set(library) { own = library; },
      get() {
        if (!own) return own;
        const createViewer = (...given) => {
          const viewer = own.createViewer(...given);
          globalThis.drawn = { spheres: [], arrows: [] };
          const { addSphere, addArrow, removeAllShapes } = viewer;
          const keep = (list, add) => (shape) => {
            list.push({ ...shape });
            return add.call(viewer, shape);
          };
          viewer.addSphere = keep(drawn.spheres, addSphere);
          viewer.addArrow = keep(drawn.arrows, addArrow);
          viewer.removeAllShapes = () => {
            drawn.spheres.length = drawn.arrows.length = 0;
            return removeAllShapes.call(viewer);
          };
          return viewer;
        };
        return { ...own, createViewer };
      },
    });
"""


@pytest.fixture
def drawn(browser, page):  # noqa: F811
    """What 3Dmol.js was told to draw, once the crystal has been asked for."""
    browser.show(page, 1280, LIGHT, CARD)
    assert not browser.run("return Boolean(globalThis.$3Dmol)")
    browser.run(RECORD)
    browser.all(".orbits button")[0].send_keys("\ue007")
    browser.driver.set_script_timeout(30)
    shown = browser.driver.execute_async_script(
        """
        const done = arguments[0];
        const stage = document.querySelector(".stage");
        const wait = () => stage.querySelector("canvas") && globalThis.drawn?.spheres.length
            ? done(true) : stage.textContent ? done(false) : setTimeout(wait, 50);
        wait();
        """
    )
    if not shown:
        pytest.skip("this Chromium has no WebGL")
    assert browser.problems() == []
    return lambda: browser.run("return drawn")


def test_atoms_have_the_colour_of_their_orbit(browser, drawn):  # noqa: F811
    names = browser.texts(".orbits span")
    assert names == ["● Ab 1a", "● O 1a"]
    colours = [mark.value_of_css_property("color") for mark in browser.all(".orbits b")]
    spheres = drawn()["spheres"]
    found = ["#" + "".join(f"{int(c):02x}" for c in re.findall(r"\d+", t)[:3]) for t in colours]
    assert [s["color"] for s in spheres] == found
    assert len(set(found)) == 2


def test_atoms_that_move_have_an_arrow_along_their_way(browser, drawn):  # noqa: F811
    at_first = drawn()
    starts = [[s["center"][c] for c in "xyz"] for s in at_first["spheres"]]
    # in a cube of 4 angstrom, at z(Ab) = -0.1 and z(O) = 0
    assert starts == [[0, 0, pytest.approx(-0.4)], [2, 2, 2]]
    arrows = [[[a[end][c] for c in "xyz"] for end in ("start", "end")] for a in at_first["arrows"]]
    assert [start for start, _ in arrows] == starts
    for start, end in arrows:
        assert end[:2] == start[:2]
        assert end[2] > start[2]
    browser.all(".explorer canvas")[0].send_keys("\ue013")
    moved = [[s["center"][c] for c in "xyz"] for s in drawn()["spheres"]]
    # one step of 0.025 up the second axis moves the oxygen twice as far, and nothing else
    assert moved == [starts[0], [2, 2, pytest.approx(2 + 4 * 2 * 0.025)]]
