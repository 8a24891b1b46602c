"""A question that another package adds by an entry point, without a fork."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from docs_pages import blocks, read
from toys import store, toy_document

ROOT = Path(__file__).parents[1]
EXAMPLE = Path(__file__).with_name("example_question")
CALCULATOR = """
from ase.calculators.emt import EMT


class Mirrored(EMT):
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["energy"] *= -1


def exact():
    return EMT()


def mirrored():
    return Mirrored()
"""


@pytest.fixture
def project(tmp_path):
    """Lay out the package as an installer does, and a suite that asks its question."""
    site = tmp_path / "site"
    shutil.copytree(EXAMPLE / "lowest_point", site / "lowest_point")
    info = site / "lowest_point-1.0.dist-info"
    info.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        shutil.copy(EXAMPLE / name, info)
    store(tmp_path / "references", toy_document())
    shutil.copy(EXAMPLE / "test_lowest_point.py", tmp_path)
    (tmp_path / "cheap.py").write_text(CALCULATOR)
    (tmp_path / "mine.toml").write_text(
        'extends = "default"\n[lowest_point]\ndepth_below_minimum = 5\n'
    )
    return tmp_path


def run(project, *arguments):
    paths = os.pathsep.join(map(str, (project / "site", project, ROOT / "src")))
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_is_asked_judged_by_tolerances_and_reported(project):
    options = ("--mlip", "cheap:exact,cheap:mirrored", "--tolerances", "mine.toml", "--no-cache")
    found = run(project, "pytest", "-q", "-p", "no:cacheprovider", *options)
    assert found.returncode == 1, found.stdout
    status = {}
    for model in ("exact", "mirrored"):
        results = json.loads((project / "reports" / model / "results.json").read_text())
        (case,) = results["cases"]
        assert case["question"] == "lowest_point"
        status[model] = case["status"]
    assert status == {"exact": "passed", "mirrored": "failed"}
    # words and unit come from the package's own metric
    page = (project / "reports" / "mirrored" / "index.html").read_text()
    assert "depth below DFT" in page


def test_without_the_package_its_name_is_unknown(project):
    shutil.rmtree(project / "site")
    found = run(project, "pytest", "-q", "--mlip", "cheap:exact", "--tolerances", "mine.toml")
    assert found.returncode == pytest.ExitCode.USAGE_ERROR
    assert "the key 'lowest_point' is unknown" in found.stdout + found.stderr


def test_an_entry_point_that_is_no_question_is_one_sentence(project):
    info = project / "site" / "lowest_point-1.0.dist-info" / "entry_points.txt"
    info.write_text("[symscape.questions]\nlowest_point = lowest_point:ask\n")
    found = run(project, "pytest", "-q", "--mlip", "cheap:exact")
    assert found.returncode != 0
    assert "must be a symscape.questions.question.Question" in found.stdout + found.stderr


def test_the_page_shows_the_files_that_are_tested():
    page = read("docs/adding-a-metric.md")
    shown = [block.text for block in blocks(page)]
    for name in ("lowest_point/__init__.py", "test_lowest_point.py"):
        assert (EXAMPLE / name).read_text(encoding="utf-8") in shown
    (project,) = (tomllib.loads(text) for text in shown if "entry-points" in text)
    ((group, points),) = project["project"]["entry-points"].items()
    stated = configparser.ConfigParser()
    stated.read(EXAMPLE / "entry_points.txt")
    assert dict(stated[group]) == points
    assert f"Name: {project['project']['name']}" in (EXAMPLE / "METADATA").read_text()


def test_a_question_is_found_by_the_file_it_is_in(tmp_path, monkeypatch):
    """No list of questions has to be told of a new one."""
    from symscape import questions
    from symscape.questions import registry

    (tmp_path / "lowest.py").write_text(
        "from symscape.questions.question import Question\n"
        "from symscape.questions.subjects import MaterialSlice\n"
        "asked = lambda case: None\n"
        "LOWEST = Question('lowest', 'Lowest point', MaterialSlice, (), asked, place=15)\n"
    )
    monkeypatch.setattr(questions, "__path__", [*questions.__path__, str(tmp_path)])
    try:
        found = list(registry.collect_questions())
    finally:
        sys.modules.pop("symscape.questions.lowest", None)
    own = [name for name in found if name != "lowest"]
    assert found == [own[0], "lowest", *own[1:]]
    assert set(own) <= set(registry.QUESTIONS)
