"""What the documentation says is there is there: commands, options, links, names; its code runs."""

from __future__ import annotations

import configparser
import io
import json
import math
import re
import shlex
import tomllib
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml
from ase.calculators.lj import LennardJones

import symscape
from symscape.cli import app
from symscape.models.card import ModelCard
from symscape.models.families import families
from symscape.models.registry import find_card, load_cards, resolve
from symscape.plugin import _OPTIONS
from symscape.verdict.tolerances import load_tolerances

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "references" / "README.md",
    )
)
WORKFLOWS = (
    ".github/workflows/ci.yml",
    ".github/workflows/docs.yml",
    ".github/workflows/release.yml",
    ".github/workflows/submission.yml",
    "docs/github-workflow.yml",
)
#: what is not ours and not yet pinned by the hash of a commit, or is ours
UNPINNED = r"(OWNER/symscape|actions/[\w/-]+)@v[\d.]+"
SYMSCAPE = typer.main.get_command(app)


# -- reading pages --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    #: what is printed below it as its output
    output: str | None = None


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(text):
    """Fenced blocks of a page, code with the block ``text`` behind it as its output."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    outputs = re.findall(
        r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    printed = dict(outputs)
    return [Block(language, code, printed.get(code)) for language, code in found]


def prose(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def command_lines(text):
    """Commands of a page: lines of shell blocks and code in the prose that begins like one."""
    lines = []
    for block in blocks(text):
        if block.language in ("console", "bash", "sh", ""):
            joined = block.text.replace("\\\n", " ")
            lines += [line.removeprefix("$ ") for line in joined.splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(text))]
    parts = (part.strip() for line in lines for part in re.split(r"&&|;|\|", line))
    return [part for part in parts if part.split(" ")[0] in ("symscape", "pytest", "tox")]


# -- commands and options -------------------------------------------------------------------------


def pytest_options(config):
    """Every option that pytest knows in this session, with those of the plugins."""
    parser = config._parser
    groups = [parser._anonymous, *parser._groups]
    return {name for group in groups for option in group.options for name in option.names()}


def options_of(words):
    """Options among words; what follows a quoted placeholder or comment is not one."""
    return [word.partition("=")[0] for word in words if re.match(r"--?[A-Za-z]", word)]


def check_symscape(words, config):
    command, rest = SYMSCAPE, words
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            # symscape cache info|clear, symscape reference: a group may stand for itself
            assert command is not SYMSCAPE, f"no command {rest[0]!r}"
            break
        command, rest = command.commands[rest[0]], rest[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    if command.name == "run" and command is SYMSCAPE.commands["run"]:
        known |= pytest_options(config)
    assert set(options_of(rest)) <= known


def check_tox(words):
    environments = configparser.ConfigParser(interpolation=None)
    environments.read(ROOT / "tox.ini")
    names = {section.partition(":")[2] for section in environments.sections()}
    names |= {name.strip() for name in environments["tox"]["env_list"].split(",")}
    if "-e" in words:
        wanted = words[words.index("-e") + 1].split(",")
        # a generic name such as FAMILY is no environment
        assert set(wanted) <= names | {"FAMILY"}


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_exist(page, pytestconfig):
    for line in command_lines(read(page)):
        words = shlex.split(line, comments=True)
        if words[0] == "tox":
            check_tox(words)
            passed_on = words[words.index("--") + 1 :] if "--" in words else []
            assert set(options_of(passed_on)) <= pytest_options(pytestconfig), line
        elif words[0] == "pytest":
            assert set(options_of(words[1:])) <= pytest_options(pytestconfig), line
        else:
            check_symscape(words[1:], pytestconfig)


@pytest.mark.parametrize("page", PAGES)
def test_long_options_named_anywhere_exist(page, pytestconfig):
    own = {
        name
        for command in walk(SYMSCAPE)
        for parameter in command.params
        for name in parameter.opts
    }
    foreign = {"--finish", "--help", "--no-deps", "--version"}
    for code in re.findall(r"`([^`]+)`", prose(read(page))):
        for name in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code):
            assert name in own | foreign | pytest_options(pytestconfig), f"{page}: {name}"


def walk(command):
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from walk(inner)


def test_the_pages_are_built_with_what_the_extra_names():
    """Tox installs the tools alone, not symscape, so that it can't ask for the extra."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    assert tox["testenv:docs"]["deps"].split() == extras["docs"]


