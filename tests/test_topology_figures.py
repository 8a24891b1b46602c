"""Figures of the topology: what they must show, read from the drawn objects."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from report_runs import judged_case, make_run, reference_summary
from topology_surfaces import double_well, egg_carton, mesh

from symscape.errors import ResultsFileError
from symscape.figures.landscape_data import LandscapeData
from symscape.figures.topology_figure import (
    comparison_of,
    describe_topology,
    draw_topology,
    place,
)
from symscape.page.html import render_page
from symscape.page.report import write_figures
from symscape.page.view import RunView
from symscape.questions.case import CaseResult
from symscape.questions.forces import ForceArrows, ForcesDetail
from symscape.questions.minima import MinimaDetail
from symscape.questions.named_points import GridDetail
from symscape.results.files import load_results, save_results
from symscape.science.landscape.geometry import GridGeometry
from symscape.science.landscape.matching import compare_topology

U, V = np.linspace(-1.5, 1.5, 15), np.linspace(-0.9, 0.9, 13)
GEOMETRY = GridDetail(((0.002, 0.0), (0.0, 0.002)), (None, None), 5.0)


def make_data(model, reference=None):
    x, y = mesh(U, V)
    reference = double_well(x, y, tilt=0.005) if reference is None else reference
    low = np.nanargmin(reference)
    return LandscapeData(
        u=U,
        v=V,
        labels=("z(A)", "z(B)"),
        reference=reference - np.nanmin(reference),
        model=model - np.nanmin(reference),
        masked=np.isnan(reference),
        minimum=tuple(int(k) for k in np.unravel_index(low, reference.shape)),
        model_name="some $model",
        title="AB-P1-A_z-B_z",
    )


@pytest.fixture(scope="module")
def softer():
    x, y = mesh(U, V)
    return make_data(double_well(x - 0.1, y, 0.07, tilt=0.005))


def artists(axes, gid):
    return [line for line in axes.lines if line.get_gid() == gid]


def panels(figure):
    return {axes.get_label(): axes for axes in figure.axes}


@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_both_maps_show_minima_saddles_and_a_path(softer, layout):
    comparison = comparison_of(softer, GEOMETRY)
    figure = draw_topology(softer, comparison, layout)
    figure.savefig(io.BytesIO(), format="png")
    found = panels(figure)
    for name in ("dft", "model"):
        axes = found[name]
        assert len(artists(axes, "DFT minimum")) == len(artists(axes, "model minimum")) == 2
        assert len(artists(axes, "DFT saddle")) == len(artists(axes, "model saddle")) == 1
        (path,) = artists(axes, "path")
        ends = np.array([path.get_xydata()[k] for k in (0, -1)])
        pairs = comparison.matched
        sides = [p.reference if name == "dft" else p.model for p in pairs]
        assert sorted(ends.tolist()) == sorted(list(place(softer, m)) for m in sides)
        joined = artists(axes, "joined")
        assert len(joined) == 2 * len(pairs)  # each with a halo
    (at,) = artists(found["dft"], "DFT saddle")
    assert at.get_xydata()[0] == pytest.approx((0, 0), abs=0.05)


def test_the_profile_shows_both_barriers(softer):
    comparison = comparison_of(softer, GEOMETRY)
    axes = panels(draw_topology(softer, comparison))["profile"]
    dft, model = (artists(axes, gid)[0].get_ydata() for gid in ("DFT", "model"))
    own = artists(axes, "own path")[0].get_ydata()
    assert dft.max() == pytest.approx(1000 * comparison.saddles[0].reference.energy, abs=1)
    assert own.max() == pytest.approx(1000 * comparison.saddles[0].model.energy, abs=1)
    assert model.max() >= own.max() - 0.5  # DFT's path is not the model's lowest
    assert "−" in axes.get_title(loc="left")  # the barrier error is negative


def test_the_persistence_diagram_shows_the_wells_of_both(softer):
    comparison = comparison_of(softer, GEOMETRY)
    axes = panels(draw_topology(softer, comparison))["persistence"]
    for gid, side in (("DFT minimum", comparison.reference), ("model minimum", comparison.model)):
        births, deaths = artists(axes, gid)[0].get_data()
        assert len(births) == 2
        finite = [m for m in side.minima if m.saddle]
        assert np.min(deaths) == pytest.approx(
            1000 * (side.energies[finite[0].index] + finite[0].persistence)
        )
        assert np.max(births) < np.min(deaths) < np.max(deaths)


def test_missing_and_spurious_minima_are_marked():
    x, y = mesh(U, V)
    lost = make_data(0.3 * ((x + 1) ** 2 + y**2))
    comparison = comparison_of(lost, GEOMETRY)
    figure = draw_topology(lost, comparison)
    found = panels(figure)
    assert len(artists(found["model"], "missing minimum")) == 1
    assert not artists(found["model"], "spurious minimum")
    assert "profile" not in found
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert "missing minimum" in labels
    assert "DFT saddle" not in labels
    text = describe_topology(lost, comparison)
    assert "1 matched, 1 missing, 0 spurious minima" in text
    other = make_data(lost.reference, reference=lost.model)
    assert comparison_of(other, GEOMETRY).spurious
    other_figure = draw_topology(other, comparison_of(other, GEOMETRY))
    assert len(artists(panels(other_figure)["dft"], "spurious minimum")) == 1


def test_paths_through_a_periodic_border_are_cut():
    n = 12
    carton = egg_carton(n, periods=1) + 0.02 * np.cos(4 * np.pi * np.arange(n) / n)[:, None]
    axes = np.arange(n) / n
    data = LandscapeData(
        axes, axes, ("u", "v"), carton - carton.min(), carton - carton.min(),
        np.zeros((n, n), bool), (0, 0),
    )  # fmt: skip
    shifted = np.roll(egg_carton(n, periods=2), 2, axis=0)
    data = LandscapeData(
        axes, axes, ("u", "v"), shifted - shifted.min(), shifted - shifted.min(), data.masked,
        (2, 0),
    )  # fmt: skip
    comparison = compare_topology(
        data.reference, data.model, GridGeometry(np.eye(2) * 0.01, (n, n))
    )
    figure = draw_topology(data, comparison)
    for line in artists(panels(figure)["dft"], "path"):
        assert np.abs(np.diff(line.get_xydata(), axis=0)).max() < 2 / n


def test_arrows_and_nothing_to_compare(softer):
    comparison = comparison_of(softer, GEOMETRY)
    forces = -np.stack(np.gradient(softer.reference), axis=-1)
    forces[0, 0] = np.nan
    figure = draw_topology(softer, comparison, forces=(forces, forces))
    quivers = [c for c in panels(figure)["dft"].collections if c.get_gid() == "forces"]
    assert len(quivers) == 1
    # an arrow points downhill
    k = int(np.nanargmax(np.abs(quivers[0].U)))
    u = quivers[0].XY[k]
    i, j = (int(np.abs(a - b).argmin()) for a, b in zip((U, V), u, strict=True))
    assert np.sign(quivers[0].U[k]) == np.sign(forces[i, j, 0])
    assert "force" in {text.get_text() for text in figure.legends[0].get_texts()}
    # both sides or none, so that the maps can be compared
    part = np.where(np.arange(15)[:, None, None] < 6, forces, np.nan)
    shared = panels(draw_topology(softer, comparison, forces=(forces, part)))
    places = [
        collection.XY
        for name in ("dft", "model")
        for collection in shared[name].collections
        if collection.get_gid() == "forces"
    ]
    np.testing.assert_array_equal(*places)
    assert places[0][:, 0].max() < U[6]
    nothing = np.full_like(forces, np.nan)
    quiet = draw_topology(softer, comparison, forces=(nothing, nothing))
    assert not [c for c in panels(quiet)["dft"].collections if c.get_gid() == "forces"]
    empty = make_data(np.full((15, 13), np.nan))
    assert comparison_of(empty, GEOMETRY) is None


def test_names_from_files_are_not_read_as_formulas(softer):
    figure = draw_topology(softer, comparison_of(softer, GEOMETRY))
    figure.savefig(io.BytesIO(), format="png")
    assert panels(figure)["model"].get_title(loc="left") == "some $model"


def run_with_minima():
    reference = reference_summary()
    energies = judged_case(reference)
    minima = CaseResult(
        "minima",
        "soft",
        reference.material,
        reference.slice,
        "passed",
        detail=MinimaDetail(GEOMETRY),
    )
    return make_run(energies, minima, references=(reference,))


def test_arrows_of_a_run_are_drawn_on_its_maps(tmp_path):
    run = run_with_minima()
    (reference,) = run.references
    forces = -1000 * np.stack(np.gradient(reference.relative), axis=-1)
    kept = tuple(tuple(map(tuple, row)) for row in forces.tolist())
    case = CaseResult(
        "forces", "soft", reference.material, reference.slice, "passed",
        detail=ForcesDetail(ForceArrows(kept, kept)),
    )  # fmt: skip
    shown = replace(run, cases=(*run.cases, case))
    loaded = load_results(save_results(tmp_path / "results.json", shown))
    (item,) = RunView(loaded).slices
    np.testing.assert_array_equal(item.arrows[0], forces)
    (before,) = RunView(run).slices
    assert before.arrows is None
    without = write_figures(tmp_path, RunView(run))[item.id].topology
    pixels = np.asarray(PIL.Image.open(tmp_path / without.wide.path).convert("L")).copy()
    files = write_figures(tmp_path, RunView(loaded))
    again = np.asarray(PIL.Image.open(tmp_path / files[item.id].topology.wide.path).convert("L"))
    assert (pixels != again).any()
    assert "Arrows: forces" in render_page(RunView(loaded), files)
    short = replace(case, detail=ForcesDetail(ForceArrows(kept[1:], kept)))
    with pytest.raises(ResultsFileError, match="DFT arrows of case"):
        load_results(save_results(tmp_path / "x.json", replace(run, cases=(*run.cases, short))))


def test_pictures_are_written_for_slices_whose_minima_were_judged(tmp_path):
    left = tmp_path / "figures" / "gone-topology.png"
    left.parent.mkdir()
    left.touch()
    run = run_with_minima()
    view = RunView(run)
    files = write_figures(tmp_path, view)
    (item,) = view.slices
    assert set(files) == {item.id}
    found = files[item.id].topology
    for image in (found.wide, found.tall):
        with PIL.Image.open(tmp_path / image.path) as picture:
            assert picture.size == (image.width, image.height)
    assert found.tall.width < found.wide.width
    assert "2 matched" in found.alt
    assert not left.exists()
    page = render_page(view, files)
    assert f'src="{found.wide.path}"' in page
    assert "births and deaths" in page
    without = RunView(replace(run, cases=tuple(c for c in run.cases if c.question == "energies")))
    files = write_figures(tmp_path, without)
    assert files[item.id].topology is None
    assert not (tmp_path / found.wide.path).exists()
    assert "births and deaths" not in render_page(without, files)
