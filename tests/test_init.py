"""``symscape init`` and ``--symscape-suite``: the benchmarks within somebody else's repository."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from symscape.cli import app
from symscape.cli.init import FILES, repository_files
from symscape.errors import SymscapeError
from symscape.places import benchmark_files, references_folder, suite_folder
from symscape.verdict.tolerances import load_tolerances

ROOT = Path(__file__).parents[1]


def python(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_its_files_are_written_once_and_its_benchmarks_run(tmp_path, toy_file):
    calculator = "ase.calculators.emt:EMT"
    outcome = CliRunner().invoke(app, ["init", str(tmp_path / "mine"), "--mlip", calculator])
    assert outcome.exit_code == 0, outcome.output
    repository = tmp_path / "mine"
    assert all((repository / name).is_file() for name in FILES)
    assert load_tolerances(repository / "tolerances.toml").name
    material = repository / "references" / toy_file.parent.name
    material.mkdir()
    (material / toy_file.name).write_bytes(toy_file.read_bytes())
    run = python(repository, "symscape", "run", "--mlip", calculator, "-q", "--no-cache")
    assert "EMT: 1 passed, 0 failed, 0 error" in run.stdout, run.stdout + run.stderr
    before = {name: (repository / name).read_bytes() for name in FILES}
    again = CliRunner().invoke(app, ["init", str(repository), "--mlip", "chgnet"])
    assert isinstance(again.exception, SymscapeError)
    assert "is there already, so nothing was written" in str(again.exception)
    assert before == {name: (repository / name).read_bytes() for name in FILES}


@pytest.mark.parametrize(
    ("mlip", "checkpoint", "installs", "runs"),
    [
        ("chgnet", None, '"symscape[chgnet]==', "--mlip chgnet "),
        ("7net-0", None, '"symscape[sevenn]==', "--mlip 7net-0 "),
        ("mace", Path("runs/a b.model"), '"symscape[mace]==', "--checkpoint 'runs/a b.model'"),
        ("mypackage.module:make", None, '"." "symscape==', "--mlip mypackage.module:make "),
    ],
)
def test_the_workflow_installs_and_judges_what_was_named(mlip, checkpoint, installs, runs):
    text = repository_files(mlip, checkpoint)[".github/workflows/energy-landscapes.yml"]
    steps = yaml.safe_load(text)["jobs"]["landscapes"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert f"pip install {installs}" in commands[0]
    assert runs in commands[1]
    assert "@" not in "".join(commands)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    family = installs.partition("[")[2].partition("]")[0]
    assert not family or family in extras["optional-dependencies"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mlip", "chgnett"], "did you mean chgnet"),
        (["--mlip", "7net-0", "--checkpoint", "x"], "--checkpoint goes with a family"),
    ],
)
def test_nothing_is_written_for_a_potential_that_is_none(tmp_path, arguments, said):
    outcome = CliRunner().invoke(app, ["init", str(tmp_path), *arguments])
    assert said in str(outcome.exception)
    assert not list(tmp_path.iterdir())


def test_its_conftest_says_what_to_install_where_symscape_is_missing(monkeypatch):
    text = repository_files("chgnet")["benchmarks/conftest.py"]
    exec(text, {})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(pytest.UsageError, match=r'pip install "symscape\[chgnet\]=='):
        exec(text, {})


def test_references_are_ones_own_or_else_the_installed(tmp_path, toy_file):
    installed = suite_folder() / "references"
    assert references_folder(None, tmp_path) == installed
    assert references_folder("installed", tmp_path) == installed
    assert references_folder("mine", tmp_path) == tmp_path / "mine"
    (tmp_path / "references" / "X").mkdir(parents=True)
    assert references_folder(None, tmp_path) == installed
    (tmp_path / "references" / "X" / toy_file.name).write_bytes(toy_file.read_bytes())
    assert references_folder(None, tmp_path) == tmp_path / "references"
    assert references_folder("installed", tmp_path) == installed


def test_the_suite_runs_beside_tests_of_the_same_name(tmp_path):
    """Pytest's default import mode knows one module of each name."""
    (tmp_path / "tests").mkdir()
    names = [file.name for file in benchmark_files()]
    assert names
    assert not any("speed" in name for name in names)
    for name in names:
        (tmp_path / "tests" / name).write_text("def test_own():\n    assert True\n")
    outcome = python(
        tmp_path,
        *("pytest", "--symscape-suite", "--mlip", "ase.calculators.emt:EMT"),
        *("--collect-only", "-q", "-k", "test_own or BeO-P6_3mc-ca-Be_z"),
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    for name in names:
        assert f"tests/{name}::test_own" in outcome.stdout
    case = "symscape/benchmarks/test_landscape.py::test_energies[EMT-BeO-P6_3mc-ca-Be_z]"
    assert case in outcome.stdout
    plain = python(tmp_path, "pytest", "--collect-only", "-q")
    assert "BeO" not in plain.stdout


def test_what_the_option_adds_by_itself_is_no_selection(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    case = "energies and BeO-P6_3mc-ca-Be_z"
    outcome = python(
        tmp_path,
        *("pytest", "-p", "symscape", "--symscape-suite", "-q", "-k", f"test_own or ({case})"),
        *("--mlip", "ase.calculators.emt:EMT", "--no-cache"),
    )
    said = next(line for line in outcome.stdout.splitlines() if "cases asked" in line)
    assert f"-k 'test_own or ({case})': 1 of" in said
    assert "test_landscape.py" not in said
