"""What the documentation says of commands, options and links is true."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib

import pytest
import yaml
from docs_pages import (
    PAGES,
    ROOT,
    SYMSCAPE,
    blocks,
    check_symscape,
    check_tox,
    options_of,
    pytest_options,
    read,
)

from symscape.models.registry import find_card
from symscape.plugin import _OPTIONS


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
        for name in (*parameter.opts, *parameter.secondary_opts)
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


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_consoles_are_taken_by_their_own_parsers(page):
    """Numbers and kinds of arguments, and values of options, not their names alone."""
    for block in blocks(read(page)):
        if block.language != "console":
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|\|", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True)
                if words[:1] != ["symscape"]:
                    continue
                command, rest = SYMSCAPE, words[1:]
                while hasattr(command, "commands") and rest and rest[0] in command.commands:
                    command, rest = command.commands[rest[0]], rest[1:]
                if "--help" in rest or "--install-completion" in rest:
                    continue
                with command.make_context(command.name, list(rest)) as context:
                    assert context.params or not command.params, part
