"""What ``--help`` says: order, lines, examples that are right."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner

from symscape.cli import app
from symscape.cli.guide import EXAMPLES, SUMMARIES

ROOT = typer.main.get_command(app)


def commands(group=ROOT, prefix=""):
    """Every command and its name, groups included."""
    for name, command in group.commands.items():
        yield f"{prefix}{name}", command
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")


COMMANDS = dict(commands())


def run(*arguments):
    return CliRunner().invoke(app, list(arguments), terminal_width=80)


def test_commands_stand_in_order_one_whole_line_each():
    text = run("--help").stdout
    listed = text[text.index("Commands:") :].splitlines()[1:]
    names = [line.split()[0] for line in listed if line.strip()]
    assert names == [name for name in SUMMARIES if name in ROOT.commands]
    for name, line in zip(names, listed, strict=False):
        assert line.split(maxsplit=1)[1] == SUMMARIES[name]
        assert len(line) <= 80


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_shows_an_example(name):
    text = run(*name.split(), "--help").stdout
    assert "Example" in text
    for line in EXAMPLES[name]:
        assert f"    {line}\n" in text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_names_no_types_of_python(name):
    assert not re.search(r"\w\[\w+\]", run(*name.split(), "--help").stdout)


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name in COMMANDS for line in EXAMPLES.get(name, ())]
)
def test_examples_name_commands_and_options_that_exist(name, line):
    words = shlex.split(line.partition("   ")[0])
    assert words[0] == "symscape"
    command = ROOT
    rest = words[1:]
    while rest and hasattr(command, "commands") and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    assert command is COMMANDS[name] or name in " ".join(words)
    if name == "run":
        # passed on to pytest, whose options test_docs checks
        rest = rest[:2] if "--suite" in rest else []
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("symscape lea", ["leaderboard"]),
        ("symscape reference ch", ["check"]),
        ("symscape draw --che", ["--checkpoint"]),
    ],
)
def test_the_shell_completes_commands_and_options(typed, offered):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    environment = {"_SYMSCAPE_COMPLETE": "complete_bash", **words}
    outcome = CliRunner().invoke(app, [], env=environment, prog_name="symscape")
    assert outcome.stdout.split() == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_looked_at(shell, monkeypatch):
    # which shell this is can't be told from within a test
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert "_SYMSCAPE_COMPLETE" in run("--show-completion", shell).stdout


def test_version():
    outcome = run("--version")
    assert (outcome.exit_code, outcome.stdout) == (0, f"symscape {version('symscape')}\n")


def test_without_a_command_help_is_shown():
    outcome = run()
    assert "Commands:" in outcome.output
