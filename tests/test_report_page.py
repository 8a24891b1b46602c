"""The whole report on disk, and its page in a browser."""

from __future__ import annotations

import html
import itertools
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from report_page import N_SCRIPTS, Page
from report_page import page as page
from report_page import quick_figures as quick_figures
from report_page import report as report
from report_runs import CARD, judged_case, make_run, mixed_run, reference_summary

from symscape.figures import landscape_figure as figures
from symscape.page.html import render_page
from symscape.page.report import write_report
from symscape.page.view import RunView
from symscape.questions.case import CaseResult, Check
from symscape.questions.energies import EnergiesDetail
from symscape.questions.named_points import ClosestPair, FailedPoint
from symscape.questions.notes import Notes
from symscape.results.files import load_results


def test_everything_is_there(report):
    files = {p.relative_to(report).as_posix() for p in report.rglob("*") if p.is_file()}
    slices = [f"{name}-P4mm-Ab_z-O_z" for name in ("Fine", "Soft", "Softer")]
    assert files == {
        "index.html",
        "results.json",
        "summary.md",
        "badge.svg",
        *(f"figures/{s}-{kind}.png" for s in slices for kind in ("wide", "tall", "thumb")),
        *(f"tables/{t}.csv" for t in ("metrics", "checks", "underprediction")),
        *(f"tables/underprediction_by_{t}.csv" for t in ("n_lattice", "n_wyckoff")),
    }


def test_beyond_ten_tolerances_landscapes_come_first():
    reference = reference_summary()
    landscape = judged_case(reference, -3.0)
    metric = "bulk_modulus_error"

    def group(name, times):
        check = Check(metric, 15.0 * times, (-15.0, 15.0), "%", passed=False)
        return CaseResult("equation_of_state", "soft", name, "He-Ne", "failed", (check,))

    run = make_run(group("far", 900.0), landscape, group("near", 2.0), references=(reference,))
    view = RunView(run)
    assert [item.material for item in view.slices] == ["AbO3-P4mm", "far", "near"]
    # the landscape is over ten tolerances off, too, but less than the group
    assert 10 < view.slices[0].severity < view.slices[1].severity


@pytest.mark.usefixtures("quick_figures")
def test_a_report_can_be_made_again_from_its_results(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    write_report(one, mixed_run())
    write_report(two, load_results(one / "results.json"))
    files = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(two) for p in two.rglob("*") if p.is_file())
    for file in files:
        assert (one / file).read_bytes() == (two / file).read_bytes(), file


