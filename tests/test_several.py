"""Several models on one slice: closed forms, and the command from a file to a page."""

from __future__ import annotations

import base64
import io
import re
from itertools import pairwise

import numpy as np
import PIL.Image
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from ase.spacegroup import crystal as spacegroup_crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import symscape
from symscape.cli import app
from symscape.cli.landscape import POINT_FORMATS, _write_points
from symscape.crystal.crystal import Crystal
from symscape.crystal.propose import survey_slices
from symscape.crystal.slice import slice_titles
from symscape.crystal.subgroups import distortions
from symscape.dft.importer import Image
from symscape.errors import SymscapeError
from symscape.page.landscape_page import ComparedSlice, LandscapePage, render_landscape_page
from symscape.science.landscape.overlay import place_points
from symscape.science.landscape.several import compare_energies
from symscape.science.landscape.similar import LibraryDistances

RUTILE = spacegroup_crystal(
    ["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136, cellpar=[4.6, 4.6, 2.96] + [90] * 3
)
PROPOSAL = symscape.propose_slices(RUTILE, points=9)[0]
SLICE = PROPOSAL.slice
U, V = np.meshgrid(*(np.linspace(-1, 1, 9),) * 2, indexing="ij")
WELL = 0.2 * (U**2 + V**2)
#: slices of one crystal, some of them with the same axes and space group
RIGID = [
    proposal.slice
    for one in distortions(Crystal.from_structure(bulk("NaCl", "rocksalt", 5.64)))
    for proposal in survey_slices(one.crystal, points=5, max_local=1, max_global=0).proposals
]
EMT = "ase.calculators.emt:EMT"
#: of EMT's and Lennard-Jones' elements and others, for a model that knows both and one that doesn't
LJ = "ase.calculators.lj:LennardJones"


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=4), st.floats(0.2, 2.0))
def test_zeros_of_models_do_not_matter_and_a_softer_one_is_found(zeros, slope):
    models = {f"m{k}": zero + WELL for k, zero in enumerate(zeros)}
    models["soft"] = 7.0 + slope * WELL
    comparison = compare_energies(SLICE, models)
    assert comparison.zero == (4, 4)
    assert comparison.energies[:, 4, 4] == pytest.approx(0)
    np.testing.assert_allclose(comparison.spread, abs(1 - slope) * WELL, atol=1e-9)
    pairs = comparison.pairs(window=10)
    assert [p.softening for p in pairs if p.second == "soft"] == pytest.approx([slope] * len(zeros))
    assert all(p.difference == pytest.approx(0, abs=1e-6) for p in pairs if p.second != "soft")


@settings(deadline=None, max_examples=20)
@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_a_well_is_named_where_its_energy_is(u, v):
    """Between grid points as well: its energy is below that of the nearest one."""
    comparison = compare_energies(SLICE, {"m": 0.2 * ((U - u) ** 2 + (V - v) ** 2)})
    low = comparison.topologies[0].minima[0]
    assert low.energy == pytest.approx(-0.2 * (u**2 + v**2), abs=1e-4)
    ranges = [np.asarray(axis.values) for axis in SLICE.axes]
    wanted = [x[0] + (1 + k) / 2 * (x[-1] - x[0]) for k, x in zip((u, v), ranges, strict=True)]
    for found, exact, values in zip(
        comparison.values_at(low.position), wanted, ranges, strict=True
    ):
        assert found == pytest.approx(exact, abs=0.05 * (values[1] - values[0]))


@settings(deadline=None)
@given(st.integers(1, 20))
def test_first_points_are_apart_distinct_and_where_models_disagree(count):
    bump = 0.1 * np.exp(-((U - 0.5) ** 2 + (V - 0.5) ** 2) / 0.02)
    comparison = compare_energies(SLICE, {"a": WELL, "b": WELL + bump})
    points = comparison.first_points(count)
    assert points[0] == (4, 4)
    assert len(points) <= count
    assert count < 2 or points[1] == (6, 6)
    chosen = [SLICE.representatives[i, j] for i, j in points]
    assert len(set(chosen)) == len(points)


