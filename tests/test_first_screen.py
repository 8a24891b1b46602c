"""What is on the first screen of a report, on phones and desks, and how large a report grows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browser import DARK, LIGHT, assert_sound
from browser import browser as browser
from report_page import draw_little
from report_runs import judged_case, make_run, reference_summary

from symscape.page.html import MOST_TOLD
from symscape.page.report import write_report
from symscape.questions.case import CaseResult, Check
from symscape.questions.registry import metric_named
from symscape.references.landscape_files import load_reference
from symscape.results.run_results import summarize_reference

#: width and height of a phone's screen and of two on desks
SCREENS = ((390, 844), (1280, 800), (1440, 900))
#: formulas of all lengths
FORMULAS = ("GeTe", "Mg3Sb2", "KNaTi2O6", "As", "BaFCl", "Rb2NaHoF6", "P")


def long_story(reference, scale):
    """A material with several things wrong, told in long words."""
    name, place = reference.material, reference.slice
    wrong = (
        ("minima", "max_depth_error", 30.8),
        ("saddles", "max_barrier_error", -59.1),
        ("forces", "relative_force_error", 0.66),
        ("smoothness", "max_kink", 169.7),
    )
    yield judged_case(reference, scale)
    for question, metric, value in wrong:
        check = Check(metric, value, (-0.1, 0.1), metric_named(metric).unit, passed=False)
        yield CaseResult(question, "soft", name, place, "failed", (check,), {metric: value})


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The report of a model that fails on as many materials as the first screen tells of."""
    references = [
        reference_summary(
            f"{FORMULAS[k % len(FORMULAS)]}-P-3m1-{k}", formula=FORMULAS[k % len(FORMULAS)],
            spacegroup_symbol="P-3m1",
        )
        for k in range(MOST_TOLD)
    ]  # fmt: skip
    cases = [c for k, r in enumerate(references) for c in long_story(r, 0.3 + 0.02 * k)]
    folder = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        return write_report(folder, make_run(*cases, references=tuple(references)))


BOXES = """
    return [...document.querySelectorAll(arguments[0])].map((e) => {
      const box = e.getBoundingClientRect();
      return [box.top, box.bottom, box.left, box.right];
    });
"""


def show(browser, page, size, scheme=LIGHT):
    """Open a page on a screen of some width and height."""
    width, height = size
    browser.show(page, width, scheme)
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )


@pytest.mark.parametrize("size", SCREENS, ids=lambda s: f"{s[0]}x{s[1]}")
def test_headline_and_a_line_for_each_material_are_on_the_first_screen(browser, many, size):
    width, height = size
    show(browser, many, size)
    (lead,) = browser.run(BOXES, ".lead")
    lines = browser.run(BOXES, ".diagnosis li")
    assert len(lines) == MOST_TOLD
    assert 0 < lead[0] < lead[1] <= lines[0][0] + 1
    assert all(b[0] >= a[1] - 1 for a, b in pairwise(lines))
    assert lines[-1][1] <= height
    assert all(box[2] >= 0 and box[3] <= width for box in (lead, *lines))
    # no line is too low for a finger
    assert all(box[1] - box[0] >= 24 for box in lines)
    assert browser.run("return document.querySelectorAll('details[open]').length") == 0
    assert_sound(browser, width)