def test_every_option_of_the_suite_is_described():
    text = read("docs/quickstart.md")
    for name, *_ in _OPTIONS:
        assert f"| `{name}" in text, f"docs/quickstart.md does not list {name}"


@pytest.mark.parametrize("page", PAGES)
def test_registered_models_named_in_commands_exist(page):
    for line in command_lines(read(page)):
        words = shlex.split(line, comments=True)
        if "--mlip" not in words or "--checkpoint" in words:
            continue
        for name in words[words.index("--mlip") + 1].split(","):
            if ":" not in name and name not in ("...", "NAME", "FAMILY"):
                # the recipe's own
                assert name == "chgnet-mine" or find_card(name)


# -- links ----------------------------------------------------------------------------------------


def anchors(path):
    """Anchors of a page as MkDocs and GitHub make them of its headings."""
    titles = re.findall(r"^#+ (.*)$", prose(path.read_text("utf-8")), re.MULTILINE)
    plain = [re.sub(r"[`*]|\[(.*?)\]\(.*?\)", r"\1", title).lower() for title in titles]
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", title)).strip("-") for title in plain}


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page} links to {target}"
        # anchors of the Python interface are made when the pages are built, which checks them
        if anchor and not anchor.startswith("symscape."):
            assert anchor in anchors(path), f"{page} links to {target}"


def test_every_page_is_in_the_navigation():
    settings = yaml.safe_load(read("mkdocs.yml"))

    def files(entry):
        if isinstance(entry, str):
            return [entry]
        inner = entry.values() if isinstance(entry, dict) else entry
        return [file for part in inner for file in files(part)]

    listed = files(settings["nav"])
    assert sorted(listed) == sorted(p.name for p in (ROOT / "docs").glob("*.md"))


# -- code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_well_formed(page, tmp_path):
    for block in blocks(read(page)):
        if block.language == "python":
            # a line out of a table of dictionary entries or calls
            entry = block.text.startswith(" ")
            brackets = (
                ("{%s}" if block.text.lstrip().startswith('"') else "(%s)") if entry else "%s"
            )
            compile(brackets % block.text, page, "exec")
        elif block.language == "toml":
            document = tomllib.loads(block.text)
            if {"extends", "known_failure", "override", "energies"} & set(document):
                document.pop("extends", None)
                file = tmp_path / "tolerances.toml"
                file.write_text(block.text)
                unknown = {"median_error"} & set(document.get("energies", {}))
                assert unknown or load_tolerances(file)
        elif block.language == "json":
            json.loads(block.text)


@pytest.mark.parametrize("page", PAGES)
def test_names_of_the_library_exist(page):
    for module, names in re.findall(r"^from (symscape[\w.]*) import ([\w, ]+)$", read(page), re.M):
        imported = __import__(module, fromlist=["_"])
        for name in names.split(","):
            assert hasattr(imported, name.strip())
    for name in re.findall(r"\bsymscape\.(\w+)\(", read(page)):
        assert name in symscape.__all__
    for name in re.findall(r"^::: ([\w.]+)$", read(page), re.M):
        module, _, attribute = name.rpartition(".")
        assert hasattr(__import__(module, fromlist=["_"]), attribute)


def test_the_interface_page_describes_every_public_name():
    described = {
        name.rpartition(".")[2] for name in re.findall(r"^::: (\S+)$", read("docs/api.md"), re.M)
    }
    assert described - {"errors"} == set(symscape.__all__) - {"SymscapeError", "__version__"}


def test_the_table_of_references_is_current():
    from symscape.cli.materials import method_table
    from symscape.references.library import find_references
    from symscape.references.store import load_reference

    stored = [load_reference(e.path) for e in find_references([ROOT / "references"])]
    text = read("docs/references.md")
    shown = text.split("<!-- landscapes -->")[1].split("<!-- end of landscapes -->")[0]
    assert shown.strip() == method_table(stored), "run: symscape materials --markdown"


