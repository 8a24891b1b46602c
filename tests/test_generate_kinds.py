"""A plan given where a list belongs, and the other way round: the sentence names who takes it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from command_line import typed as typed

LIBRARY = Path(__file__).parents[1] / "references"
PLANS = LIBRARY / "plans"
#: a committed file of each kind, and the command that takes it
OF = {
    "run": PLANS / "As-R-3m.toml",
    "crystals": PLANS / "crystals.toml",
    "curves": PLANS / "equations-of-state.toml",
    "lines": PLANS / "all-electron.toml",
}
#: commands that take plans, and no list
TAKE_PLANS = ("run", "plan", "relax", "status")
WRONG = [
    (command, kind)
    for command in (*TAKE_PLANS, "crystals", "curves", "lines")
    for kind in OF
    if kind != ("run" if command in TAKE_PLANS else command)
]


@pytest.fixture
def symscape(monkeypatch, tmp_path, typed):
    monkeypatch.chdir(tmp_path)
    return partial(typed, "reference")


@pytest.mark.parametrize(("command", "kind"), WRONG)
def test_a_file_of_another_kind_is_refused_by_the_name_of_its_own_command(symscape, command, kind):
    library = () if command in TAKE_PLANS else ("--references", LIBRARY)
    code, _, err = symscape(command, OF[kind], *library)
    assert code != 0
    assert f"{OF[kind]} is a " in err
    assert f"give it to 'symscape reference {kind}'" in err
    assert err.count("\n") == 1