CLIPPED = """
    return [...document.querySelectorAll(".diagnosis li")].map(
        (e) => e.scrollHeight > e.clientHeight + 1);
"""


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_a_line_that_is_cut_short_leads_to_all_of_it(browser, many, scheme):
    """On a phone the whole line is the link, and the card's head has the whole sentence."""
    show(browser, many, SCREENS[0], scheme)
    clipped = browser.run(CLIPPED)
    assert any(clipped)
    place = clipped.index(True)
    whole = browser.run(
        "return document.querySelectorAll('.diagnosis .what')[arguments[0]].textContent", place
    )
    # a tap on the end of the line, where there is no word of the link
    top, bottom, _, right = browser.run(BOXES, ".diagnosis li")[place]
    hit = browser.run(
        "const at = document.elementFromPoint(...arguments); at.click(); return at.tagName",
        right - 8, (top + bottom) / 2,
    )  # fmt: skip
    assert hit == "A"
    opened = browser.all("details.slice[open]")
    assert len(opened) == 1
    head = "details.slice[open] > summary .figures"
    assert browser.texts(head) == [whole]
    assert browser.run(f"const e = document.querySelector('{head}');"
                       "return [e.scrollWidth <= e.clientWidth, e.scrollHeight <= e.clientHeight]"
                       ) == [True, True]  # fmt: skip


def test_the_axes_are_told_where_a_material_has_two_slices(browser, tmp_path):
    """On a phone they are left out only where the material alone says which slice it is."""
    pair = [reference_summary("GeTe-R3m", names) for names in (("Ge_z", "ca"), ("Ge_z", "volume"))]
    alone = reference_summary("As-R-3m")
    cases = [judged_case(reference, 0.4) for reference in (*pair, alone)]
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        page = write_report(tmp_path, make_run(*cases, references=(*pair, alone)))
    show(browser, page, SCREENS[0])
    found = dict(
        browser.run(
            "return [...document.querySelectorAll('.diagnosis .axes')]"
            ".map((e) => [e.textContent, e.checkVisibility()])"
        )
    )
    assert found == {"z(Ge), ca": True, "z(Ge), volume (Å³/atom)": True, "z(Ab), z(O)": False}


#: what a page may weigh with all thumbnails, and how long it may take to open
MOST_BYTES, MOST_SECONDS = 4e6, 2.0
#: how large a library, and how many models whose thumbnails are counted
N_SLICES, N_MODELS = 36, 10
STORED = Path(__file__).parents[1] / "references"


def full_library(rng):
    """The stored slices, and others like them under other names with other energies."""
    paths = [p for p in sorted(STORED.glob("*/*.json")) if "-" in p.parent.name]
    known = [
        summarize_reference(load_reference(path)) for path in paths if path.parent.name[0].isupper()
    ]
    for k in range(N_SLICES):
        summary = known[k % len(known)]
        if k >= len(known):
            noise = 0.01 * rng.normal(size=summary.relative.shape)
            energies = summary.relative + noise
            low = summary.minimum
            energies = np.round(energies - energies[low], 6)
            summary = replace(
                summary,
                material=f"{summary.material}-{k}",
                energies=tuple(tuple(e if e == e else None for e in r) for r in energies.tolist()),
            )
        yield summary


def noisy(case, rng):
    """The same with noise, which keeps pictures from compressing."""
    energies = np.array(case.energies, dtype=float)
    energies += 0.02 * rng.normal(size=energies.shape)
    return replace(
        case, energies=[[round(e, 6) if e == e else None for e in r] for r in energies.tolist()]
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The report of a model that fails on each slice of a library of 36."""
    rng = np.random.default_rng(17)
    references = tuple(full_library(rng))
    cases = []
    for reference in references:
        first, *others = long_story(reference, 0.6)
        cases += [noisy(first, rng), *others]
    folder = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        return write_report(folder, make_run(*cases, references=references))


def test_a_report_of_36_slices_is_small_and_opens_in_two_seconds(browser, large):
    thumbs = list((large.parent / "figures").glob("*-thumb.png"))
    assert len(thumbs) == N_SLICES
    of_models = N_MODELS * sum(path.stat().st_size for path in thumbs)
    whole = large.stat().st_size + of_models
    seconds = browser.seconds_to_open(large)
    print(f"{large.stat().st_size} bytes, {of_models} of thumbnails, loaded in {seconds:.2f} s")
    assert whole < MOST_BYTES
    assert seconds < MOST_SECONDS
    assert_sound(browser, 1280)
