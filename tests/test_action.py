"""The GitHub Action: its steps run as they stand, in an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step.get("name"): step for step in ACTION["runs"]["steps"]}
#: a potential that knows no limits, so that the verdict is the baseline's alone
CALCULATOR = "ase.calculators.emt:EMT"


def run_step(name, folder, /, **inputs):
    """Run a step in bash as a runner does, with its environment made of the inputs."""
    environment = dict(os.environ, GITHUB_OUTPUT=str(folder / "output"))
    environment["PATH"] = f"{folder / 'bin'}:{Path(sys.executable).parent}:{environment['PATH']}"
    environment |= {
        variable: inputs.get(expression_name(value), "")
        for variable, value in STEPS[name]["env"].items()
    }
    environment["GITHUB_REPOSITORY"] = "somebody/something"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def expression_name(value):
    return re.fullmatch(r"\$\{\{ (?:inputs|github)\.([\w-]+) \}\}", value)[1]


@pytest.fixture
def references(tmp_path, toy_file):
    folder = tmp_path / "my references" / toy_file.parent.name
    folder.mkdir(parents=True)
    shutil.copy(toy_file, folder)
    return folder.parent


def test_runs_the_benchmark_with_quoted_options(tmp_path, references):
    options = f'--references "{references}" -k "energies or nothing" --no-cache -q'
    step = "Run the benchmark"
    first = run_step(step, tmp_path, mlip=CALCULATOR, options=options)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "report-dir=reports" in (tmp_path / "output").read_text()
    assert (tmp_path / "reports" / "EMT" / "results.json").is_file()
    assert (tmp_path / "reports" / "junit.xml").is_file()
    # what an earlier step has fetched is the baseline, whatever else was named
    shutil.copytree(tmp_path / "reports", tmp_path / ".symscape-baseline")
    second = run_step(step, tmp_path, mlip=CALCULATOR, options=options, baseline="nowhere")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "against .symscape-baseline" in second.stdout
    wrong = run_step(step, tmp_path, mlip="chgnett", options="")
    assert wrong.returncode == 4


def test_a_process_that_ends_without_a_report_is_red(tmp_path):
    """As a package does that calls os._exit(0) when it is imported."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text("#!/bin/sh\nmkdir -p reports\nexit 0\n")
    python.chmod(0o755)
    assert run_step("Run the benchmark", tmp_path, mlip=CALCULATOR).returncode == 1


def test_the_recipe_for_other_systems_runs_as_it_stands(tmp_path):
    """All of its lines but those that make the environment, in an empty folder."""
    pytest.importorskip("chgnet")
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (recipe,) = [b for b in re.findall(r"```console\n(.*?)```", page, re.DOTALL) if "-m venv" in b]
    lines = [line.removeprefix("$ ") for line in recipe.splitlines()]
    made, ran = lines[:2], lines[2:]
    assert [line.split()[0] for line in made] == ["python", "pip"]
    environment = dict(os.environ, XDG_CACHE_HOME=str(tmp_path / "cache"))
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    # the command as this interpreter has it, whether or not it is installed as a script
    wrapper = 'symscape() { python -m symscape "$@"; }'
    outcome = subprocess.run(
        ["bash", "-euc", "\n".join([wrapper, *ran])],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert (tmp_path / "reports" / "junit.xml").is_file()


@pytest.mark.parametrize("found", [True, False])
def test_a_baseline_that_is_missing_is_a_warning(tmp_path, found):
    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    answer = "echo 17" if found else ":"
    gh.write_text(f'#!/bin/sh\necho "$@" >> calls\n[ "$1" = api ] && {answer}\nexit 0\n')
    gh.chmod(0o755)
    outcome = run_step(
        "Fetch the baseline", tmp_path, **{"baseline-branch": "main", "name": "landscapes"}
    )
    assert outcome.returncode == 0, outcome.stderr
    calls = (tmp_path / "calls").read_text()
    assert "artifacts?name=landscapes" in calls
    # a branch of a fork may be called main too
    assert "head_repository_id == .workflow_run.repository_id" in calls
    assert ("run download 17" in calls) == found
    assert ("::warning::no report of main" in outcome.stdout) != found


def test_no_input_is_pasted_into_a_script():
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])


def test_the_example_of_a_workflow_names_inputs_that_exist():
    example = yaml.safe_load((ROOT / "docs" / "github-workflow.yml").read_text(encoding="utf-8"))
    steps = example["jobs"]["landscapes"]["steps"]
    (ours,) = [step for step in steps if "symscape@" in step.get("uses", "")]
    assert set(ours["with"]) <= set(ACTION["inputs"])
