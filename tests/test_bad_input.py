"""Whatever is wrong with what a user gives, the answer is one sentence and a sensible exit code."""

from __future__ import annotations

import re
import sys

import pytest
from bad_project import here as here
from bad_project import project as project
from bad_sentences import COMMANDS, the_sentence

from symscape.cli import main


@pytest.mark.parametrize("typed", COMMANDS)
def test_commands_answer_with_a_sentence(here, typed, monkeypatch, capsys):
    code, pattern = COMMANDS[typed]
    monkeypatch.setattr(sys, "argv", ["symscape", *typed.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    output = capsys.readouterr()
    assert stop.value.code == code, output
    the_sentence(output.err, pattern)
    if not typed.startswith("validate "):
        problems = [x for x in output.err.splitlines() if x.startswith(("symscape: ", "Error: "))]
        assert len(problems) == 1, output.err
        assert re.search(pattern, problems[0]), output.err