def test_what_cannot_be_compared_is_said():
    with pytest.raises(ValueError, match="no model"):
        compare_energies(SLICE, {})
    with pytest.raises(ValueError, match="no grid point at which all models"):
        compare_energies(
            SLICE, {"a": np.where(U < 0, WELL, np.nan), "b": np.where(U > 0, 0, np.nan)}
        )
    gap = WELL.copy()
    gap[4, 4] = np.nan
    comparison = compare_energies(SLICE, {"a": gap, "b": WELL})
    assert comparison.zero != (4, 4)
    assert np.isfinite(comparison.energies[:, comparison.zero[0], comparison.zero[1]]).all()


@pytest.mark.parametrize("models", [1, 2, 4])
@pytest.mark.parametrize("scale", [1.0, 0.115, 0.076, 1e-3])
@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_nothing_of_a_picture_is_cut_off(models, scale, layout, tmp_path):
    """In the file itself, which is drawn once: all labels are within it, none on another's."""
    wells = {f"model-{k}": scale * (1 + k) * WELL for k in range(models)}
    figure = symscape.figure(compare_energies(SLICE, wells), layout=layout)
    figure.savefig(tmp_path / "picture.png")
    whole = figure.bbox
    maps = figure.axes[: models + (models > 1)]
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box.x0 >= whole.x0 - 1
        assert box.y0 >= whole.y0 - 1
        assert box.x1 <= whole.x1 + 1
        assert box.y1 <= whole.y1 + 1
    bars = [axes for axes in figure.axes if axes not in maps and axes.axison]
    for axes in maps:
        label = axes.xaxis.label.get_window_extent()
        assert not any(label.overlaps(bar.get_window_extent()) for bar in bars)
    for bar in bars:
        shown = [text for text in bar.get_xticklabels() if text.get_text()]
        inside = [b for b in (text.get_window_extent() for text in shown) if b.x0 < b.x1]
        assert len(inside) > 1
        assert not any(a.overlaps(b) for a, b in pairwise(inside))


def test_no_number_of_a_contour_covers_a_well():
    figure = symscape.figure(compare_energies(SLICE, {"m": WELL, "soft": 0.5 * WELL}))
    for axes in figure.axes[:2]:
        (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(dots.get_xdata()) == 1
        assert axes.texts
        assert all(dots.zorder > text.zorder for text in axes.texts)


def run(*arguments):
    quick = ["--no-contracts", "--library", "0"]
    return CliRunner().invoke(app, ["landscape", *map(str, arguments), *quick])


def test_from_a_file_to_a_page_and_the_points_for_dft(tmp_path):
    """Cubic gold and copper: rigid, so that the slices are of subgroups."""
    file = tmp_path / "CuAu.cif"
    bulk("NaCl", "cesiumchloride", 3.2)
    atoms = bulk("CuAu", "cesiumchloride", 3.1)
    atoms.write(file)
    page, points = tmp_path / "page.html", tmp_path / "points"
    outcome = run(
        *(file, "--mlip", f"{EMT},{LJ}", "-o", page, "--points", 7, "--slices", 1),
        *("--dft", 3, "--write", points, "--cache-dir", tmp_path / "cache"),
    )
    assert outcome.exit_code == 0, outcome.output
    assert "sit on special positions; slices are of its subgroups" in outcome.output
    text = page.read_text(encoding="utf-8")
    assert 'src="http' not in text
    for word in ("EMT", "LennardJones", "slope of the second", "DFT at these points first"):
        assert word in text
    assert len(re.findall(r"data:image/png;base64,", text)) == len(_PICTURES)
    (together,) = points.glob("*.extxyz")
    images = read(together, ":")
    assert len(images) == len(list(points.glob("*.vasp"))) == 3
    assert {str(image.symbols) for image in images} <= {"CuAu", "AuCu"}


def test_a_model_that_fails_leaves_the_others_their_page(tmp_path):
    file = tmp_path / "TiO2.cif"
    RUTILE.write(file)
    page = tmp_path / "page.html"
    arguments = (file, "-o", page, "--points", 5, "--slices", 1, "--cache-dir", tmp_path / "cache")
    outcome = run(*arguments, "--mlip", f"{EMT},{LJ}")
    assert outcome.exit_code == 1
    assert "EMT: no energy at all on a slice" in outcome.output
    assert "<strong>EMT</strong> is not on this page" in page.read_text(encoding="utf-8")
    alone = run(*arguments, "--mlip", EMT)
    assert isinstance(alone.exception, SymscapeError)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from(RIGID), min_size=1, max_size=6))
