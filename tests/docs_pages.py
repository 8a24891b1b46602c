"""The pages of the documentation, taken apart for the tests."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from pathlib import Path

import typer
from _pytest import cacheprovider
from _pytest.config.argparsing import Parser

from symscape.cli import app

ROOT = Path(__file__).parents[1]


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "references" / "README.md",
    )
)


SYMSCAPE = typer.main.get_command(app)


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


def pytest_options(config):
    """Every option that pytest knows in this session, with those of the plugins."""
    parser = config._parser
    groups = [parser._anonymous, *parser._groups]
    if not config.pluginmanager.has_plugin("cacheprovider"):  # a user's pytest has it
        cache = Parser(_ispytest=True)
        cacheprovider.pytest_addoption(cache)
        groups += [cache._anonymous, *cache._groups]
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
    names = (
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    )
    known = {*names, "--help"}
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
