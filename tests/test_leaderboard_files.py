"""What the leaderboard writes: tables, pages, results; and the command that writes them."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import leaderboard_runs as make
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from symscape.cli import app
from symscape.figures.panels import colour_map
from symscape.leaderboard.board_files import leaderboard_csv, leaderboard_markdown
from symscape.leaderboard.browser import script_json
from symscape.leaderboard.collect import Aside, Board, Entry
from symscape.leaderboard.document import leaderboard_json
from symscape.leaderboard.maps import colour_script, map_data, map_numbers
from symscape.leaderboard.pages import Pages
from symscape.leaderboard.publish import write_leaderboard
from symscape.leaderboard.ranking import rank_board
from symscape.leaderboard.site import BoardSite, slug
from symscape.results.files import load_results, save_results

A, B, C = (make.material(k) for k in range(3))
#: the direction of text, and what takes no room
HIDDEN = "\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH SPACE}\N{RIGHT-TO-LEFT ISOLATE}"
HOSTILE = f'<img src=x onerror="alert(1)">{HIDDEN}&amp;</script><script>alert(2)</script>'


def save(folder, made):
    return save_results(folder / slug(made.model.name) / "results.json", made)


def board_of(folder, *runs, asides=()):
    entries = tuple(Entry(r, save(folder, r)) for r in runs)
    return Board(entries, tuple(Aside(Entry(r, save(folder, r)), why) for r, why in asides))


@pytest.fixture(scope="module")
def ranking(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    lazy = make.run("lazy", (A, B), scale=0.9, questions=("minima",))
    far = make.run("far", (A, B, C), theory="r2SCAN")
    soft = make.run("soft", (A, B, C), scale=0.7, minima={"missing_minima": 1.0})
    old = make.run("old", (A,))
    return rank_board(board_of(folder, far, lazy, soft, asides=[(old, "made by symscape 0.0.9")]))


@pytest.fixture(scope="module")
def site(ranking, tmp_path_factory):
    return write_leaderboard(tmp_path_factory.mktemp("board"), ranking).parent


# -- tables ---------------------------------------------------------------------------------------


def test_csv_and_json_hold_the_standings(ranking):
    rows = list(csv.DictReader(leaderboard_csv(ranking).splitlines()))
    document = json.loads(leaderboard_json(ranking))
    assert [row["model"] for row in rows] == [s.name for s in ranking.standings]
    assert [m["model"] for m in document["models"]] == [s.name for s in ranking.standings]
    for row, record, standing in zip(rows, document["models"], ranking.standings, strict=True):
        assert float(row["score"]) == pytest.approx(standing.score, rel=1e-5)
        assert record["score"] == pytest.approx(standing.score, abs=1e-6)
        assert int(row["rank"]) == record["rank"] == standing.rank
        assert bool(int(row["ranked"])) is record["ranked"] is standing.ranked
        assert bool(int(row["checked"])) is record["checked"] is standing.checked
        assert record["interval"][0] <= record["score"] <= record["interval"][1]
    assert [r["digest"] for r in document["references"]] == [s.digest for s in ranking.table.slices]
    assert document["not_compared"] == [{"model": "old", "reason": "made by symscape 0.0.9"}]


def test_json_is_enough_to_work_the_scores_out_again(ranking):
    document = json.loads(leaderboard_json(ranking))
    weights = {q["question"]: q["weight"] for q in document["questions"]}
    for record in document["models"]:
        means = {}
        for question in weights:
            values = [s[question] for s in record["scores"].values() if question in s]
            means[question] = sum(values) / len(values)
        score = sum(weights[q] * v for q, v in means.items()) / sum(weights[q] for q in means)
        assert score == pytest.approx(record["score"], abs=1e-5)


def test_markdown_has_a_list_for_each_kind_and_says_what_is_left_out(ranking):
    text = leaderboard_markdown(ranking)
    first, second = text.index("## Trained on PBE"), text.index("## Trained on something else")
    assert text.index("| soft |") > first
    assert text.index("| far (r2SCAN) |") > second > text.index("| soft |")
    assert "- old: made by symscape 0.0.9" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1


# -- pages ----------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Links, pictures and scripts of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.pictures, self.ids, self.tags = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.tags.append(tag)
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known[k] for k in ("href", "src") if k in known]
        if tag == "img":
            self.pictures.append(known)


def pages(folder):
    return sorted(folder.rglob("*.html"))


def test_every_page_and_link_is_there(site):
    assert {p.relative_to(site).as_posix() for p in pages(site)} == {
        "index.html",
        *(f"models/{name}.html" for name in ("far", "lazy", "soft")),
        *(f"materials/{slug(s.material)}.html" for s in (A, B, C)),
    }
    for path in pages(site):
        page = Page(path.read_text())
        for link in page.links:
            target, _, anchor = link.partition("#")
            assert not re.match(r"[a-z]+://", target), link
            if target and not target.startswith("data:"):
                assert (path.parent / target).resolve().is_file(), (path, link)
            elif anchor and "models/" not in path.as_posix():
                assert anchor in page.ids or anchor in ("far", "lazy", "soft"), (path, link)


def test_pictures_have_words_and_their_size(site):
    count = 0
    for path in pages(site):
        for picture in Page(path.read_text()).pictures:
            if picture["src"].endswith(".svg"):
                assert picture["alt"].startswith("symscape: ")
                continue
            assert picture["alt"].startswith("Energy map")
            with Image.open(path.parent / picture["src"]) as image:
                ratio = image.width / image.height
            assert int(picture["width"]) / int(picture["height"]) == pytest.approx(ratio, rel=0.02)
            count += 1
    # DFT on the index; models' and materials' pages: lazy was not run on one slice
    assert count == 3 + 8 + 8


def test_other_level_of_theory_is_labelled_wherever_it_appears(site):
    for path in pages(site):
        text = path.read_text()
        for number in range(text.count('<a href="../models/far.html">far</a>')):
            after = text.split('<a href="../models/far.html">far</a>')[number + 1]
            assert 'class="theory"' in after[:80]
    index = (site / "index.html").read_text()
    assert index.index("soft</a>") < index.index("Trained on something else than PBE")
    assert index.index('models/far.html">far') > index.index("Trained on something else than PBE")
    assert "far (r2SCAN)" in index


def test_what_was_not_judged_is_said(site):
    text = (site / "models" / "lazy.html").read_text()
    assert "not judged" in text
    assert "2 of 3" in text
    assert "Not compared" in (site / "index.html").read_text()


def test_numbers_for_the_browser_are_those_of_the_ranking(ranking, site):
    text = (site / "index.html").read_text()
    found = re.search(r'<script type="application/json" id="numbers">(.*?)</script>', text, re.S)
    numbers = json.loads(found[1])
    for standing, cells in zip(ranking.standings, numbers["cells"], strict=True):
        expected = ranking.table.cells[standing.index]
        got = np.array(cells, dtype=float)
        np.testing.assert_allclose(got, expected, rtol=1e-11)
    assert [m["elements"] for m in numbers["materials"]] == [["As"], ["O", "Pb", "Ti"],
                                                            ["O", "Sr", "Ti"]]  # fmt: skip


def test_map_numbers_are_the_grids(ranking):
    entry = next(e for e in ranking.board.entries if e.name == "soft")
    numbers = map_numbers(A, [entry])
    (model,) = numbers.models
    reference = np.array(numbers.reference, dtype=float)
    np.testing.assert_allclose(reference, np.where(A.masked, np.nan, 1000 * A.relative), atol=0.051)
    np.testing.assert_allclose(np.array(model.energies, dtype=float), 0.7 * reference, atol=0.1)
    assert [[c == "#" for c in row] for row in numbers.masked] == A.masked.tolist()
    assert model.scale[0] == 0
    assert model.errors[0] == -model.errors[-1]


def test_colours_are_those_of_the_figures():
    tables = dict(re.findall(r'(\w+): "([0-9a-f]+)"', colour_script()))
    for key, name in (("energies", "viridis"), ("errors", "RdBu_r")):
        colours = bytes.fromhex(tables[key])
        assert len(colours) == 3 * 258
        middle = colour_map(name)(128, bytes=True)[:3]
        assert tuple(colours[3 * 129 : 3 * 130]) == tuple(middle)


def test_hostile_names_are_text(tmp_path):
    made = make.run("plain", (A,))
    card = replace(
        made.model,
        name=HOSTILE,
        description=HOSTILE,
        links=(f"javascript:{HOSTILE}", f"https://{HOSTILE}"),
        licence=HOSTILE,
        reference=HOSTILE,
        training_sets=(HOSTILE,),
        level_of_theory=HOSTILE,
        family=HOSTILE,
    )
    reference = replace(
        A, material=HOSTILE, formula=HOSTILE, spacegroup_symbol=HOSTILE, crystal_system=HOSTILE
    )
    cases = tuple(replace(c, model=HOSTILE, material=HOSTILE) for c in made.cases)
    hostile = replace(made, model=card, cases=cases, references=(reference,), fingerprint=HOSTILE)
    ranking = rank_board(board_of(tmp_path / "runs", hostile))
    index = write_leaderboard(tmp_path / "board", ranking)
    tame = write_leaderboard(
        tmp_path / "tame",
        rank_board(board_of(tmp_path / "tame-runs", make.run("x", (A,), theory="y"))),
    )
    for path in pages(index.parent):
        text = path.read_text()
        assert "<img src=x" not in text
        assert 'alert(1)">' not in text
        assert 'href="javascript' not in text
        assert not set(text) & set(HIDDEN), path
    # the same elements as with harmless names
    for kind in ("index.html", "models/*.html", "materials/*.html"):
        (one,), (other,) = index.parent.glob(kind), tame.parent.glob(kind)
        assert Page(one.read_text()).tags.count("script") == Page(other.read_text()).tags.count(
            "script"
        )
        assert Page(one.read_text()).tags.count("img") == Page(other.read_text()).tags.count("img")
    assert "<img" not in leaderboard_markdown(ranking)


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"])
def test_no_cell_of_the_csv_is_a_formula(tmp_path, name):
    made = make.run("plain", (A,))
    cases = tuple(replace(c, model=name) for c in made.cases)
    card = replace(made.model, name=name, family=name, level_of_theory=name)
    ranking = rank_board(board_of(tmp_path, replace(made, model=card, cases=cases)))
    rows = list(csv.reader(leaderboard_csv(ranking).splitlines()))
    texts = [cell for row in rows for cell in row if not re.fullmatch(r"-?[\d.e+-]+", cell)]
    assert f"'{name}" in texts
    assert not any(text.startswith(("=", "+", "-", "@", "\t")) for text in texts)


def test_crystals_have_their_tables(tmp_path):
    made = make.with_crystals(make.run("m", (A, B)), above_hull_mae=12.3)
    site = write_leaderboard(
        tmp_path / "board", rank_board(board_of(tmp_path / "runs", made))
    ).parent
    for page in ("index.html", "models/m.html"):
        text = (site / page).read_text()
        assert "Al-Cu<small>hull</small>" in text
        assert "all crystals<small>all</small>" in text
        assert "12.3" in text
    assert {p.name for p in (site / "materials").iterdir()} == {
        f"{slug(s.material)}.html" for s in (A, B)
    }


def test_speed_has_a_column_where_a_run_was_timed(tmp_path):
    made = make.run("m", (A,))
    timed = replace(made, versions={**made.versions, "cache": "off"})
    for run, name in ((made, "plain"), (timed, "timed")):
        ranking = rank_board(board_of(tmp_path / name, run))
        text = Pages(BoardSite(ranking, {})).index()
        assert (">speed</span></th>" in text) is (name == "timed")
        assert ("None of these models was timed" in text) is (name == "plain")
    # 1.5 s for all points
    points = int((np.isfinite(A.relative) & ~A.masked).sum())
    assert f"{1500 / points:.1f} ms</td>" in text


def test_json_can_not_end_its_script():
    text = script_json(json.dumps({"a": "</script><!-- & <b>"}))
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!-- & <b>"}


def test_slugs_are_file_names_and_differ():
    names = ["7net-0", "../up", "a/b", "a b", "a_b", ".hidden", "x" * 300, "x" * 301, "ä", "ö"]
    slugs = [slug(name) for name in names]
    assert slugs[0] == "7net-0"
    assert len(set(slugs)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,119}", s) for s in slugs)


# -- files ----------------------------------------------------------------------------------------


def test_results_are_kept_with_the_board_and_make_it_again(ranking, site, tmp_path):
    kept = sorted(path.name for path in (site / "results").iterdir())
    assert kept == ["far.json", "lazy.json", "old.json", "soft.json"]
    for entry in ranking.board.entries:
        copy = load_results(site / "results" / f"{entry.name}.json")
        assert copy.model == entry.run.model
        assert [c.id for c in copy.cases] == [c.id for c in entry.run.cases]
    (site / "results" / "old.json").unlink()
    outcome = CliRunner().invoke(
        app, ["leaderboard", "--believe", str(site), "-o", str(tmp_path / "again")]
    )
    assert outcome.exit_code == 0, outcome.output
    for name in ("leaderboard.csv", "index.html", "materials/As-R-3m.html"):
        first, second = (site / name).read_text(), (tmp_path / "again" / name).read_text()
        if name != "index.html":
            assert first == second
    assert {p.name for p in (tmp_path / "again" / "results").iterdir()} == set(kept) - {"old.json"}


def test_leaderboard_forgets_what_is_gone_and_keeps_pictures_that_are_right(tmp_path):
    both = board_of(tmp_path / "runs", make.run("one", (A, B)), make.run("two", (A, B)))
    write_leaderboard(tmp_path / "board", rank_board(both))
    thumbs = sorted((tmp_path / "board" / "thumbs").rglob("*.png"))
    assert len(thumbs) == 6
    before = {path: path.stat().st_mtime_ns for path in thumbs}
    calls = []
    one = Board(both.entries[:1])
    write_leaderboard(tmp_path / "board", rank_board(one), lambda *at: calls.append(at))
    left = sorted((tmp_path / "board" / "thumbs").rglob("*.png"))
    assert {path: path.stat().st_mtime_ns for path in left} == {
        path: before[path] for path in thumbs if "/two/" not in path.as_posix()
    }
    assert [p.name for p in (tmp_path / "board" / "models").iterdir()] == ["one.html"]
    assert calls == [(k, 4) for k in (1, 2, 3, 4)]


def test_thumbnail_without_energies_is_not_drawn(ranking):
    lazy = next(e for e in ranking.board.entries if e.name == "lazy")
    assert map_data(C, lazy) is None
    assert map_data(C).model is None


# -- command --------------------------------------------------------------------------------------


def invoke(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_command_prints_the_ranking_and_where_the_page_is(tmp_path):
    for made in (make.run("good", (A, B)), make.run("soft", (A, B), scale=0.6)):
        save(tmp_path / "reports", made)
    outcome = invoke("leaderboard", "--believe", tmp_path / "reports", "-o", tmp_path / "board")
    assert outcome.exit_code == 0
    lines = outcome.output.splitlines()
    (good,) = (line for line in lines if " good " in line)
    (soft,) = (line for line in lines if " soft " in line)
    assert lines.index(good) < lines.index(soft)
    assert lines[-1] == f"wrote {tmp_path / 'board' / 'index.html'}"


def test_command_sets_other_versions_apart_when_told_to(tmp_path):
    new = replace(make.run("new", (A,)), started="2026-12-01T00:00:00+00:00")
    old = make.run("old", (replace(A, digest="e" * 64),))
    paths = [save(tmp_path, made) for made in (new, old)]
    refused = invoke("leaderboard", "--believe", *paths, "-o", tmp_path / "board")
    assert refused.exit_code != 0
    assert "another version of the reference" in str(refused.exception)
    assert not (tmp_path / "board").exists()
    outcome = invoke("leaderboard", "--believe", *paths, "-o", tmp_path / "board", "--separate")
    assert outcome.exit_code == 0
    assert "not compared: old, judged by another version" in outcome.output
    assert "old" not in leaderboard_models(tmp_path / "board")


def leaderboard_models(folder):
    return [row["model"] for row in csv.DictReader((folder / "leaderboard.csv").open())]


def test_folder_that_can_not_be_written_is_said(tmp_path):
    path = save(tmp_path, make.run("m", (A,)))
    (tmp_path / "file").write_text("")
    outcome = invoke("leaderboard", "--believe", path, "-o", tmp_path / "file" / "board")
    assert "the leaderboard can't be written" in str(outcome.exception)


def test_one_material_has_no_interval(tmp_path):
    ranking = rank_board(board_of(tmp_path, make.run("m", (A,))))
    assert math.isnan(ranking.standings[0].interval[0])
    assert "| – |" in leaderboard_markdown(ranking)
    assert Pages(BoardSite(ranking, {})).index().count("no energies") == 1
    assert Path(write_leaderboard(tmp_path / "board", ranking)).is_file()
