"""``symscape run``: which arguments reach pytest, and that it really runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmark_text import benchmark

from symscape.cli import run
from symscape.cli.run import pytest_arguments
from symscape.errors import SymscapeError
from symscape.places import suite_folder


@pytest.fixture
def clone(tmp_path, toy_file):
    """A folder with what a run needs."""
    folder = tmp_path / "clone"
    (folder / "benchmarks").mkdir(parents=True)
    (folder / "benchmarks" / "test_landscape.py").write_text(benchmark("energies"))
    material = folder / "references" / toy_file.parent.name
    material.mkdir(parents=True)
    (material / toy_file.name).write_bytes(toy_file.read_bytes())
    return folder


def command_line(folder, *arguments, timeout=120):
    """Run the command in a process of its own; it replaces itself by pytest."""
    code = "import sys; from symscape.cli import main; sys.argv[0] = 'symscape'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "run", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def test_the_whole_folder_unless_a_test_is_named(clone):
    assert pytest_arguments(["-k", "Ti"], None, clone) == [
        f"--rootdir={clone}",
        "-k",
        "Ti",
        str(clone / "benchmarks"),
    ]
    for test in ("benchmarks/test_landscape.py", "benchmarks/test_landscape.py::test_energies"):
        assert pytest_arguments([test, "-x"], None, clone)[1:] == [str(clone / test), "-x"]


def test_tests_are_found_from_elsewhere(clone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = pytest_arguments(["benchmarks/test_landscape.py"], Path("clone"), tmp_path)
    assert arguments[-1] == str(Path("clone").resolve() / "benchmarks" / "test_landscape.py")


@pytest.mark.parametrize(
    "given",
    [
        ("-k", "benchmarks"),
        ("--tolerances", "references/mine.toml"),
        ("--mlip", "./calculator.py:make"),
        ("--references", "references/"),
        ("-k", "test_energies and chgnet"),
    ],
)
def test_values_of_options_are_not_taken_for_tests(clone, given):
    (clone / "references" / "mine.toml").touch()
    (clone / "calculator.py").touch()
    assert pytest_arguments(given, None, clone)[1:] == [*given, str(clone / "benchmarks")]


def test_what_the_user_says_wins(clone, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    assert f"--report-dir={here / 'reports'}" in pytest_arguments([], clone, here)
    given = ["--rootdir=x", "--report-dir", "y"]
    assert pytest_arguments(given, clone, here) == [*given, str(clone / "benchmarks")]
    assert not any("--report-dir" in a for a in pytest_arguments([], clone, clone))


def test_the_suite_keeps_its_settings_whatever_paths_are_given(clone, tmp_path):
    (clone / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--collect-only'\n")
    (tmp_path / "other" / "pyproject.toml").parent.mkdir()
    (tmp_path / "other" / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    arguments = ("--mlip", "ase.calculators.emt:EMT", "--cache-dir", tmp_path / "other")
    outcome = command_line(clone, *arguments)
    assert f"rootdir: {clone}" in outcome.stdout
    assert "configfile: pyproject.toml" in outcome.stdout
    assert "1 test collected" in outcome.stdout
    given = ["-c", "mine.ini"]
    assert not any("--config-file" in a for a in pytest_arguments(given, None, clone))


def test_an_empty_folder_runs_the_installed_suite(tmp_path):
    suite = suite_folder()
    assert suite is not None
    arguments = pytest_arguments(["-k", "BeO"], None, tmp_path)
    assert arguments[0] == f"--rootdir={tmp_path}"
    assert f"--report-dir={tmp_path / 'reports'}" in arguments
    assert f"--override-ini=cache_dir={tmp_path / '.pytest_cache'}" in arguments
    assert arguments[-3:] == ["-k", "BeO", str(suite / "benchmarks")]
    outcome = command_line(
        tmp_path, "--mlip", "ase.calculators.emt:EMT", "--collect-only", "-q", "-k", "energies"
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "\nbenchmarks/test_landscape.py::test_energies[EMT-BeO-P6_3mc" in outcome.stdout
    assert str(suite) not in outcome.stdout
    assert ".." not in outcome.stdout.partition("warnings summary")[0]


def test_a_folder_without_a_suite_is_a_sentence(clone, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "suite_folder", lambda: None)
    with pytest.raises(SymscapeError, match=r"no benchmarks/ and no references/ here; run in a cl"):
        pytest_arguments([], None, tmp_path)
    with pytest.raises(SymscapeError, match=r"name a clone of symscape\.$"):
        pytest_arguments([], tmp_path, tmp_path)
    (tmp_path / "benchmarks").mkdir()
    with pytest.raises(SymscapeError, match="no references/ here"):
        pytest_arguments([], tmp_path, tmp_path)
    assert pytest_arguments(["--references", "mine"], tmp_path, tmp_path)
    outcome = command_line(tmp_path, "--suite", tmp_path)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("symscape: ")
    assert outcome.stderr.count("\n") == 1


def test_runs_the_suite_and_leaves_the_report_here(clone, tmp_path):
    here = tmp_path / "project"
    here.mkdir()
    outcome = command_line(
        here, "--suite", clone, "--mlip", "ase.calculators.emt:EMT", "-q", "--no-cache"
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "EMT: 1 passed, 0 failed, 0 error; report: reports/EMT/index.html" in outcome.stdout
    assert (here / "reports" / "EMT" / "results.json").is_file()
    assert not (clone / "reports").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--mlip", "nosuchmodel"), 4, "There is no model 'nosuchmodel'"),
        (("-k", "nothing_like_it", "--mlip", "ase.calculators.emt:EMT"), 5, "deselected"),
        (("--mlip", "ase.calculators.emt:EMT", "--tolerances", "none.toml"), 4, "none.toml"),
        (("--", "--version"), 0, "pytest"),
    ],
)
def test_exit_codes_are_those_of_pytest(clone, arguments, code, said):
    outcome = command_line(clone, *arguments)
    assert outcome.returncode == code, outcome.stdout + outcome.stderr
    assert said in outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stdout + outcome.stderr
