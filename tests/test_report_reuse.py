"""A picture is drawn once: what is on disk and right stays, all else is drawn anew or removed."""

from __future__ import annotations

import ast
import importlib.util
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_runs import judged_case, make_run, reference_summary

from symscape import digest
from symscape.digest import code_digest
from symscape.figures import landscape_figure as figures
from symscape.figures import thumbnail, topology_figure
from symscape.figures.image import read_description, save_pixels, stamped_size
from symscape.page import gallery
from symscape.page.gallery import Gallery, stamp_of
from symscape.page.report import write_report
from symscape.questions.case import CaseResult
from symscape.questions.minima import MinimaDetail
from symscape.questions.named_points import GridDetail
from symscape.results.files import load_results

GEOMETRY = GridDetail(((0.002, 0.0), (0.0, 0.002)), (None, None), 5.0)


def run_of(*names, scale=0.6):
    """A run on some materials, energies and minima judged."""
    references = tuple(reference_summary(name) for name in names)
    energies = [judged_case(reference, scale) for reference in references]
    minima = [
        CaseResult("minima", "soft", r.material, r.slice, "passed", detail=MinimaDetail(GEOMETRY))
        for r in references
    ]
    return make_run(*energies, *minima, references=references)


@pytest.fixture
def drawn(monkeypatch):
    """Replace every figure by an empty one; returns the names of those that were drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = []

    def empty(name):
        def draw(*_):
            names.append(name)
            figure = Figure(figsize=(1, 1), dpi=20)
            FigureCanvasAgg(figure)
            return figure

        return draw

    def small(_):
        names.append("thumb")
        return np.full((8, 24, 4), 255, dtype=np.uint8)

    monkeypatch.setattr(figures, "draw_landscape", empty("landscape"))
    monkeypatch.setattr(figures, "draw_baseline", empty("baseline"))
    monkeypatch.setattr(topology_figure, "draw_topology", empty("topology"))
    monkeypatch.setattr(thumbnail, "draw_thumbnail", small)
    return names


#: what one slice costs
ALL = ["landscape", "landscape", "thumb", "topology", "topology"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}


def test_a_second_report_draws_nothing(tmp_path, drawn):
    page = write_report(tmp_path, run_of("One-P1", "Two-P1")).read_bytes()
    assert sorted(drawn) == sorted(2 * ALL)
    first = contents(tmp_path)
    drawn.clear()
    assert write_report(tmp_path, run_of("One-P1", "Two-P1")).read_bytes() == page
    assert drawn == []
    assert contents(tmp_path) == first


def test_a_report_from_its_own_file_draws_nothing(tmp_path, drawn):
    """The file has rounded energies; the pictures are those of the file."""
    run = run_of("One-P1")
    odd = [[None if e is None else e + 1.23456789e-7 for e in row] for row in run.cases[0].energies]
    run = replace(run, cases=(replace(run.cases[0], energies=odd), *run.cases[1:]))
    write_report(tmp_path, run)
    drawn.clear()
    write_report(tmp_path, load_results(tmp_path / "results.json"))
    assert drawn == []


def test_only_what_changed_is_drawn_again(tmp_path, drawn):
    one, two = run_of("One-P1"), run_of("Two-P1")
    both = (*one.references, *two.references)
    write_report(tmp_path, make_run(*one.cases, *two.cases, references=both))
    kept = contents(tmp_path)
    drawn.clear()
    softer = run_of("Two-P1", scale=0.5)
    write_report(tmp_path, make_run(*one.cases, *softer.cases, references=both))
    assert sorted(drawn) == sorted(ALL)
    now = contents(tmp_path)
    assert {name for name in now if now[name] != kept[name]} == {
        name for name in now if name.startswith("Two")
    }


def damaged(content: bytes) -> list[bytes]:
    """Ways in which a file can be spoilt."""
    flipped = bytearray(content)
    flipped[-20] ^= 1
    return [b"", content[:50], content[:-5], bytes(flipped), content + b"more", b"GIF89a"]


@pytest.mark.parametrize("k", range(6))
def test_damaged_files_are_drawn_again(tmp_path, drawn, k):
    write_report(tmp_path, run_of("One-P1"))
    drawn.clear()
    path = tmp_path / "figures" / "One-P1-Ab_z-O_z-wide.png"
    good = path.read_bytes()
    path.write_bytes(damaged(good)[k])
    write_report(tmp_path, run_of("One-P1"))
    assert drawn == ["landscape"]
    assert path.read_bytes() == good


def test_pictures_of_others_are_drawn_again(tmp_path, drawn):
    write_report(tmp_path, run_of("One-P1"))
    figures_folder = tmp_path / "figures"
    drawn.clear()
    # one without a stamp, and one that belongs to another kind of figure
    save_pixels(
        figures_folder / "One-P1-Ab_z-O_z-tall.png", np.full((9, 9, 4), 255, dtype=np.uint8)
    )
    os.replace(
        figures_folder / "One-P1-Ab_z-O_z-topology.png",
        figures_folder / "One-P1-Ab_z-O_z-wide.png",
    )
    write_report(tmp_path, run_of("One-P1"))
    assert sorted(drawn) == ["landscape", "landscape", "topology"]


def test_another_matplotlib_or_drawing_code_draws_again(tmp_path, drawn, monkeypatch):
    write_report(tmp_path, run_of("One-P1"))
    before = stamp_of("wide", 1.0)
    drawn.clear()
    code_digest.cache_clear()
    monkeypatch.setattr(digest.metadata, "version", lambda _: "0.0")
    assert stamp_of("wide", 1.0) != before
    write_report(tmp_path, run_of("One-P1"))
    assert sorted(drawn) == sorted(ALL)
    monkeypatch.undo()
    code_digest.cache_clear()
    assert stamp_of("wide", 1.0) == before


def test_figures_of_slices_that_are_gone_are_removed_and_nothing_else(tmp_path, drawn):
    write_report(tmp_path, run_of("One-P1", "Two-P1"))
    own = tmp_path / "figures" / "my-own.png"
    own.write_bytes(b"mine")
    write_report(tmp_path, run_of("Two-P1"))
    assert {name.partition("-")[0] for name in contents(tmp_path)} == {"Two", "my"}
    assert len(contents(tmp_path)) == 1 + len(ALL)


PACKAGES = tuple(f"symscape.{name}." for name in ("figures", "references", "science"))


def imported(name: str) -> set[str]:
    """Names of the modules of those packages that a module imports, at its top or within."""
    tree = ast.parse(Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8"))
    sources = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {s for s in sources if s.startswith(PACKAGES)}


def test_every_module_that_draws_is_part_of_the_stamp():
    found, new = (
        set(),
        {
            "symscape.figures.curves_figure",
            "symscape.figures.landscape_figure",
            "symscape.figures.hull_figure",
            "symscape.figures.relief_figure",
            "symscape.figures.thumbnail",
            "symscape.figures.topology_figure",
        },
    )
    while new:
        found |= new
        new = set().union(*map(imported, new)) - found
    assert found == set(gallery.DRAWING_MODULES)


def test_a_picture_says_what_it_shows(tmp_path):
    shown = Gallery(tmp_path)
    pixels = np.full((4, 6, 4), 255, dtype=np.uint8)
    image = shown.add("a", "topology", {"x": 1.0}, lambda: pixels, lambda: "Two wells, 5 Å apart")
    assert (image.width, image.height) == (6, 4)
    assert shown.description(image) == "Two wells, 5 Å apart"
    assert stamped_size(tmp_path / image.path, stamp_of("topology", {"x": 1.0})) == (6, 4)
    assert stamped_size(tmp_path / image.path, stamp_of("topology", {"x": 2.0})) is None
    silent = shown.add("b", "wide", 1, lambda: pixels)
    assert read_description(tmp_path / silent.path) == ""
