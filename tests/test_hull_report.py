"""The report's part about hulls: which crystals, which numbers, which pictures, and old files."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from browser import DARK, LIGHT, assert_sound
from browser import browser as browser

from symscape.errors import ResultsFileError
from symscape.figures.hull_figure import draw_errors, draw_hulls, draw_parity
from symscape.models.card import ModelCard
from symscape.page.hull_page import hull_tables, write_hulls
from symscape.page.hull_view import HullView, is_about_crystals
from symscape.page.report import write_report
from symscape.page.summary import hull_summary
from symscape.questions.case import CaseResult
from symscape.questions.hull import judge_hull
from symscape.questions.notes import Notes
from symscape.questions.relaxation import judge_relaxation
from symscape.questions.stability import judge_stability
from symscape.questions.subjects import HullSystem, SymmetryClass
from symscape.questions.underprediction import judge_underprediction
from symscape.results.files import load_results, save_results
from symscape.results.run_results import RunResults
from symscape.verdict.tolerances import load_tolerances

pd = pytest.importorskip("pandas")


def comparison():
    """Six crystals of Mg-Si with energies that are easy to follow."""
    from symscape.science.hull.analysis import compare
    from symscape.science.hull.conventions import Energies

    rows = [
        ("Mg-hcp", "Mg", "P6_3/mmc", "hexagonal", 2, 0, "element", -1.0, -1.0),
        ("Mg-bcc", "Mg", "Im-3m", "cubic", 1, 0, "element", -0.97, -0.98),
        ("Si-diamond", "Si", "Fd-3m", "cubic", 1, 0, "element", -5.0, -5.0),
        ("Mg2Si-CaF2", "Mg2Si", "Fm-3m", "cubic", 1, 0, "tetrelide", -2.6, -2.58),
        ("MgSi-CrB", "MgSi", "Cmcm", "orthorhombic", 3, 2, "tetrelide", -3.1, -3.15),
        ("MgSi-<b>", "MgSi", "Pm-3m", "cubic", 1, 0, "tetrelide", -2.9, -3.0),
    ]
    names = [
        "id", "formula", "symbol", "crystal_system", "n_lattice", "n_wyckoff", "chemistry",
        "energy", "model",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    table["system"] = ["-".join(sorted(re.findall("[A-Z][a-z]?", f))) for f in table["formula"]]
    table["material"] = table["formula"] + "-" + table["symbol"].str.replace("/", "")
    table["prototype"] = [f"{name.partition('-')[2]} (B_h)" for name in table["id"]]
    table["site_symmetry_order"], table["n_atoms"] = 1, 4
    own = Energies(table["model"].to_numpy(), "uncorrected")
    return compare(table.drop(columns="model"), own, {"model": "m"})


@pytest.fixture(scope="module")
def run():
    table, tolerances = comparison(), load_tolerances()
    known = {"model": "m", "digest": "d", "fingerprint": "f"}
    relaxed = table.assign(
        energy_fixed=table["energy_model"], energy_free=table["energy_model"] - 0.01, gained=10.0,
        kept_symmetry=True, space_group=1, space_group_free=1, volume_change=0.01,
        lattice_change=0.01, converged_fixed=True, converged_free=True, steps=3,
        error_fixed=1.0, error_free=-1.0,
    )  # fmt: skip
    few = table[table["n_wyckoff"] == 0]
    cases = (
        judge_hull(table, HullSystem("Mg-Si"), tolerances, **known),
        judge_stability(table, tolerances, **known),
        judge_underprediction(few, SymmetryClass("n_wyckoff", "0"), tolerances, **known),
        judge_relaxation(relaxed, HullSystem("Mg-Si"), tolerances, **known),
        CaseResult("hull", "m", "Ca-Si", "hull", "error", notes=Notes(message="no calcium")),
    )
    return RunResults(
        ModelCard("m", "ase"), "f", cases, (), {}, "2026-01-01T00:00:00+00:00", 1.0, "default"
    )


def test_results_travel_through_the_file(run, tmp_path):
    loaded = load_results(save_results(tmp_path / "results.json", run))
    assert loaded.cases == run.cases
    before, after = HullView(run), HullView(loaded)
    pd.testing.assert_frame_equal(before.crystals, after.crystals)
    assert before.sentence == after.sentence


def test_crystals_are_named_once_with_their_numbers(run):
    view = HullView(run)
    assert len(view.crystals) == 6
    assert list(view.judged["id"]) == ["Mg-bcc", "Mg2Si-CaF2", "MgSi-<b>", "MgSi-CrB"]
    row = view.crystals.set_index("id").loc["MgSi-CrB"]
    # -3.1 + 3 = -100 meV above the elements; the line of Mg2Si is at -200 meV
    assert row["formation_dft"] == pytest.approx(-100)
    assert row["above_hull_dft"] == pytest.approx(100)
    assert row["formation_model"] == pytest.approx(-150)
    assert view.systems == ("Mg-Si",)
    assert list(view.system("Mg")["id"]) == ["Mg-bcc", "Mg-hcp"]
    errors = view.judged["error_above_hull"]
    assert view.worst()["id"].iloc[0] == view.judged["id"][errors.abs().idxmax()]
    assert "75 %" in view.sentence or "50 %" in view.sentence or "100 %" in view.sentence
    assert sum(is_about_crystals(case) for case in run.cases) == 5


def test_biases_are_those_of_the_crystals(run):
    view = HullView(run)
    judged = view.judged
    by = view.bias_by("n_wyckoff").set_index("n_wyckoff")
    assert by.loc[0, "n"] == 3
    mean = judged["error_above_hull"][judged["n_wyckoff"] == 0].mean()
    assert by.loc[0, "mean_signed_error"] == pytest.approx(mean)
    near = view.bias_near_hull().set_index("window")
    assert near.loc[np.inf, "n"] == 4
    assert near.loc[25.0, "n"] == (judged["above_hull_dft"] <= 25).sum()
    assert [threshold for threshold, _ in view.stability()] == [0.0, 25.0]


def test_figures_show_every_crystal(run):
    view = HullView(run)
    parity = draw_parity(view.crystals, "m")
    drawn = sum(len(line.get_xdata()) for line in parity.axes[0].lines if line.get_gid() != "equal")
    assert drawn == 6
    errors = draw_errors(view.judged, "m")
    labels = [text.get_text() for text in errors.axes[0].get_xticklabels()]
    assert labels == ["0\nn = 3", "2\nn = 1"]
    dots = [line for line in errors.axes[0].lines if str(line.get_gid()).startswith("n_wyckoff")]
    assert sum(len(line.get_ydata()) for line in dots) == 4
    hulls = draw_hulls({"Mg-Si": view.system("Mg-Si")}, "m")
    (line,) = (line for line in hulls.axes[0].lines if line.get_gid() == "Mg-Si-dft")
    assert list(line.get_xdata()) == pytest.approx([0, 1 / 3, 1])
    assert list(line.get_ydata()) == pytest.approx([0, -1000 * (2.6 - 7 / 3), 0], abs=1e-2)


def test_ternary_systems_are_triangles(run):
    table = HullView(run).crystals.assign(formula=["Al", "Ca", "Si", "CaAlSi", "CaSi", "CaSi"])
    figure = draw_hulls({"Al-Ca-Si": table}, "m")
    marks = [line for line in figure.axes[0].lines if str(line.get_gid()).endswith("-dft")]
    assert len(marks) == 5
    (middle,) = (line for line in marks if "CaAlSi" in line.get_gid())
    assert [float(x[0]) for x in middle.get_data()] == pytest.approx([0.5, np.sqrt(3) / 6])


def test_files_are_written_and_old_ones_go(run, tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("hull-old.png", "hull-old-tall.png"):
        (tmp_path / "figures" / name).write_bytes(b"")
    pictures = write_hulls(tmp_path, HullView(run))
    assert set(pictures) == {"parity", "errors", "hulls"}
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {
        "hull-parity.png", "hull-errors.png", "hull-hulls.png",
        "hull-parity-tall.png", "hull-errors-tall.png", "hull-hulls-tall.png",
    }  # fmt: skip
    for picture in pictures.values():
        # on a telephone a tall figure is shown nearly at its own size, so that it can be read
        assert picture.tall.width <= 480 < picture.wide.width
        assert picture.tall.height > picture.tall.width * (0.5 if "Hulls" in picture.alt else 1.5)
    with open(tmp_path / "tables" / "crystals.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert set(hull_tables(HullView(run))) >= {"crystals_by_chemistry", "crystals_relaxed"}


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_figures_can_be_read_on_a_telephone(browser, run, tmp_path, scheme):
    page = write_report(tmp_path, run)
    shown = """
        return [...document.querySelectorAll("#hulls figure img")]
            .map((i) => [i.currentSrc.split("/").at(-1), i.width, i.naturalWidth]);
    """
    for width, end in ((390, "-tall.png"), (1280, ".png")):
        browser.show(page, width, scheme, "#hulls")
        assert_sound(browser, width)
        pictures = browser.run(shown)
        assert len(pictures) == 3
        for name, drawn, natural in pictures:
            assert name.endswith(end)
            assert name.endswith("-tall.png") == (width == 390)
            # letters are 8.5 points and more at 120 or 144 dots an inch
            assert drawn >= 0.7 * natural


def test_a_second_report_draws_nothing(run, tmp_path):
    write_report(tmp_path, run)
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "figures").iterdir()}
    assert {name for name in before if name.startswith("hull-")} == {
        f"hull-{name}{layout}.png"
        for name in ("parity", "errors", "hulls")
        for layout in ("", "-tall")
    }
    write_report(tmp_path, run)
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "figures").iterdir()} == before


def test_the_page_and_the_summary_speak_of_hulls(run, tmp_path):
    page = write_report(tmp_path, run).read_text()
    assert "Formation energies and hulls" in page
    assert "No calcium." in page
    assert "<b>" not in page  # what a file calls a crystal is escaped
    assert "&lt;b&gt;" in page
    assert 'src="figures/hull-parity.png"' in page
    assert 'srcset="figures/hull-parity-tall.png"' in page
    summary = (tmp_path / "summary.md").read_text()
    assert "### Hulls" in summary
    assert "Mg-Si" in summary


def test_runs_without_crystals_say_nothing_of_them(run, tmp_path):
    empty = replace(run, cases=())
    view = HullView(empty)
    assert view.crystals.empty
    assert view.sentence == ""
    assert write_hulls(tmp_path, view) == {}
    assert hull_summary(view) == []
    assert hull_tables(view) == {}


@pytest.mark.parametrize(
    ("key", "bad", "words"),
    [
        ("crystals", [{"id": "broken"}], r"crystals\[0\]\.system' is missing"),
        ("crystals", [7], r"crystals\[0\]' is not an object"),
        ("crystals", "what?", "crystals' is not a list"),
        ("settings", "none", "settings' is not an object"),
    ],
)
def test_rows_from_anybodys_file_are_refused_by_their_place(run, tmp_path, key, bad, words):
    path = save_results(tmp_path / "results.json", run)
    document = json.loads(path.read_text())
    (case,) = (c for c in document["cases"] if c["question"] == "hull" and c["status"] != "error")
    case["detail"][key] = bad
    path.write_text(json.dumps(document))
    with pytest.raises(ResultsFileError, match=rf"cases\[\d\]\.detail\.{words}"):
        load_results(path)