def test_titles_tell_slices_apart_whatever_crystals_they_are_of(slices):
    """Subgroups name their coordinates alike, and one group comes in cells of several sizes."""
    titles = slice_titles(slices)
    assert len(set(titles)) == len(slices)
    for title, one in zip(titles, slices, strict=True):
        assert title.startswith(f"{one.name} in {one.crystal.symbol}")


#: what holds the picture for wide screens, and the one for narrow ones
_PICTURES = ("src", "srcset")


def size_of(picture):
    return PIL.Image.open(io.BytesIO(base64.b64decode(picture))).size


def test_pages_and_files_of_points_tell_the_subgroups_of_a_rigid_crystal_apart(tmp_path):
    comparisons = [
        compare_energies(one, {"a": surface, "b": 2 * surface})
        for one in RIGID[:2]
        for surface in [np.linspace(0, 0.1, one.shape[0] * one.shape[1]).reshape(one.shape)]
    ]
    assert len({one.name for one in RIGID[:2]}) == 1
    beside = LibraryDistances(("MgO",), {"a": 1.0, "b": 2.0}, {("a", "b"): 3.0})
    page = LandscapePage("NaCl", [ComparedSlice(one) for one in comparisons], {}, library=beside)
    text = render_landscape_page(page)
    assert "On 1 slice of materials that share elements (MgO)" in text
    assert len(set(page.slice_titles)) == 2
    assert len(set(page.slice_words)) == 2
    for title in page.slice_words:
        assert f"<h2>{title}</h2>" in text
        assert f"apart here, {title}<" in text
    pictures = {k: re.findall(rf'{k}="data:image/png;base64,([^"]+)"', text) for k in _PICTURES}
    sizes = {k: [size_of(one) for one in found] for k, found in pictures.items()}
    for (wide_width, wide_height), (width, height) in zip(*sizes.values(), strict=True):
        assert len(sizes["src"]) == len(comparisons)
        # one column of the three: for telephones
        assert 3 * width == wide_width
        assert height == 3 * wide_height
    written = _write_points(tmp_path, comparisons, 3, ("poscar", "extxyz"))
    assert len(set(written)) == len(written) == len(list(tmp_path.iterdir())) == 8


@pytest.mark.parametrize("kind", POINT_FORMATS)
def test_points_written_in_any_format_are_found_on_their_slice_again(kind, tmp_path):
    comparison = compare_energies(SLICE, {"a": WELL, "b": 2 * WELL})
    paths = _write_points(tmp_path, [comparison], 5, (kind,))
    assert len(paths) == (1 if kind == "extxyz" else 5)
    images = [image for path in paths for image in read(path, index=":")]
    for image, (i, j) in zip(images, comparison.first_points(5), strict=True):
        image.calc = SinglePointCalculator(image, energy=WELL[i, j] * len(image))
    placed, others = place_points(SLICE, [Image(one, f"{k}") for k, one in enumerate(images)])
    assert others == ()
    for value, (i, j) in zip(placed.values, comparison.first_points(5), strict=True):
        # equal by symmetry counts: x and -x of rutile's oxygen are one crystal
        wanted = SLICE.representatives[i, j]
        at = [int(np.abs(a.values - v).argmin()) for a, v in zip(SLICE.axes, value, strict=True)]
        assert SLICE.representatives[tuple(at)] == wanted
        exact = [a.values[k] for a, k in zip(SLICE.axes, at, strict=True)]
        np.testing.assert_allclose(value, exact, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--write-as", "poscar,ciff"], "--write-as is 'ciff'; there are poscar, cif, extxyz; did"),
        (["-o", "x.doc"], "name a file that ends in .html"),
        (["-o", "nowhere/x.html"], "there is no folder nowhere"),
        (["--mlip", "chgnett"], "did you mean chgnet"),
        (["--axes", "O_x,O_q"], "no free coordinate or lattice parameter 'O_q'"),
        (["--subgroup", "Fddd"], "no mode of TiO2 in P4_2/mnm leads there, but to"),
    ],
)
def test_mistakes_are_said_before_anything_is_evaluated(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    RUTILE.write("TiO2.cif")
    outcome = run("TiO2.cif", "--mlip", LJ, *arguments)
    assert isinstance(outcome.exception, SymscapeError)
    assert said in str(outcome.exception)
    assert not list(tmp_path.glob("*.html"))
