"""Workflows and metadata of the repository name what exists."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from docs_pages import PAGES, ROOT, check_symscape, check_tox, read

from symscape.models.registry import find_card

WORKFLOWS = (
    ".github/workflows/ci.yml",
    ".github/workflows/docs.yml",
    ".github/workflows/models.yml",
    ".github/workflows/release.yml",
    ".github/workflows/submission.yml",
    "docs/github-workflow.yml",
)


#: the only action that a version may name is our own
OWN_ACTION = r"OWNER/symscape@v[\d.]+"
#: where actions are used, with the copies that others take
WITH_ACTIONS = (*WORKFLOWS, "action.yml", "src/symscape/cli/templates/energy-landscapes.yml")


# -- workflows and metadata -----------------------------------------------------------------------


@pytest.mark.parametrize("file", WORKFLOWS)
def test_workflows_are_well_formed(file, pytestconfig):
    workflow = yaml.safe_load(read(file))
    # YAML 1.1 reads the key `on` as true
    assert {"name", True, "jobs", "permissions"} <= set(workflow)
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            if "uses" in step:
                continue
            for part in re.split(r"&&|\n", re.sub(r"\$\{\{.*?\}\}", "x", step["run"])):
                words = shlex.split(part, comments=True)
                if words[:1] == ["symscape"]:
                    check_symscape(words[1:], pytestconfig)
                elif words[:1] == ["tox"]:
                    check_tox(words)


def test_every_action_is_pinned_by_a_digest_the_same_everywhere():
    """A version beside it says which it is; pages show no other way."""
    digests: dict[str, set[str]] = {}
    for file in (*WITH_ACTIONS, *PAGES):
        for name, version, rest in re.findall(r"uses: ([\w/.-]+)@(\S+)(.*)", read(file)):
            if re.fullmatch(OWN_ACTION, f"{name}@{version}"):
                continue
            assert re.fullmatch(r"[0-9a-f]{40}", version), f"{file}: {name}@{version}"
            assert re.fullmatch(r" # v\d+(\.\d+)*", rest), f"{file}: {name} without its version"
            # parts of one repository have one digest
            digests.setdefault("/".join(name.split("/")[:2]), set()).add(version + rest)
    assert len(digests) >= 6
    assert {name: found for name, found in digests.items() if len(found) > 1} == {}


def test_the_workflow_to_copy_names_extras_and_models_that_exist():
    workflow = yaml.safe_load(read("docs/github-workflow.yml"))
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    for entry in workflow["jobs"]["landscapes"]["strategy"]["matrix"]["include"]:
        assert entry["family"] in extras
        assert find_card(entry["mlip"]).family == entry["family"]


def test_every_workflow_is_given_to_actionlint():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    commands = tox["testenv:workflows"]["commands"].split()
    assert set(WORKFLOWS) <= set(commands)
    assert all((ROOT / name).is_file() for name in commands if name.endswith(".yml"))
    assert {p.name for p in (ROOT / ".github/workflows").iterdir()} == {
        Path(name).name for name in WORKFLOWS if name.startswith(".github")
    }


def test_the_version_is_the_same_wherever_it_stands():
    stated = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert yaml.safe_load(read("CITATION.cff"))["version"] == stated
    assert f"## {stated}" in read("CHANGELOG.md")
    assert f"OWNER/symscape@v{stated}" in read("docs/github-workflow.yml")


def test_our_own_workflow_covers_every_supported_python():
    workflow = yaml.safe_load(read(".github/workflows/ci.yml"))
    versions = workflow["jobs"]["tests"]["strategy"]["matrix"]["python"]
    project = tomllib.loads(read("pyproject.toml"))["project"]
    stated = [c.rpartition(" ")[2] for c in project["classifiers"] if "Python :: 3." in c]
    assert versions == stated


def test_citation_and_hooks_are_well_formed():
    citation = yaml.safe_load(read("CITATION.cff"))
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert citation["cff-version"] == "1.2.0"
    assert (citation["title"], citation["version"], citation["license"]) == (
        project["name"],
        project["version"],
        # several licences in a citation file would mean a choice between them
        project["license"].partition(" AND ")[0],
    )
    cited = {i["value"] for r in citation["references"] for i in r.get("identifiers", [])}
    in_readme = set(re.findall(r"arXiv:(\d{4}\.\d{5})", read("README.md")))
    assert cited == {f"arXiv:{number}" for number in in_readme}
    of_data = {r["doi"] for r in citation["references"] if "doi" in r}
    assert of_data
    assert all(doi in read("references/LICENSE") for doi in of_data)
    assert all(doi in read("README.md") for doi in of_data)
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))
    local = [hook for found in hooks["repos"] for hook in found["hooks"]]
    assert {"ruff-check", "ruff-format", "mypy"} <= {hook["id"] for hook in local}
    # nothing is fetched: the extra dev brings what they run
    assert {found["repo"] for found in hooks["repos"]} == {"local"}
    assert {hook["language"] for hook in local} == {"system"}