def test_the_page_is_well_formed(page):
    assert page.open == []
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    labels = {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
    assert labels <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_the_verdict_comes_first_and_the_rest_in_order(page):
    order = [
        "2 of 4 landscapes outside tolerance",
        "What is wrong",
        "too low, slope 0.40",
        "Landscapes, worst first",
        "The file is broken.",
        "soft-Softer-P4mm-Ab_z-O_z",
        "soft-Soft-P4mm-Ab_z-O_z",
        "soft-Fine-P4mm-Ab_z-O_z",
        "By free lattice parameters",
        "By free Wyckoff coordinates",
        "model, settings, versions, references",
    ]
    places = [page.text.index(words) for words in order]
    assert places == sorted(places)
    assert page.text.index("Failed") < 60


def test_a_failure_says_by_how_much_and_where(page):
    start = page.text.index("soft-Softer-P4mm")
    section = page.text[start : page.text.index("soft-Soft-P4mm")]
    assert "softening scale 0.400 0.85 to 1.15 4.0 ×" in section
    assert "missing minima 1 0 none allowed" in section
    assert "Closest pair Ab–O 1.71 Å (0.83 of the sum of the covalent radii)" in section
    assert re.search(r"Worst error −\d+\.\d meV/atom \(model too low\)", section)
    assert re.search(r"z\(Ab\) = −?0\.\d{4}, z\(O\) = −?0\.\d{4} grid point \d+, \d+", section)
    # both questions stand under one figure
    assert "Relative energies" in section
    assert "Minima" in section
    assert section.count("grid points compared") == 1


def test_verdicts_do_not_rest_on_colour_alone(page):
    for word in ("✗ 3 cases failed", "! 1 case not judged", "✓ 1 case passed"):
        assert word in page.text
    assert "failed: ✗ softening scale" in page.text
    assert "passed: ✓ displacement" in page.text


def test_images_have_words_size_and_patience(report, page):
    images = page.all("img")
    assert len(images) == 3 + 2 + 1
    for image in images:
        assert image["alt"]
        assert image["loading"] == "lazy"
        size = (int(image["width"]), int(image["height"]))
        assert Image.open(report / image["src"]).size == size
    for source in page.all("source"):
        size = (int(source["width"]), int(source["height"]))
        assert Image.open(report / source["srcset"]).size == size
    assert any("DFT minimum is at z(Ab) = −0.1000" in image["alt"] for image in images)


def test_nothing_is_fetched_from_elsewhere(report, page):
    text = (report / "index.html").read_text(encoding="utf-8")
    assert all("src" not in script for script in page.all("script"))
    assert "@import" not in text
    assert "url(" not in text
    ids = {a["id"] for _, a in page.elements if "id" in a}
    for tag, attributes in page.elements:
        for name in ("href", "src", "srcset"):
            target = attributes.get(name)
            if target is None or target == "data:,":
                continue
            assert not re.match("[a-z]+:|//", target), f"<{tag} {name}={target}>"
            if target.startswith("#"):
                assert target[1:] in ids
            else:
                assert (report / target).is_file()


def test_every_landscape_is_one_line_until_it_is_opened(page):
    cards = [a for a in page.all("details") if str(a.get("class")).startswith("slice ")]
    assert not any("open" in card for card in cards)
    assert [card["data-status"] for card in cards] == ["error", "failed", "failed", "passed"]
    assert cards[-1]["id"] == "Fine-P4mm-Ab_z-O_z"
    assert str(cards[1]["data-questions"]).split() == ["energies", "minima"]


NASTY = "<script>alert(1)</script>\"'&{{ 7 * 7 }}$\\bad{$"


def test_everything_from_files_is_escaped(tmp_path):
    reference = reference_summary(
        NASTY,
        formula=NASTY,
        spacegroup_symbol=NASTY,
        crystal_system=NASTY,
        level_of_theory=NASTY,
        digest=NASTY,
    )
    axis = replace(reference.axes[0], name=NASTY, label=NASTY, terms={NASTY: 1.0, "x": 1.0})
    reference = replace(reference, axes=(axis, reference.axes[1]))
    case = judged_case(reference, model=NASTY)
    pair = ClosestPair((NASTY, NASTY), 1.0, 0.5)
    worst = replace(case.notes.worst, values={NASTY: 1.0}, closest_pair=pair)
    case = replace(
        case,
        checks=(*case.checks, Check(NASTY, 1.0, (None, 0.0), NASTY, False)),
        detail=EnergiesDetail((FailedPoint((1, 1), {NASTY: 1.0}, NASTY),)),
        notes=Notes(worst=worst, warnings=(NASTY,), message=NASTY),
    )
    error = CaseResult(NASTY, NASTY, "X", NASTY, "error", notes=Notes(message=NASTY))
    card = replace(
        CARD,
        name=NASTY,
        family=NASTY,
        checkpoint=NASTY,
        level_of_theory=NASTY + "!",
        energy_convention=NASTY,
        training_sets=(NASTY,),
        reference=NASTY,
        licence=NASTY,
        description=NASTY,
    )
    run = make_run(case, error, references=(reference,), card=card)
    run = replace(
        run,
        fingerprint=NASTY,
        tolerances=NASTY,
        versions={NASTY: NASTY},
        baseline_notes=(NASTY,),
    )
    page = write_report(tmp_path, run)
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    # the page's own, and no other
    assert text.count("<script") == len(parsed.all("script")) == N_SCRIPTS
    assert "49" not in re.findall(r"&#?\w+;\s*(\d+)", text)
    assert parsed.text.count("<script>alert(1)</script>") > 20
    for path in (tmp_path / "figures").iterdir():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+\.png", path.name)
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "<script" not in summary
    assert load_results(tmp_path / "results.json").model.name == NASTY


def test_a_difference_in_theory_stands_beside_every_number():
    reference = reference_summary(level_of_theory="r2SCAN")
    other = reference_summary("Other-P4mm")
    run = make_run(
        judged_case(reference, 0.5), judged_case(other, 0.5), references=(reference, other)
    )
    page = Page(render_page(RunView(run), {}))
    chips = [a["title"] for a in page.all("span") if a.get("class") == "theory" and a.get("title")]
    # at a glance, heading, underprediction
    assert chips == ["model trained on PBE, reference computed with r2SCAN"] * 3
    assert "Different levels of theory: model trained on PBE" in page.text.replace(" :", ":")


@pytest.mark.parametrize(("scale", "longest"), [(0.6, 100.0), (0.9999999, 0.1), (1.0, 0.0)])
def test_bars_are_as_long_as_errors_are_large(scale, longest):
    """The largest error fills its bar, noise does not."""
    reference = reference_summary()
    run = make_run(judged_case(reference, scale), references=(reference,))
    spans = Page(render_page(RunView(run), {})).all("span")
    bars = [a for a in spans if "bar" in str(a.get("class")).split()]
    shares = [float(str(a["style"]).removeprefix("--share:").rstrip("%")) for a in bars]
    assert len(shares) == 1
    assert shares[0] == pytest.approx(longest, abs=0.1)


def test_a_run_without_cases_has_a_page():
    page = Page(render_page(RunView(make_run(references=())), {}))
    assert "No landscape was evaluated." in page.text
    assert "Nothing was judged." in page.text


def test_failed_points_are_listed_up_to_a_dozen(tmp_path):
    reference = reference_summary()
    case = judged_case(reference)
    points = tuple(
        FailedPoint((3, k % 9), {"Ab_z": 0.0, "O_z": k / 100}, f"reason {k}") for k in range(15)
    )
    case = replace(case, detail=EnergiesDetail(points))
    text = Page(render_page(RunView(make_run(case, references=(reference,))), {})).text
    assert "no energy at 15 points" in text
    assert "reason 11" in text
    assert "reason 12" not in text
    assert "and 3 more, all in results.json" in text


@pytest.mark.usefixtures("quick_figures")
def test_figures_of_an_earlier_run_are_removed_but_nothing_else(tmp_path):
    one, two = reference_summary("One-P1"), reference_summary("Two-P1")
    write_report(tmp_path, make_run(judged_case(one), judged_case(two), references=(one, two)))
    note = tmp_path / "figures" / "my-own.png"
    note.write_bytes(b"mine")
    write_report(tmp_path, make_run(judged_case(two), references=(two,)))
    left = {path.name for path in (tmp_path / "figures").iterdir()}
    assert left == {"my-own.png", *(f"Two-P1-Ab_z-O_z-{k}.png" for k in ("wide", "tall", "thumb"))}


def test_results_are_safe_when_drawing_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(figures, "draw_landscape", fail)
    with pytest.raises(MemoryError):
        write_report(tmp_path, mixed_run())
    assert len(load_results(tmp_path / "results.json").cases) == 5
    assert (tmp_path / "summary.md").exists()


def test_importing_the_report_draws_in_no_heavy_package():
    code = (
        "import sys; import symscape.page.report; "
        "heavy = {'matplotlib', 'pandas', 'jinja2', 'PIL', 'scipy', 'torch', 'ase', 'pymatgen'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--enable-logging=stderr",
    "--virtual-time-budget=8000",
)

PROBE = """<!DOCTYPE html><body><iframe id="f" src="{page}" width="{width}" height="2000"
style="border:0"></iframe><script>
const frame = document.getElementById("f"), errors = [];
frame.onload = () => {{
  const page = frame.contentDocument, view = frame.contentWindow;
  for (const image of page.images) image.loading = "eager";
  for (const fold of page.querySelectorAll("details")) fold.open = true;
  setTimeout(() => {{
    const root = page.documentElement, body = view.getComputedStyle(page.body);
    document.body.dataset.found = JSON.stringify({{
      width: view.innerWidth, overflow: root.scrollWidth - view.innerWidth,
      background: body.backgroundColor,
      loaded: [...page.images].map(i => i.currentSrc),
      requests: view.performance.getEntriesByType("resource").map(e => e.name),
      broken: [...page.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src),
      shown: [...page.images].map(i => i.currentSrc.split("-").pop()),
      spills: [...page.querySelectorAll("body *")].filter(e => !e.closest(".scroll, .hidden") &&
        e.getBoundingClientRect().right > view.innerWidth + 0.5).map(e => e.outerHTML.slice(0, 90)),
      first: page.querySelector("h1").getBoundingClientRect().bottom,
    }});
  }}, 800);
}};
</script></body>"""


def browse(page: Path, folder: Path, width: int, *, dark: bool = False) -> tuple[dict, str]:
    """Open a page in Chromium at a width; return what was measured and the console."""
    probe = folder / "probe.html"
    probe.write_text(PROBE.format(page=page.as_uri(), width=width), encoding="utf-8")
    run = subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            f"--user-data-dir={folder / 'profile'}",
            "--window-size=1400,2000",
            "--dump-dom",
            probe.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'data-found="([^"]*)"', run.stdout)
    assert found, run.stdout + run.stderr
    console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(found.group(1))), "\n".join(console)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package chromium)")
@pytest.mark.parametrize(
    ("width", "dark", "kind"), [(1280, False, "wide.png"), (390, True, "tall.png")]
)
def test_the_page_in_a_browser(report, tmp_path, width, dark, kind):
    found, console = browse(report / "index.html", tmp_path, width, dark=dark)
    assert console == ""
    assert found["width"] == width
    assert found["spills"] == []
    assert found["overflow"] <= 0
    assert found["broken"] == []
    assert all(name.startswith("file://") for name in found["loaded"])
    assert set(found["requests"]) <= set(found["loaded"])
    assert found["shown"].count(kind) == 3
    lightness = sum(int(c) for c in re.findall(r"\d+", found["background"])[:3])
    assert (lightness < 150) == dark
    # the verdict is on the first screen
    assert found["first"] < 300
