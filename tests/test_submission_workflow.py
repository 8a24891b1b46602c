"""The workflow of submissions: what may be touched, whose code runs, with which rights."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
WORKFLOW = (ROOT / ".github" / "workflows" / "submission.yml").read_text(encoding="utf-8")
SCRIPT = ROOT / ".github" / "submitted_files.py"
MINE = "reports/leaderboard/results/mine.json"
REGISTRY = "src/symscape/models/registry.toml"

sys.path.insert(0, str(SCRIPT.parent))
from submitted_files import submitted  # noqa: E402


def test_results_and_card_are_a_submission():
    assert submitted([MINE, REGISTRY], [MINE]) == [MINE]
    assert submitted([REGISTRY], []) == []


@pytest.mark.parametrize(
    "path",
    [
        "src/symscape/leaderboard/scores.py",
        ".github/workflows/submission.yml",
        "references/PbTiO3-P4mm/Ti_z-O_z.json",
        "reports/leaderboard/results/../../../conftest.py",
        "reports/leaderboard/results/sub/mine.json",
        "reports/leaderboard/judged.json",
        "reports/leaderboard/provenance.json",
        "reports/leaderboard/results/::error::.json",
        "reports/leaderboard/results/a\n::error::x.json",
        "reports/leaderboard/results/mine.json\n",
    ],
)
def test_anything_else_is_left_to_people(path, capsys):
    with pytest.raises(SystemExit):
        submitted([MINE, path], [MINE, path])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert not lines[0].startswith("::")


def test_results_of_others_are_not_replaced(capsys):
    with pytest.raises(SystemExit):
        submitted([MINE, "reports/leaderboard/results/chgnet.json"], [MINE])
    assert "on the leaderboard already" in capsys.readouterr().err


@given(st.text(st.characters(blacklist_characters="\0", codec="utf-8"), max_size=30))
def test_no_name_of_a_file_leaves_the_folder(name):
    path = f"reports/leaderboard/results/{name}"
    try:
        (kept,) = submitted([path], [path])
    except SystemExit:
        return
    assert re.fullmatch(r"[\w.-]+\.json", kept.rpartition("/")[2], re.ASCII)
    assert kept.count("/") == 3


def test_the_list_is_null_separated(tmp_path):
    for name, paths in (("changed", [MINE, REGISTRY]), ("added", [MINE])):
        (tmp_path / name).write_text("".join(f"{path}\0" for path in paths))
    found = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "changed", tmp_path / "added"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout == f"submitted/{MINE}\0"


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")))
def test_actions_are_pinned_by_commit(path):
    used = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    assert all(
        re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) or action.startswith("./") for action in used
    ), used


def test_submissions_run_the_code_of_the_base_branch_without_rights():
    assert "pull_request_target" not in WORKFLOW
    assert "secrets." not in WORKFLOW
    assert "permissions: {}" in WORKFLOW
    assert set(re.findall(r"^\s+(\w+): (?:read|write)$", WORKFLOW, re.M)) == {"contents"}
    assert "contents: write" not in WORKFLOW
    assert "pipefail" in WORKFLOW
    # the code that is installed and called is the base's; nothing in submitted/ is executed
    assert "ref: ${{ github.event.pull_request.base.sha }}" in WORKFLOW
    assert not re.search(r"(pip install|python|bash|sh|source) \S*submitted/", WORKFLOW)
    # no text of a pull request is pasted into a script
    scripts = re.findall(r"run: \|\n((?:\s{10}.*\n)+)|run: (?!\|)(.*)", WORKFLOW)
    assert not any("${{" in part for script in scripts for part in script)
