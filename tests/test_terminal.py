"""What a run says besides its verdict: how far it is, what was not asked, what others warn of."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from plugin_project import SUITE, results, run
from plugin_project import imported as imported
from plugin_project import suite as suite

from symscape.progress import Progress
from symscape.questions.registry import QUESTIONS
from symscape.questions.subjects import MaterialSlice
from symscape.suite.foreign import package_of

OF_SLICES = sum(question.subject is MaterialSlice for question in QUESTIONS.values())


@pytest.mark.parametrize(
    ("arguments", "how"),
    [
        (("-k", "energies and not other"), "-k 'energies and not other'"),
        (("-m", "quick"), "quick half"),
        (("-m", "not topology"), "-m 'not topology'"),
        (("test_landscape.py",), "test_landscape.py"),
    ],
)
def test_a_run_of_a_part_says_so_wherever_its_verdict_stands(suite, arguments, how):
    outcome = run(suite, "--mlip", "cheap:exact", *arguments)
    said = f"{how}: 1 of {OF_SLICES} cases asked"
    assert outcome.outlines[-2] == f"exact: The landscape is within tolerance; {said}."
    folder = suite.path / "reports" / "exact"
    assert results(suite, "exact")["selection"] == {"how": how, "asked": 1, "total": OF_SLICES}
    assert said in (folder / "summary.md").read_text().splitlines()[0]
    page = (folder / "index.html").read_text(encoding="utf-8").replace("&#39;", "'")
    lead = page.partition('<p class="lead">')[2].partition("</p>")[0]
    assert said in lead


def test_materials_that_were_left_out_count(suite):
    other = suite.path / "references" / "Other-Cmcm"
    other.mkdir()
    stored = suite.path / "references" / "AlCu-Cmcm" / "Al_y-Cu_y.json"
    (other / stored.name).write_text(
        stored.read_text().replace('"material": "AlCu-Cmcm"', '"material": "Other-Cmcm"')
    )
    outcome = run(suite, "--mlip", "cheap:exact", "--material", "AlCu-Cmcm")
    assert f"--material AlCu-Cmcm: 1 of {2 * OF_SLICES} cases asked" in outcome.outlines[-2]


def test_a_whole_run_says_nothing_of_parts(suite):
    outcome = run(suite, "--mlip", "cheap:exact", "-m", "not speed")
    assert "asked" not in outcome.outlines[-2]
    assert results(suite, "exact")["selection"] is None


def test_warnings_of_other_packages_are_counted_once_and_ones_own_stay(suite):
    packages = suite.path / "site-packages"
    packages.mkdir()
    (packages / "noisy.py").write_text(
        "import warnings\n\ndef speak(k):\n"
        "    warnings.warn('a tensor is old\\nand long', UserWarning)\n"
    )
    (suite.path / "test_noise.py").write_text(
        "import sys, warnings\nimport pytest\n"
        f"sys.path.insert(0, {str(packages)!r})\nimport noisy\n\n"
        "@pytest.mark.parametrize('k', range(3))\n"
        "def test_noise(k):\n    noisy.speak(k)\n    warnings.warn('mine', UserWarning)\n"
    )
    text = run(suite, "--mlip", "cheap:exact").stdout.str()
    assert text.count("a tensor is old") == 1
    assert "noisy: 3 × UserWarning: a tensor is old\n" in text
    assert "UserWarning: mine" in text
    # where no potential is judged, pytest's list is pytest's
    (suite.path / "test_landscape.py").unlink()
    alone = run(suite).stdout.str()
    assert "warnings of other packages" not in alone
    assert "a tensor is old" in alone


def test_the_suites_own_settings_hide_no_package():
    """So that a run counts what torch and e3nn say; only spglib's one message is left out."""
    path = Path(__file__).parents[1] / "pyproject.toml"
    settings = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    for line in settings["filterwarnings"]:
        _, message, _, *module = line.split(":")
        assert message
        assert not module


@pytest.mark.parametrize(
    ("file", "package"),
    [
        ("/x/lib/python3.11/site-packages/torch/jit/_check.py", "torch"),
        (r"C:\x\Lib\site-packages\e3nn\o3.py", "e3nn"),
        ("/usr/lib/python3/dist-packages/six.py", "six"),
        ("/x/site-packages/symscape/models/cache.py", ""),
        ("/home/me/test_it.py", ""),
        ("sys", ""),
    ],
)
def test_whose_a_warning_is(file, package):
    assert package_of(file) == package


def test_questions_about_slices_say_how_many_structures_are_done(suite, monkeypatch):
    told = []

    class Told(Progress):
        def update(self, done, total, before=0):
            super().update(done, total, before)
            told.append((self._name, done, total, self.text))

    monkeypatch.setattr("symscape.suite.progress_lines.Progress", Told)
    (suite.path / "test_forces.py").write_text(
        SUITE.replace('"energies"', '"invariance"').replace("test_energies", "test_invariance")
    )
    run(suite, "--mlip", "cheap:exact")
    grid = [row for row in told if row[0] == "exact AlCu-Cmcm-Al_y-Cu_y"]
    assert grid[-1][1:3] == (25, 25)
    asked = [row for row in told if row[0] == "exact AlCu-Cmcm-Al_y-Cu_y (invariance)"]
    counts = [done for _, done, _, _ in asked]
    assert counts == sorted(counts)
    assert len(counts) > 3
    # nobody knows how many there will be, so no time is promised
    assert asked[-1][2:] == (0, f"{counts[-1]} structures")