def test_the_tutorial_runs_and_prints_what_it_says(tmp_path, monkeypatch):
    pytest.importorskip("chgnet")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "references").symlink_to(ROOT / "references")
    namespace: dict[str, object] = {}
    for block in blocks(read("docs/tutorial.md")):
        if block.language != "python":
            continue
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(block.text, "docs/tutorial.md", "exec"), namespace)
        assert_printed(printed.getvalue(), block.output or "")
    assert (tmp_path / "landscape.png").stat().st_size > 20_000


def assert_printed(printed, expected):
    """Compare words exactly and numbers within two per cent: networks round differently."""
    found, wanted = printed.split(), expected.split()
    assert len(found) == len(wanted), printed
    for one, other in zip(found, wanted, strict=True):
        try:
            same = math.isclose(float(one), float(other), rel_tol=0.02, abs_tol=0.005)
        except ValueError:
            same = one == other
        assert same, f"printed {one!r} where the page says {other!r}:\n{printed}"


def test_the_adapter_of_the_recipe_agrees_with_ase(tmp_path, monkeypatch, request):
    """The class that docs/adding-a-model.md adds, against ASE's own Lennard-Jones calculator."""
    page = read("docs/adding-a-model.md")
    code = next(
        b.text for b in blocks(page) if "LennardJonesModel" in b.text and "import" in b.text
    )
    project = next(tomllib.loads(b.text) for b in blocks(page) if "entry-points" in b.text)[
        "project"
    ]
    package = tmp_path / "lj_family"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "adapter.py").write_text(code)
    info = tmp_path / f"lj_family-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    ((group, points),) = project["entry-points"].items()
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
    monkeypatch.syspath_prepend(str(tmp_path))
    families.cache_clear()
    request.addfinalizer(families.cache_clear)
    file = tmp_path / "lj.json"
    parameters = re.search(r"echo '(\{.*?\})'", page)[1]
    file.write_text(parameters)
    given = json.loads(parameters)
    structures = symscape.load_reference("PbTiO3", ROOT / "references").structures()[:5]
    model = resolve("lennardjones", checkpoint=file)
    said = model.predict(structures, forces=True, stresses=True)
    for k, atoms in enumerate(structures):
        atoms.calc = LennardJones(
            epsilon=given["epsilon"], sigma=given["sigma"], rc=given["cutoff"]
        )
        own = slice(structures.offsets[k], structures.offsets[k + 1])
        assert said.energies[k] == pytest.approx(atoms.get_potential_energy())
        np.testing.assert_allclose(said.forces[own], atoms.get_forces(), atol=1e-8)
        np.testing.assert_allclose(said.stresses[k], atoms.get_stress(voigt=False), atol=1e-8)


def test_the_card_of_the_recipe_is_complete():
    page = read("docs/adding-a-model.md")
    (entry,) = (tomllib.loads(b.text) for b in blocks(page) if "level_of_theory" in b.text)
    (name,) = entry
    listed = {key: tuple(v) if isinstance(v, list) else v for key, v in entry[name].items()}
    card = ModelCard(name=name, **listed)
    real = load_cards()["chgnet"]
    assert (card.family, card.checkpoint, card.weights_file) == (
        real.family,
        real.checkpoint,
        real.weights_file,
    )


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
                hashed = re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", step["uses"])
                assert hashed or (
                    file in (".github/workflows/submission.yml", "docs/github-workflow.yml")
                    and re.fullmatch(UNPINNED, step["uses"])
                )
                continue
            for part in re.split(r"&&|\n", re.sub(r"\$\{\{.*?\}\}", "x", step["run"])):
                words = shlex.split(part, comments=True)
                if words[:1] == ["symscape"]:
                    check_symscape(words[1:], pytestconfig)
                elif words[:1] == ["tox"]:
                    check_tox(words)


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
    assert {"ruff-check", "ruff-format"} <= {h["id"] for r in hooks["repos"] for h in r["hooks"]}
